# SPDX-License-Identifier: Apache-2.0
"""One scripted session over our exporter and over stock usbip-host: usbmon sees the same on the importer.

Control requests with their stalls, bulk and interrupt requests of all lengths, halts, unlinking, barriers. Statuses,
lengths, data and their order have to be the same, endpoint by endpoint, but for what EXPLAINED says we do otherwise.
With DEVCONFIG_LAB_DOCUMENTS=DIR the section "Traces" of DIR/conformance.md is written.
"""

import re

from .. import documents, tools, usbfs, usbmon
from ..gadgets import REPORT_LENGTH, Rehearsal
from ..usbfs import errno_name
from . import agent
from .common import AGENT, detach_all, stock_exporter

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True
# Like the other comparisons of both exporters, so that they share machines.
PROCESSORS = 2

SOURCE_SINK, REPORTS = 0, 1

# What is not the same on purpose: how the setup packet begins, as usbmon writes it, and why.
EXPLAINED = (
    ("01 0b 0007", "SET_INTERFACE to a setting that the descriptors do not have: usbip-host sends it on when the "
                   "kernel refuses it, and this gadget says yes to anything; we answer with a stall"),
    ("00 03 0030", "SET_FEATURE(U1_ENABLE): the power of the link is the exporter's business, so we answer 0 and do "
                   "not send it on"),
    ("00 03 0002", "SET_FEATURE(TEST_MODE): would take the device from its own machine; we answer with a stall and do "
                   "not send it on"),
    ("00 05", "SET_ADDRESS: the address is the exporter's; usbip-host gives the device another one than its own kernel "
              "knows, we answer 0 and do not send it on"),
    ("00 09 0005", "SET_CONFIGURATION to a value that the descriptors do not have: usbip-host sends it on when the "
                   "kernel refuses it, we answer with a stall"),
)
# The device is told nothing else by either: an URB that is unlinked ends with the one or the other.
UNLINKED = ("ENOENT, 0 bytes", "ECONNRESET, 0 bytes")
UNLINKED_SYNCHRONOUSLY = "unlinked: usbfs waits until the request has ended, usbip-host does not"


