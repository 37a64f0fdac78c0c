# SPDX-License-Identifier: Apache-2.0
"""A device of each kind is attached, used by its own driver, detached, and given back to its own machine.

All are plugged in, and then visited one after the other. What is done with each is in devconfiglab/uses.py.
"""

from .. import documents, gadgets, tools, usbfs, uses
from ..devices import CardReader, Disk, Keyboard, Loudspeaker, MediaPlayer, NetworkAdapter, SerialPort, Tablet, UasDisk
from ..sound import Recording
from . import agent
from .sound import give_sine

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True
PROCESSORS = 2

# Each with how it is used, and the driver that has its first interface on both machines, if one has.
EMULATED = (
    (Disk("stick"), uses.disk, "usb-storage"),
    (UasDisk("uas"), uses.disk, "uas"),
    (Keyboard("keyboard"), uses.keyboard, "usbhid"),
    (Tablet("tablet"), uses.tablet, "usbhid"),
    (SerialPort("serial"), uses.serial_port, "ftdi_sio"),
    (Loudspeaker("loudspeaker"), uses.loudspeaker, "snd-usb-audio"),
    (NetworkAdapter("adapter"), uses.network_adapter, "cdc_ether"),
    (CardReader("reader"), uses.card_reader, ""),
    (MediaPlayer("player", uses.SONG), uses.media_player, ""),
)
GADGETS = (
    (gadgets.Reports(0), uses.reports, "usbhid"),
    (gadgets.Modem(1), uses.modem, "cdc_acm"),
    (gadgets.Printer(2), uses.printer, "usblp"),
)


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    agent.install(office, report)
    with report.step(f"alpha has {len(EMULATED)} devices and {len(GADGETS)} gadgets"):
        tools.install(beta, usbfs.PLAYER)
        give_sine(beta, seconds=uses.SINE_SECONDS)
        for machine in (alpha, beta):
            # The kernel has two drivers for this adapter, and the one that was loaded first gets it.
            machine.run("modprobe cdc_ether")
        for device, _, _ in EMULATED:
            alpha.plug(device)
        for gadget, _, _ in GADGETS:
            gadget.plug(office, alpha)
    agent.start_agent(report, alpha, beta)
    seen = [visit(alpha, beta, device, use, driver, report) for device, use, driver in (*EMULATED, *GADGETS)]
    loudspeaker = next(device for device, _, _ in EMULATED if isinstance(device, Loudspeaker))
    alpha.remove(loudspeaker.name)
    with report.step("the sine that the loudspeaker played is whole") as notes:
        recording = Recording(loudspeaker.recording)
        recording.assert_whole(uses.SINE_SECONDS)
        notes.append(f"{recording.frames} frames")
    if documents.are_wanted():
        release = alpha.run("uname -r").strip()
        with report.step("what was used is written") as notes:
            notes.append(str(documents.put("conformance.md", "Conformance", "Zoo", document(seen, release))))


def visit(alpha, beta, device, use, driver: str, report) -> tuple:
    """The name of the device, its driver, and what it was used for."""
    name = device.product.lower() if isinstance(device, gadgets.Gadget) else device.name
    bus_id = alpha.bus_id(device)
    here = {"host": "alpha", "busid": bus_id}
    with report.step(f"{name}: beta attaches it") as notes:
        has_driver(alpha, f"/sys/bus/usb/devices/{bus_id}", driver)
        identity = agent.wait_for_device(beta, **here, remote_state="AVAIL")["id"]
        nodes = agent.up(beta, identity)
        notes += nodes
        has_driver(beta, usbfs.attached_directory(beta, device), driver)
    with report.step(f"{name}: beta uses it") as notes:
        used = use(alpha, beta, device, nodes)
        notes.append(used)
    with report.step(f"{name}: beta gives it back, alpha has it again"):
        agent.down(beta, identity)
        agent.wait_for_device(alpha, **here, remote_state="AVAIL", remote_user="NOBODY")
        has_driver(alpha, f"/sys/bus/usb/devices/{bus_id}", driver)
        uses.given_back(alpha, device)
    return name, driver or "none, through usbfs", used


def has_driver(machine, directory: str, driver: str) -> None:
    """Wait until the driver has an interface of the device."""
    if driver:
        machine.wait_until(f'for i in {directory}/*:*; do [ "$(basename "$(readlink $i/driver)")" = {driver} ] && '
                           f"exit 0; done; ls -l {directory}/*:*/driver >&2; exit 1")


def document(seen: list, release: str) -> str:
    rows = "\n".join(f"| {' | '.join(cells)} |" for cells in seen)
    return f"""Each device is attached from devconfig's exporter with `devconfig up`, used by its driver on the importer, and given
back with `devconfig down`; after that its own machine's driver has it again, and it is AVAIL. Disks are read again
there. The first nine are QEMU's, the others are gadgets on `dummy_hcd`. Linux {release}, {PROCESSORS} emulated
processors per machine.

| device | driver | used |
|---|---|---|
{rows}

Written by `{documents.command("zoo")}`.
"""
