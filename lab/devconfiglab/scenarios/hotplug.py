# SPDX-License-Identifier: Apache-2.0
"""Pulled out and plugged in while it is in use: disks, hubs, a firmware update, and drivers taken off on the other side."""

import re
import time

from .. import tools, usbfs
from ..devices import Disk, Hub, NullDisk
from ..gadgets import Modem
from . import agent
from .common import AGENT
from .rules import FILE, follow

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True

# What the product promises, and what a machine may take to see a device come up again.
NOTICED, BACK = 15, 60
LOADER = ("0483", "df11", "Loader")


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    tools.install(beta, usbfs.PLAYER)
    stream = NullDisk("stream")
    alpha.plug(stream)
    agent.install(office, report)
    agent.start_agent(report, alpha, beta)
    identity = agent.wait_for_device(beta, host="alpha", busid=alpha.bus_id(stream), remote_state="AVAIL")["id"]
    unplugged(alpha, beta, stream, identity, report)
    kept_and_moved(office, alpha, beta, stream, identity, report)
    drivers_taken(alpha, beta, stream, identity, report)
    hub_pulled(office, alpha, beta, report)
    firmware_updated(office, alpha, beta, report)


class Reader:
    """A program on beta that reads a disk to its end."""

    def __init__(self, machine, node: str):
        self.machine = machine
        self.size = int(machine.run(f"blockdev --getsize64 {node}"))
        self.process = machine.start(f"dd if={node} of=/dev/null bs=256k iflag=direct", timeout=240)
        machine.wait_until(f"[ $(awk '{{ print $1 }}' /sys/block/{node.removeprefix('/dev/')}/stat) -gt 40 ]")
        assert self.process.poll() is None, "the disk was read to its end already"

    def failed(self) -> str:
        """Wait for the error, and say when it came."""
        started = time.monotonic()
        _, stderr = self.process.communicate(timeout=NOTICED + 15)
        took = f"after {time.monotonic() - started:.1f} s"
        if self.process.returncode == 1:
            return f"the reader got an error {took}"
        # A kernel that has taken the disk away says that it has no bytes, and a read beyond them is its end
        # (block/fops.c, blkdev_read_iter).
        read = re.search(rb"^(\d+) bytes", stderr, re.MULTILINE)
        assert self.process.returncode == 0 and read and int(read.group(1)) < self.size, f"{self.process.returncode}: {stderr}"
        return f"the disk had no more bytes for the reader {took}"

    def stop(self) -> None:
        """It reads on; end it."""
        assert self.process.poll() is None, f"dd ended: {self.process.communicate()}"
        self.machine.run("pkill -x dd")
        self.process.communicate(timeout=30)


def attached_disk(machine, identity: int, option: str = "") -> str:
    """Attach a disk and return its node; a busy machine may load the driver after `up` has returned."""
    machine.run(f"devconfig up {option} {identity}", timeout=90)
    end = time.monotonic() + BACK
    while True:
        device = agent.wait_for_device(machine, id=identity, local_state="CONN_DONE")
        disks = [node for node in device["nodes"] if re.fullmatch(r"/dev/sd[a-z]+", node)]
        if disks:
            return disks[0]
        assert time.monotonic() < end, f"no disk: {device}"
        time.sleep(0.2)


def unplugged(alpha, beta, disk, identity: int, report) -> None:
    known = agent.wait_for_device(alpha, host="alpha", serial=disk.serial)["id"]
    with report.step("a disk is unplugged while beta reads it: an error for the reader, and nothing is left") as notes:
        reader = Reader(beta, attached_disk(beta, identity))
        alpha.unplug(disk.name)
        notes.append(reader.failed())
        notes.append(gone(alpha, beta, identity))
    with report.step("plugged into another socket it is the same device on both machines, and attached to none") as notes:
        before = agent.wait_for_device(beta, id=identity)["busid"]
        alpha.move(disk.name)
        after = alpha.bus_id(disk)
        agent.wait_for_device(alpha, BACK, host="alpha", busid=after, id=known, remote_state="AVAIL")
        agent.wait_for_device(beta, BACK, host="alpha", busid=after, id=identity, remote_state="AVAIL",
                              local_state="DISCONN_DONE")
        assert after != before, after
        assert alpha.disk_node(disk), "alpha's kernel has no disk"
        notes.append(f"{before}, then {after}")