def script(endpoints: dict) -> tuple:
    """The two halves of the session; between them a report is given to the interrupt endpoint."""
    source, sink, report = (f"0x{endpoints[name]:02x}" for name in ("source", "sink", "report"))
    first = [
        f"claim:{SOURCE_SINK}", f"claim:{REPORTS}",
        # Control: exact, short and long answers, stalls, no data, data out.
        "control:0x80:6:0x100:0:18", "control:0x80:6:0x100:0:255", "control:0x80:6:0x100:0:8",
        "control:0x80:6:0x200:0:9", "control:0x80:6:0x200:0:4096", "control:0x80:6:0x3f7:0x409:255",
        "control:0x80:6:0x600:0:10", "control:0x80:0:0:0:2", "control:0x81:0:0:0:2", f"control:0x82:0:0:{source}:2",
        "control:0x80:8:0:0:1", "control:0x81:10:0:0:1", "control:0xc0:0x77:0:0:8", "control:0x40:0x77:0:0:0",
        "control:0x40:0x77:0:0:64", "control:0xc1:0x77:0:9:8", f"control:0x21:9:0x200:{REPORTS}:{REPORT_LENGTH}",
        f"control:0xa1:1:0x100:{REPORTS}:{REPORT_LENGTH}", f"control:0xa1:1:0x100:{REPORTS}:64",
        f"control:0x21:10:0:{REPORTS}:0",
        # Bulk OUT: nothing, short, full, more than one packet, closed with an empty one, more than the sink takes.
        f"out:{sink}:0:1", f"out:{sink}:1:1", f"out:{sink}:511:1", f"out:{sink}:512:1", f"out:{sink}:1:1",
        f"out:{sink}:513:1", f"out:{sink}:512:1:zero", f"out:{sink}:700:4", f"out:{sink}:1024:1",
        # A byte that is not the pattern's: the sink stalls until it is told otherwise.
        f"out:{sink}:100:1:ff", f"out:{sink}:8:1", f"out:{sink}:8:2", f"halt:{sink}", f"out:{sink}:8:1",
        # Bulk IN: a full packet, the short rest, both, an error for being short, exact, babble, nothing, a queue.
        f"in:{source}:512:1", f"in:{source}:512:1", f"in:{source}:1024:1", f"in:{source}:1024:1:strict",
        f"in:{source}:700:1", f"in:{source}:100:1", f"in:{source}:0:1", f"in:{source}:1024:6", f"in:{source}:65536:1",
        f"control:0x02:3:0:{source}:0", f"in:{source}:1024:1", f"control:0x82:0:0:{source}:2", f"halt:{source}",
        f"in:{source}:1024:1", f"control:0x02:3:0:{source}:0", f"control:0x02:1:0:{source}:0", f"in:{source}:1024:1",
        # Interrupt IN: exact, short, babble; then nothing to say, and unlinking.
        f"in:{report}:{REPORT_LENGTH}:1", f"in:{report}:64:1", f"in:{report}:4:1", f"unlink:{report}:8:1:first",
        f"unlink:{report}:8:8:first", f"unlink:{report}:8:8:last",
    ]
    second = [
        f"claim:{SOURCE_SINK}", f"claim:{REPORTS}", f"in:{report}:{REPORT_LENGTH}:1",
        # Barriers, by the kernel's own calls and as plain requests.
        f"alt:{SOURCE_SINK}:0", f"in:{source}:1024:2", f"control:0x01:11:0:{REPORTS}:0",
        f"control:0x01:11:7:{SOURCE_SINK}:0", f"in:{source}:1024:1", "control:0x00:9:1:0:0", "control:0x80:8:0:0:1",
        f"in:{source}:1024:1", f"out:{sink}:700:1", "control:0x80:0:0:0:2",
        # What is not for the device: behind it, usbip-host has a device in another state than its kernel believes.
        "control:0x00:9:5:0:0", "control:0x00:3:2:0x100:0", "control:0x00:3:48:0:0", "control:0x00:5:99:0:0",
    ]
    return first, second


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    gadget = Rehearsal()
    with report.step("beta has the program that plays the script"):
        tools.install(beta, usbfs.PLAYER)
    agent.install(office, report)
    ours = over_our_exporter(office, alpha, beta, gadget, report)
    gadget.unplug(alpha)
    stock = over_usbip_host(office, alpha, beta, gadget, report)
    compared = {"beta": usbmon.differences(ours.importer, stock.importer),
                "alpha": usbmon.differences(ours.exporter, stock.exporter)}
    for name, differences in compared.items():
        with report.step(f"{name}'s traces are the same, but for what is explained") as notes:
            notes.append(f"{len(differences)} requests are different")
            unexplained = [pair for pair in differences if not explanation(pair)]
            assert not unexplained, "\n".join("devconfig:  {}\nusbip-host: {}".format(*map(shown, pair))
                                              for pair in unexplained)
    if documents.are_wanted():
        release = alpha.run("uname -r").strip()
        with report.step("the comparison is written") as notes:
            notes.append(str(documents.put("conformance.md", "Conformance", "Traces",
                                           document(ours, compared, release))))


class Session:
    """The steps that were played, and the requests that both kernels saw."""

    def __init__(self, steps: list, importer: list, exporter: list):
        self.steps = steps
        self.importer = importer
        self.exporter = exporter


def over_our_exporter(office, alpha, beta, gadget, report) -> Session:
    with report.step("alpha has the gadget") as notes:
        gadget.plug(office, alpha)
        bus_id = alpha.bus_id(gadget)
        notes.append(f"bus id {bus_id}")
    here = {"host": "alpha", "busid": bus_id}
    agent.start_agent(report, alpha, beta)
    with report.step("beta attaches it from our exporter"):
        identity = agent.wait_for_device(beta, **here, remote_state="AVAIL")["id"]
        agent.up(beta, identity)
    with report.step("the session is played over our exporter") as notes:
        session = record(alpha, beta, gadget, bus_id)
        notes.append(f"{len(session.importer)} requests")
    with report.step("beta gives it back"):
        agent.down(beta, identity)
        agent.wait_for_device(alpha, **here, remote_state="AVAIL", remote_user="NOBODY")
    return session


