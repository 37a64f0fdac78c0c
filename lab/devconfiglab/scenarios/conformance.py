# SPDX-License-Identifier: Apache-2.0
"""The kernel's own usbtest over our exporter; beside it over stock usbip-host, when documents are wanted.

Every case has to pass over our exporter, DEVCONFIG_LAB_ROUNDS times, which is once. With DEVCONFIG_LAB_DOCUMENTS=DIR
the cases are played over usbip-host as well, and the section "usbtest" of DIR/conformance.md has both; what usbip-host
does is reported and demands nothing. It builds lab/tools/usbtest-run.c for the machines, with cc and libc6-dev.
"""

import os

from .. import documents, tools
from ..gadgets import SourceSink
from ..usbtest import CASES, RUNNER, attached_node, run
from . import agent
from .common import AGENT, detach_all, stock_exporter

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True
# Cases 11, 12 and 24 spin on a processor until another one has seen the unlinking through.
PROCESSORS = 2

# Seconds. All cases take half a minute on an idle machine; one that does not end costs all of it.
LIMIT = 150
STOCK_LIMIT = 75
# How often the cases are played over our exporter: unlinking is a race, and what passes once may have been lucky.
ROUNDS = int(os.environ.get("DEVCONFIG_LAB_ROUNDS", "1"))


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    gadget = SourceSink()
    with report.step("beta has the program that asks usbtest for its cases"):
        tools.install(beta, RUNNER)
    # "unlink retry" in a loop would spend the time on the emulated serial console.
    office.afterwards(beta, "dmesg -n 4")
    beta.run("dmesg -n 1")
    with report.step("alpha has a SourceSink gadget") as notes:
        gadget.plug(office, alpha)
        bus_id = alpha.bus_id(gadget)
        notes.append(f"bus id {bus_id}")
    agent.install(office, report)
    ours = over_our_exporter(alpha, beta, gadget, bus_id, report)
    if documents.are_wanted():
        stock = over_usbip_host(alpha, beta, gadget, bus_id, report)
        with report.step("the table of both is written") as notes:
            release = alpha.run("uname -r").strip()
            assert beta.run("uname -r").strip() == release, "the machines have different kernels"
            notes.append(str(documents.put("conformance.md", "Conformance", "usbtest",
                                           document(ours, stock, release))))
        if office.owned and not all_ended(stock):
            # The case that did not end holds beta's device, and nothing but the power switch ends it.
            office.power_off()


def over_our_exporter(alpha, beta, gadget, bus_id: str, report) -> list:
    here = {"host": "alpha", "busid": bus_id}
    agent.start_agent(report, alpha, beta)
    with report.step("beta attaches the gadget from our exporter and usbtest has it") as notes:
        identity = agent.wait_for_device(beta, **here, remote_state="AVAIL")["id"]
        agent.up(beta, identity)
        node = attached_node(beta, gadget)
        notes.append(node)
        # The kernel keeps 15 letters of a name.
        alpha.run("pgrep -x devconfig-sessi && ! grep -q ^usbip_host /proc/modules")
    for number in range(ROUNDS):
        with report.step(f"all {len(CASES)} cases of usbtest pass over our exporter, round {number + 1}") as notes:
            outcomes = run(beta, node, LIMIT)
            notes.append(summary(outcomes))
            failures = [str(outcome) for outcome in outcomes if not outcome.passed]
            assert not failures, "\n".join(failures + ["the kernel says:"] + complaints(beta))
    with report.step("beta gives it back"):
        agent.down(beta, identity)
        agent.wait_for_device(alpha, **here, remote_state="AVAIL", remote_user="NOBODY")
    return outcomes


def over_usbip_host(alpha, beta, gadget, bus_id: str, report) -> list:
    for machine in (alpha, beta):
        machine.run(f"systemctl stop {AGENT}")
    with stock_exporter(alpha, bus_id):
        with report.step("beta attaches the gadget from usbip-host and usbtest has it") as notes:
            beta.run(f"usbip attach --remote={alpha.address} --busid={bus_id}")
            node = attached_node(beta, gadget)
            notes.append(node)
        with report.step(f"the {len(CASES)} cases of usbtest are played over usbip-host") as notes:
            outcomes = run(beta, node, STOCK_LIMIT)
            notes.append(summary(outcomes))
        for outcome in outcomes:
            if not outcome.passed:
                report.say(f"       usbip-host: {outcome}")
        if all_ended(outcomes):
            with report.step("beta detaches it"):
                detach_all(beta)
                beta.wait_until(f"! [ -e {node} ]")
    return outcomes


def all_ended(outcomes: list) -> bool:
    return all(outcome.status is not None for outcome in outcomes)


def summary(outcomes: list) -> str:
    passed = sum(outcome.passed for outcome in outcomes)
    seconds = sum(outcome.milliseconds for outcome in outcomes) / 1000
    return f"{passed} passed in {seconds:.1f} s"


def complaints(machine) -> list:
    """What usbtest and vhci_hcd last said, once each: a loop repeats itself."""
    lines = machine.run("dmesg --notime | grep -E 'usbtest|vhci_hcd' | grep -v TEST | uniq | tail -n 15; true")
    return lines.splitlines()


def document(ours: list, stock: list, release: str) -> str:
    rows = []
    for case in sorted(CASES, key=lambda case: case.number):
        cells = [str(case.number), case.title, case.parameters()]
        for outcomes in (ours, stock):
            outcome = next(outcome for outcome in outcomes if outcome.case is case)
            cells += [outcome.verdict(), str(outcome.milliseconds)]
        rows.append("| " + " | ".join(cells) + " |")
    table = "\n".join(rows)
    return f"""The kernel's own test driver `usbtest` against a SourceSink gadget of the other machine: attached through
`vhci_hcd`, once from devconfig's exporter and once from the kernel's `usbip-host`, in one run of the lab on Linux
{release} with {PROCESSORS} emulated processors per machine. The gadget is a high-speed device on `dummy_hcd`. Rounds
over devconfig, all of which have to pass: {ROUNDS}; the table has the last one.

| case | what | how often, how much | devconfig | ms | usbip-host | ms |
|---:|---|---|---|---:|---|---:|
{table}

Times are of one run on emulated machines and no measure of speed. The cases left out need isochronous endpoints (15,
16, 22, 23), which `dummy_hcd` cannot run, or interrupt endpoints (25, 26), which the gadget does not have.

Written by `{documents.command("conformance")}`.
"""