def kept_and_moved(office, alpha, beta, disk, identity: int, report) -> None:
    with report.step("kept, unplugged while it is read and plugged into another socket, it comes back by itself") as notes:
        office.afterwards(beta, f"devconfig down {identity}")
        reader = Reader(beta, attached_disk(beta, identity, "--keep"))
        alpha.unplug(disk.name)
        notes.append(reader.failed())
        agent.wait_for_device(beta, NOTICED, id=identity, local_state="CONN_RETRY", is_kept=True)
        alpha.move(disk.name)
        started = time.monotonic()
        agent.wait_for_device(beta, BACK, id=identity, local_state="CONN_DONE", busid=alpha.bus_id(disk))
        notes.append(f"back after {time.monotonic() - started:.0f} s")
        agent.down(beta, identity)


def drivers_taken(alpha, beta, disk, identity: int, report) -> None:
    here = {"host": "alpha", "busid": alpha.bus_id(disk)}
    with report.step("beta resets the device while it is read: the reader reads on"):
        node = attached_disk(beta, identity)
        reader = Reader(beta, node)
        directory = usbfs.attached_directory(beta, disk)
        for step in usbfs.play(beta, usbfs.node_of(beta, directory), ["reset", "wait:500", "reset"]):
            assert step.status == 0, step
        reader.stop()
        agent.wait_for_device(beta, id=identity, local_state="CONN_DONE")
    with report.step("beta's driver is taken off while it works, and bound again: the disk is there again") as notes:
        reader = Reader(beta, node)
        driver = "/sys/bus/usb/drivers/usb-storage"
        interface = beta.run(f"basename {directory}/*:*.0").strip()
        beta.run(f"echo {interface} > {driver}/unbind", timeout=30)
        notes.append(reader.failed())
        agent.wait_for_device(beta, id=identity, local_state="CONN_DONE", nodes=[])
        beta.run(f"echo {interface} > {driver}/bind", timeout=30)
        node = attached_disk(beta, identity)
    with report.step("the whole device is taken from beta's kernel while it is read: down gives it back") as notes:
        reader = Reader(beta, node)
        beta.run(f"echo {directory.rsplit('/', 1)[1]} > /sys/bus/usb/drivers/usb/unbind", timeout=30)
        notes.append(reader.failed())
        agent.down(beta, identity)
        agent.wait_for_device(alpha, **here, remote_state="AVAIL", remote_user="NOBODY")
        assert alpha.disk_node(disk), "alpha's kernel has no disk"
        notes.append(gone(alpha, beta, identity))


def hub_pulled(office, alpha, beta, report) -> None:
    hub, stick = Hub("hub"), Disk("stick", 64)
    alpha.plug(hub)
    alpha.plug(stick, behind=hub)
    place = alpha.bus_id(stick)
    identity = agent.wait_for_device(beta, host="alpha", busid=place, remote_state="AVAIL")["id"]
    office.afterwards(beta, f"devconfig down {identity}")
    with report.step("a hub is unplugged while beta reads the disk behind it") as notes:
        reader = Reader(beta, attached_disk(beta, identity, "--keep"))
        alpha.unplug(hub.name)
        notes.append(reader.failed())
        agent.wait_for_device(beta, NOTICED, id=identity, local_state="CONN_RETRY", is_kept=True)
        notes.append(gone(alpha, beta, identity))
    with report.step("with the hub and the disk back, beta has it again by itself") as notes:
        alpha.plug(hub.name)
        alpha.plug(stick.name)
        started = time.monotonic()
        agent.wait_for_device(beta, BACK, id=identity, local_state="CONN_DONE", busid=place)
        notes.append(f"after {time.monotonic() - started:.0f} s, at {place}")
        agent.down(beta, identity)