def over_usbip_host(office, alpha, beta, gadget, report) -> Session:
    for machine in (alpha, beta):
        machine.run(f"systemctl stop {AGENT}")
    gadget.plug(office, alpha)
    bus_id = alpha.bus_id(gadget)
    with stock_exporter(alpha, bus_id):
        with report.step("beta attaches it from usbip-host"):
            beta.run(f"usbip attach --remote={alpha.address} --busid={bus_id}")
        with report.step("the session is played over usbip-host") as notes:
            session = record(alpha, beta, gadget, bus_id)
            notes.append(f"{len(session.importer)} requests")
        with report.step("beta detaches it"):
            detach_all(beta)
    return session


def record(alpha, beta, gadget, bus_id: str) -> Session:
    directory = usbfs.attached_directory(beta, gadget)
    node, exported = usbfs.node_of(beta, directory), usbfs.node_of(alpha, f"/sys/bus/usb/devices/{bus_id}")
    bulk = usbfs.endpoints(beta, directory, SOURCE_SINK)
    endpoints = {"source": next(number for number in bulk if number & 0x80),
                 "sink": next(number for number in bulk if not number & 0x80),
                 "report": usbfs.endpoints(beta, directory, REPORTS)[0]}
    first, second = script(endpoints)
    for machine in (alpha, beta):
        usbmon.start(machine)
    give_reports(alpha, gadget, 3)
    steps = usbfs.play(beta, node, first)
    give_reports(alpha, gadget, 1)
    steps += usbfs.play(beta, node, second)
    return Session(steps, usbmon.stop(beta, node), usbmon.stop(alpha, exported))


def give_reports(alpha, gadget, count: int) -> None:
    """Reports for the interrupt endpoint; each is taken when the one before it is gone."""
    alpha.run(f"(for n in $(seq {count}); do printf 'report %d' $n; done > {gadget.end}) >/dev/null 2>&1 & "
              "sleep 0.2")


def shown(request) -> str:
    return f"{request.asked}: {request.answer}" if request else "no such request"


def explanation(pair: tuple) -> str:
    requests = [request for request in pair if request]
    for beginning, reason in EXPLAINED:
        if all(request.setup.startswith(beginning) for request in requests):
            return reason
    if None not in pair and all(request.answer.startswith(UNLINKED) for request in requests) \
            and pair[0].late == pair[1].late:
        return UNLINKED_SYNCHRONOUSLY
    return ""


def document(ours: Session, compared: dict, release: str) -> str:
    kinds = {}
    for request in ours.importer:
        counts = kinds.setdefault(re.sub(" [0-9]+", "", request.endpoint), {})
        outcome = errno_name(request.status) if request.status is not None else "not completed"
        counts[outcome] = counts.get(outcome, 0) + 1
    rows = "\n".join(f"| {kind} | {sum(counts.values())} | "
                     f"{', '.join(f'{outcome}: {count}' for outcome, count in sorted(counts.items()))} |"
                     for kind, counts in kinds.items())
    return f"""One scripted session, `lab/tools/usbfs-play.c`, with a gadget of a source, a sink and HID reports: once
attached from devconfig's exporter and once from `usbip-host`, in one run of the lab on Linux {release} with
{PROCESSORS} emulated processors per machine. `usbmon` recorded what both kernels saw. Endpoint by endpoint, the status,
the length, the first 32 bytes of the data and the order of completion of each of the {len(ours.importer)} requests are
compared.

| endpoint | requests | answers |
|---|---:|---|
{rows}

On the importer, {len(compared["beta"])} requests are answered in another way:

{differences_table(compared["beta"])}

On the exporter, the device sees this in another way, and everything else in the same way and order:

{differences_table(compared["alpha"])}

A difference that is not explained here makes the scenario fail. Written by `{documents.command("traces")}`.
"""


def differences_table(differences: list) -> str:
    rows = {}
    for pair in differences:
        asked = next(request.asked for request in pair if request)
        cells = [asked, *(request.answer if request else "does not see it" for request in pair), explanation(pair)]
        # Many unlinked requests in a row differ in the same way.
        key = (explanation(pair), ) if explanation(pair) == UNLINKED_SYNCHRONOUSLY else tuple(cells)
        rows.setdefault(key, []).append(cells)
    lines = ["| requests | which | devconfig | usbip-host | why |", "|---:|---|---|---|---|"]
    for found in rows.values():
        which, devconfig, stock, why = found[0]
        if len(found) > 1:
            devconfig, stock = (text.split(", ")[0] for text in (devconfig, stock))
        lines.append(f"| {len(found)} | {which} | {devconfig} | {stock} | {why} |")
    return "\n".join(lines)
