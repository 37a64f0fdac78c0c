# SPDX-License-Identifier: Apache-2.0
"""What the paper's experiments have in common: the devices, a network with delay, an exporter of either kind."""

import contextlib
from pathlib import Path

from . import tools
from .devices import Device, Disk
from .scenarios import agent
from .scenarios.common import AGENT, stock_exporter

OURS, STOCK = "devconfig", "usbip-host"
EXPORTERS = (OURS, STOCK)
PROGRAMS = ("paper-bulk", "paper-isochronous", "paper-files")


class Source(Disk):
    """A disk made of nothing: it reads as zeroes and takes no time to do so, the pure source of section 4.1."""

    def prepare(self, talk, directory: Path) -> None:
        talk.execute("blockdev-add", driver="null-co", size=self.size_mib << 20,
                     **{"node-name": self.name, "read-zeroes": True})


class Loudspeaker(Device):
    """QEMU's USB loudspeaker, an isochronous sink: one packet of 192 bytes each millisecond, at full speed."""

    vendor_id, product_id = "46f4", "0002"

    def properties(self) -> dict:
        return {"driver": "usb-audio", "audiodev": "silence"}


def install_programs(machine) -> None:
    for program in PROGRAMS:
        tools.install(machine, program)


def set_round_trip(office, milliseconds: float) -> float:
    """Delay what alpha and beta send each other, half on each side; return what ping then finds, in milliseconds."""
    for machine in (office.alpha, office.beta):
        machine.run("tc qdisc del dev lan root 2>/dev/null; true" if milliseconds == 0 else
                    f"tc qdisc replace dev lan root netem delay {milliseconds / 2}ms")
    said = office.beta.run(f"ping -q -c 15 -i 0.05 {office.alpha.address} | tail -n 1")
    # rtt min/avg/max/mdev = 0.512/0.731/1.020/0.100 ms
    return float(said.split(" = ")[1].split("/")[1])


@contextlib.contextmanager
def attached(office, exporter: str, device, bus_id: str):
    """The device of alpha is attached to beta, by way of this exporter; yields its usbfs node there."""
    alpha, beta = office.alpha, office.beta
    if exporter == OURS:
        for machine in (alpha, beta):
            machine.run(f"systemctl is-active --quiet {AGENT} || systemctl start {AGENT}", timeout=120)
        identity = agent.wait_for_device(beta, 60, host="alpha", busid=bus_id, remote_state="AVAIL")["id"]
        agent.up(beta, identity)
        yield node(beta, device, "/sys/devices/platform/vhci_hcd.*/usb*/*-*")
        agent.down(beta, identity)
        return
    for machine in (alpha, beta):
        machine.run(f"systemctl stop {AGENT}", timeout=120)
    with stock_exporter(alpha, bus_id):
        beta.run(f"usbip attach --remote={alpha.address} --busid={bus_id}")
        yield node(beta, device, "/sys/devices/platform/vhci_hcd.*/usb*/*-*")
        beta.run("for port in $(usbip port 2>/dev/null | sed -n 's/^Port \\([0-9]*\\):.*/\\1/p'); do "
                 "usbip detach --port=$port; done")


@contextlib.contextmanager
def local(office, device):
    """The device where it is plugged in; yields its usbfs node, and replugs it, so that its driver is back."""
    yield node(office.alpha, device, f"/sys/bus/usb/devices/{office.alpha.bus_id(device)}")
    office.alpha.unplug(device.name)
    office.alpha.plug(device.name)
    office.alpha.bus_id(device)


def node(machine, device, pattern: str) -> str:
    """The usbfs node of the device in these sysfs directories, when its drivers have looked at it."""
    if isinstance(device, Disk):
        machine.disk_node(device)
    found = machine.wait_until(
        f'for d in {pattern}; do [ "$(cat $d/idVendor 2>/dev/null)" = {device.vendor_id} ] && '
        f'[ "$(cat $d/idProduct)" = {device.product_id} ] && [ -n "$(cat $d/bConfigurationValue)" ] && '
        'printf /dev/bus/usb/%03d/%03d "$(cat $d/busnum)" "$(cat $d/devnum)" && exit 0; done; exit 1')
    machine.run("udevadm settle", timeout=60)
    return found
