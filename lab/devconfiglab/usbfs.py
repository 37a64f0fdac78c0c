# SPDX-License-Identifier: Apache-2.0
"""Requests to a device of a machine without a driver, through lab/tools/usbfs-play.c."""

import errno

from . import tools

PLAYER = "usbfs-play"


class Urb:
    """One request that completed: 0 or a negative errno, the length that went over, and the data that came in."""

    def __init__(self, number: int, status: int, length: int, data: bytes):
        self.number = number
        self.status = status
        self.length = length
        self.data = data


class Step:
    """One step of the script: 0 or a negative errno, and its URBs in the order of their completion."""

    def __init__(self, text: str, status: int, urbs: list):
        self.text = text
        self.status = status
        self.urbs = urbs

    def only(self) -> Urb:
        """The one URB of a step that shall have gone well."""
        assert self.status == 0 and len(self.urbs) == 1 and self.urbs[0].status == 0, f"unexpected: {self}"
        return self.urbs[0]

    def __str__(self) -> str:
        return f"{self.text}: {errno_name(self.status)}" + "".join(
            f", {errno_name(urb.status)} {urb.length} bytes" for urb in self.urbs)


def errno_name(status: int) -> str:
    return "0" if status == 0 else errno.errorcode.get(-status, str(status))


def play(machine, node: str, steps: list) -> list:
    """Play the steps, which the source of the player explains, on a usbfs node; return a Step for each."""
    output = machine.run(f"{tools.installed_path(PLAYER)} {node} {' '.join(steps)}", timeout=120)
    played, urbs = [], []
    for line in output.splitlines():
        words = line.split()
        assert int(words[0]) == len(played), f"not in step {len(played)}: {line}"
        if len(words) == 2:
            played.append(Step(steps[len(played)], int(words[1]), urbs))
            urbs = []
        else:
            data = bytes.fromhex(words[4]) if len(words) > 4 else b""
            urbs.append(Urb(int(words[1]), int(words[2]), int(words[3]), data))
    assert len(played) == len(steps), f"{len(played)} of {len(steps)} steps were played"
    return played


def attached_directory(machine, device) -> str:
    """The sysfs directory of an attached device."""
    return machine.wait_until(
        "for d in /sys/devices/platform/vhci_hcd.*/usb*/*-*; do "
        f'[ "$(cat $d/idVendor 2>/dev/null)" = {device.vendor_id} ] && '
        f'[ "$(cat $d/idProduct)" = {device.product_id} ] && [ -n "$(cat $d/bConfigurationValue)" ] && '
        "echo $d && exit 0; done; exit 1").strip()


def node_of(machine, directory: str) -> str:
    """The usbfs node of the device with this sysfs directory."""
    return machine.run(f'printf /dev/bus/usb/%03d/%03d "$(cat {directory}/busnum)" "$(cat {directory}/devnum)"')


def endpoints(machine, directory: str, interface: int) -> list:
    """The endpoints of the present setting of an interface, as numbers: IN ones have 0x80."""
    listed = machine.run(f"cd {directory}/*:*.{interface} && ls -d ep_*")
    return [int(name.removeprefix("ep_"), 16) for name in listed.split()]
