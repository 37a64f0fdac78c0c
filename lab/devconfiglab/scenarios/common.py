# SPDX-License-Identifier: Apache-2.0
"""What several scenarios do: disks with a checksum on them, people at a machine, the stock USB/IP tools."""

import contextlib

from ..recipe import PERSON

AGENT = "devconfigd.service"


def write_checksummed(machine, node: str, mebibytes: int) -> str:
    """Make a file system on a disk, put random bytes on it, unmount, return their SHA-256."""
    machine.run(f"mkfs.ext4 -q -F {node}", timeout=300)
    machine.run(f"mkdir -p /mnt/stick && mount {node} /mnt/stick")
    machine.run(f"dd if=/dev/urandom of=/mnt/stick/random bs=1M count={mebibytes} status=none", timeout=300)
    # Unmounted and mounted again, so that the sum is of what the disk has, not of what memory still holds.
    machine.run(f"umount /mnt/stick && blockdev --flushbufs {node}", timeout=600)
    return read_checksum(machine, node)


def read_checksum(machine, node: str) -> str:
    """The SHA-256 of the random bytes, read from the disk through a read-only mount."""
    machine.run(f"mkdir -p /mnt/stick && mount -o ro {node} /mnt/stick")
    try:
        return machine.run("sha256sum /mnt/stick/random", timeout=600).split()[0]
    finally:
        machine.run(f"umount /mnt/stick && blockdev --flushbufs {node}", timeout=120)


def sit_down(office, machine) -> None:
    """A person logs in on the console, where a keyboard of the machine types."""
    machine.write("/run/systemd/system/getty@tty1.service.d/lab.conf",
                  f"[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin {PERSON} --noclear tty1 linux\n")
    machine.run("systemctl unmask getty@tty1.service && systemctl daemon-reload && systemctl start getty@tty1.service")
    office.afterwards(machine, "systemctl stop getty@tty1.service; rm -r /run/systemd/system/getty@tty1.service.d; "
                               "systemctl daemon-reload")
    machine.wait_until(f"loginctl list-sessions --no-legend | grep -q '{PERSON}.*tty1'", limit=60)


@contextlib.contextmanager
def agent_stopped(machine):
    """Without our agent for a while, if it runs here at all: port 3240 is for the stock tools then."""
    was_active = machine.attempt(f"systemctl is-active --quiet {AGENT}").status == 0
    if was_active:
        machine.run(f"systemctl stop {AGENT}")
    try:
        yield
    finally:
        if was_active and machine.is_reachable():
            machine.run(f"systemctl start {AGENT}")


@contextlib.contextmanager
def stock_exporter(machine, bus_id: str):
    """Debian's own usbip-host and usbipd exporting one device."""
    with agent_stopped(machine):
        machine.run("modprobe usbip-host")
        machine.run("systemd-run --quiet --unit=stock-usbipd usbipd")
        try:
            machine.wait_until("ss -ltn | grep -q :3240")
            machine.run(f"usbip bind --busid={bus_id}")
            yield
        finally:
            if machine.is_reachable():
                machine.attempt(f"usbip unbind --busid={bus_id}")
                machine.attempt("systemctl stop stock-usbipd")
                machine.attempt("modprobe -r usbip-host")


def stock_attach(machine, exporter: str, bus_id: str, device) -> str:
    """Attach with the stock tool and return the disk node that appears."""
    machine.run("modprobe vhci-hcd")
    machine.run(f"usbip attach --remote={exporter} --busid={bus_id}")
    return machine.disk_node(device)


def detach_all(machine) -> None:
    """Detach every port of the stock tool."""
    machine.run("for port in $(usbip port 2>/dev/null | sed -n 's/^Port \\([0-9]*\\):.*/\\1/p'); do "
                "usbip detach --port=$port; done")


def stock_detach(machine, device) -> None:
    """Detach every port of the stock tool and wait until the disk is gone."""
    detach_all(machine)
    machine.wait_until(f"! ls /dev/disk/by-id/ 2>/dev/null | grep -q {device.serial}")