def firmware_updated(office, alpha, beta, report) -> None:
    modem = Modem()
    itself = (modem.vendor_id, modem.product_id, modem.product)
    modem.plug(office, alpha)
    place = alpha.bus_id(modem)
    identity = agent.wait_for_device(beta, host="alpha", busid=place, remote_state="AVAIL")["id"]
    loader = {"host": "alpha", "vendor_id": LOADER[0], "product_id": LOADER[1]}
    office.afterwards(beta, f"devconfig down {identity}")
    with report.step("a kept device comes back as another one on its port: beta follows it") as notes:
        beta.run(f"devconfig up --keep {identity}", timeout=90)
        modem.turn_into(alpha, *LOADER)
        started = time.monotonic()
        device = agent.wait_for_device(beta, BACK, **loader, busid=place, local_state="CONN_DONE", stands_in_for=identity)
        notes.append(f"after {time.monotonic() - started:.1f} s")
        assert device["remote_user"] == "root@beta", device
        beta.wait_until(f"devconfig list {device['id']} --json | grep -q /dev/ttyACM")
        own = agent.wait_for_device(beta, id=identity, local_state="CONN_RETRY", is_kept=True)
        assert "came up in its place and is attached" in own["reason"], own
        notes += [device["reason"], own["reason"]]
    with report.step("it is itself again: beta has it as before") as notes:
        modem.turn_into(alpha, *itself)
        started = time.monotonic()
        agent.wait_for_device(beta, BACK, id=identity, local_state="CONN_DONE", is_kept=True)
        notes.append(f"after {time.monotonic() - started:.1f} s")
        device = agent.wait_for_device(beta, **loader, local_state="DISCONN_DONE")
        assert "stands_in_for" not in device, device
    with report.step("what alpha does not share is not attached, and followed as soon as it is shared") as notes:
        office.afterwards(alpha, f"cp /root/devconfig.yaml {FILE}; systemctl reload {AGENT}")
        alpha.run(f"cp {FILE} /root/devconfig.yaml")
        follow(alpha, f'rules:\n  - deny: {{vendor: "{LOADER[0]}"}}\n')
        modem.turn_into(alpha, *LOADER)
        agent.wait_for_device(beta, BACK, **loader, remote_state="DENIED", local_state="DISCONN_DONE")
        beta.wait_until(f"devconfig list {identity} | grep -q 'is not shared'", limit=BACK)
        own = agent.wait_for_device(beta, id=identity, local_state="CONN_RETRY")
        notes.append(own["reason"])
        follow(alpha, "")
        agent.wait_for_device(beta, BACK, **loader, local_state="CONN_DONE", stands_in_for=identity)
    with report.step("down of what stands in lets go of both"):
        agent.down(beta, agent.wait_for_device(beta, **loader)["id"])
        assert "is_kept" not in agent.wait_for_device(beta, id=identity, local_state="DISCONN_DONE")
        agent.wait_for_device(beta, **loader, local_state="DISCONN_DONE", remote_state="AVAIL")
        modem.turn_into(alpha, *itself)
        agent.wait_for_device(beta, BACK, id=identity, local_state="DISCONN_DONE", remote_state="AVAIL")
    with report.step("a device that is not kept is not followed"):
        agent.up(beta, identity)
        modem.turn_into(alpha, *LOADER)
        agent.wait_for_device(beta, BACK, **loader, remote_state="AVAIL", local_state="DISCONN_DONE")
        agent.wait_for_device(beta, NOTICED, id=identity, local_state="DISCONN_DONE", remote_state="OFFLINE")
        # Following took less than this above.
        time.sleep(5)
        agent.wait_for_device(beta, **loader, remote_state="AVAIL", local_state="DISCONN_DONE")
        nothing_left(alpha, beta)


def gone(alpha, beta, identity: int) -> str:
    """Wait until neither machine has anything of an attachment left; within the time the product promises."""
    started = time.monotonic()
    for state in ("CONN_DONE", "DISCONN_WAIT"):
        while agent.matching(agent.devices(beta), {"id": identity, "local_state": state}):
            assert time.monotonic() - started < NOTICED, f"beta still has it as {state}"
            time.sleep(0.2)
    nothing_left(alpha, beta)
    return f"nothing is left after {time.monotonic() - started:.1f} s"


def nothing_left(alpha, beta) -> None:
    """No port in use on beta; no session, claim or user on alpha."""
    beta.wait_until("! awk '$1 ~ /^(hs|ss)$/ && $3 != 4' /sys/devices/platform/vhci_hcd.*/status* | grep -q .",
                    limit=NOTICED)
    # The kernel keeps 15 letters of a name.
    alpha.wait_until("! pgrep -x devconfig-sessi", limit=NOTICED)
    alpha.wait_until("! grep -q '[0-9]-[0-9]' /run/devconfig/undo.json", limit=NOTICED)
    assert not agent.matching(agent.devices(alpha), {"remote_state": "INUSE"}), agent.devices(alpha)
