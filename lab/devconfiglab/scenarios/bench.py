# SPDX-License-Identifier: Apache-2.0
"""Speed: our exporter and stock usbip-host in turns, on one machine with one kernel.

DEVCONFIG_BENCH_RUNS is the number of turns (7), DEVCONFIG_BENCH_PARTS chooses among disk, veth, gadget, many and
import (all). DEVCONFIG_BENCH_SESSIONS="NAME=PATH …"
measures these session programs in place of the installed one. With DEVCONFIG_LAB_DOCUMENTS=DIR the table goes to DIR/benchmarks.md. A bound that is missed is said in
the table and is no failure: figures of an emulated machine are for people to judge.
"""

import os
import time
from pathlib import Path

from .. import measure, tools
from ..devices import NullDisk
from ..figures import Measure, table
from ..gadgets import SourceSink
from ..measure import LOOPBACK, VETH
from . import agent

MACHINES = ("alpha",)
NEEDS_STAGE = True
PROCESSORS = 2
# It measures; a machine that does other things meanwhile makes its figures worthless.
IN_ALL = False

PARTS = ("disk", "veth", "gadget", "many", "import")
MILLISECONDS = 1000
MANY = 16
COMMAND = "./dev bench"
# The drivers of disks would be in the way on both sides.
NO_DRIVERS = "printf 'install usb_storage /bin/false\\ninstall uas /bin/false\\n' > /etc/modprobe.d/lab-bench.conf"


def play(office, report) -> None:
    alpha = office.alpha
    runs = int(os.environ.get("DEVCONFIG_BENCH_RUNS", "7"))
    parts = os.environ.get("DEVCONFIG_BENCH_PARTS", " ".join(PARTS)).split()
    exporters, measures = measure.exporters(), {}
    # One of each kind for each exporter, and in the next run another one: nobody has the better device.
    disks = [NullDisk(f"null{number}") for number in range(len(exporters))]
    gadgets = [SourceSink(number) for number in range(len(exporters))]
    with report.step("alpha has disks that take everything, gadgets and what measures them"):
        tools.install(alpha, "urb-bench")
        office.afterwards(alpha, "rm -f /etc/modprobe.d/lab-bench.conf")
        alpha.run(f"{NO_DRIVERS}; modprobe -r uas usb_storage 2>/dev/null; modprobe vhci-hcd; modprobe usbip-host; "
                  f"modprobe dummy_hcd num={MANY * len(exporters)}")
        for device in disks:
            alpha.plug(device)
        for gadget in gadgets:
            gadget.plug(office, alpha)
        if "veth" in parts:
            office.afterwards(alpha, measure.REMOVE_VETH)
            alpha.run(measure.MAKE_VETH)
        office.afterwards(alpha, "systemctl stop stock-usbipd; modprobe -r usbip-host")
        alpha.run(f"systemd-run --quiet --unit=stock-usbipd usbipd --tcp-port {measure.STOCK_PORT}")
        alpha.wait_until(f"ss -ltn | grep -q :{measure.STOCK_PORT}")
        disk_ids = [alpha.bus_id(device) for device in disks]
        gadget_ids = measure.bus_ids(alpha, gadgets[0], len(gadgets))
    agent.install(office, report)
    agent.start_agent(report, alpha)
    started, load = time.strftime("%Y-%m-%d"), os.getloadavg()[0]
    for number in range(1, runs + 1):
        for part in parts:
            if part == "many":
                continue
            with report.step(f"run {number} of {runs}: {part}") as notes:
                bus_ids = rotated(gadget_ids if part == "gadget" else disk_ids, number)
                turn = Turn(alpha, dict(zip(exporters, bus_ids)), number, measures, notes)
                if part == "import":
                    imports(turn)
                else:
                    transfers(turn, part, gadgets[0] if part == "gadget" else disks[0])
    if "many" in parts:
        many(alpha, office, report, runs, exporters, measures)
    names = [exporter.name for exporter in exporters]
    report.say(table(list(measures.values()), names))
    directory = os.environ.get("DEVCONFIG_LAB_DOCUMENTS")
    if directory:
        path = Path(directory) / "benchmarks.md"
        with report.step(f"the table goes to {path}"):
            path.write_text(document(measures, names, runs, alpha.run("uname -r").strip(), started, load))


def rotated(values: list, count: int) -> list:
    return values[count % len(values):] + values[:count % len(values)]


class Turn:
    """One run of one part: who has which device, and where the figures go."""

    def __init__(self, machine, bus_ids: dict, number: int, measures: dict, notes: list):
        self.machine, self.bus_ids, self.number, self.measures, self.notes = machine, bus_ids, number, measures, notes

    def exporters(self) -> list:
        """In the order of this run: who goes second finds the machine warmed up."""
        return list(self.bus_ids) if self.number % 2 else list(reversed(self.bus_ids))

    def add(self, exporter, value: float, *key, higher: bool = True, digits: int = 1) -> None:
        if key[0] not in self.measures:
            self.measures[key[0]] = Measure(*key, higher=higher, digits=digits)
        self.measures[key[0]].add(exporter, value)
        self.notes.append(f"{exporter.name}: {key[0]} {value:.{digits}f}")


def transfers(turn: Turn, part: str, device) -> None:
    """All exporters have a device attached; each figure is taken of one after the other, so that a machine whose speed
    changes meanwhile is as slow for all of them."""
    alpha = turn.machine
    kind = "plain" if part == "gadget" else "disk"
    address = VETH if part == "veth" else LOOPBACK
    where = {"disk": "xHCI", "veth": "xHCI over veth", "gadget": "gadget"}[part]
    nodes = {}
    for exporter, bus_id in turn.bus_ids.items():
        exporter.offer(alpha, [bus_id])
        nodes[exporter] = measure.attach(alpha, exporter, [bus_id], device, address)[0]
        if part == "disk" and isinstance(exporter, measure.Devconfig):
            turn.add(exporter, measure.idle_memory(alpha), "idle session, RssAnon", "MiB", 4, higher=False, digits=2)
    for depth, must in ((1, 1.0), (8, 1.1)):
        for direction in ("in", "out"):
            name = f"bulk {direction.upper()}, 128 KiB, depth {depth}, {where}"
            for exporter in turn.exporters():
                rate, processor = measure.stream(
                    alpha, exporter, nodes[exporter], kind, direction, depth, MILLISECONDS)
                turn.add(exporter, rate, name, "MiB/s", must)
                turn.add(exporter, processor, f"exporter CPU, {name}", "µs/MiB", 1.0, higher=False, digits=0)
    for direction in ("in", "out") if part != "gadget" else ():
        for exporter in turn.exporters():
            median, slow = measure.latencies(alpha, nodes[exporter], kind, direction)
            turn.add(exporter, median, f"64 bytes {direction.upper()}, p50, {where}", "µs", 1.0, higher=False, digits=0)
            turn.add(exporter, slow, f"64 bytes {direction.upper()}, p99, {where}", "µs", 1.2, higher=False, digits=0)
    measure.detach(alpha)
    for exporter, bus_id in turn.bus_ids.items():
        exporter.withdraw(alpha, [bus_id])


def imports(turn: Turn) -> None:
    for exporter, bus_id in turn.bus_ids.items():
        exporter.offer(turn.machine, [bus_id])
    for exporter in turn.exporters():
        time_taken = measure.imports(turn.machine, exporter, turn.bus_ids[exporter], 15)
        turn.add(exporter, time_taken, "accept to import reply, p50", "ms", 2.0, higher=False)
    for exporter, bus_id in turn.bus_ids.items():
        exporter.withdraw(turn.machine, [bus_id])


def many(alpha, office, report, runs: int, exporters: list, measures: dict) -> None:
    gadget = SourceSink()
    wanted = MANY * len(exporters)
    with report.step(f"alpha has {wanted} gadgets, {MANY} of them for each exporter"):
        for number in range(len(exporters), wanted):
            SourceSink(number).plug(office, alpha)
        bus_ids = measure.bus_ids(alpha, gadget, wanted)
    nodes = {}
    for index, exporter in enumerate(exporters):
        with report.step(f"{MANY} devices are attached from {exporter.name}"):
            own = bus_ids[index * MANY:(index + 1) * MANY]
            exporter.offer(alpha, own)
            nodes[exporter] = measure.attach(alpha, exporter, own, gadget)
    for number in range(1, runs + 1):
        with report.step(f"run {number} of {runs}: {MANY} devices at once") as notes:
            turn = Turn(alpha, nodes, number, measures, notes)
            for direction in ("in", "out"):
                for exporter in turn.exporters():
                    rate, processor = measure.streams(
                        alpha, exporter, nodes[exporter], direction, 2, 2 * MILLISECONDS)
                    name = f"{MANY} devices at once, bulk {direction.upper()}, 128 KiB, depth 2, gadgets"
                    turn.add(exporter, rate, name, "MiB/s", 1.1)
                    turn.add(exporter, processor, f"exporter CPU, {name}", "µs/MiB", 1.0, higher=False, digits=0)
    measure.detach(alpha)


def document(measures: dict, names: list, runs: int, release: str, day: str, load: float) -> str:
    rows = sorted(measures.values(), key=lambda measure: measure.name.startswith("exporter CPU"))
    return f"""# Benchmarks

Our exporter and the kernel's `usbip-host`, {runs} runs each, in one run of the lab on one emulated machine with
{PROCESSORS} processors and Linux {release}, {day}; load of the host at the start {load:.1f}. The importer is `vhci_hcd` with the
stock client on the same machine, over loopback TCP or a pair of veth adapters; the load is made by
`lab/tools/urb-bench.c` through usbfs. Both exporters have a device of their own attached, in each run another one, and
each figure is taken of one and then of the other, in each run in the other order. Medians, with the least and the
greatest in brackets; the ratio is of the medians, with the least and the greatest of the runs' pairs.

{table(rows, names)}

* **xHCI** is an emulated SuperSpeed disk that takes everything at once: the data phases of 16 MiB READ(10) and
  WRITE(10). **gadget** is the kernel's SourceSink on `dummy_hcd`, which moves data in steps of its timer.
* **exporter CPU** is the run time of our session's threads, or of the kernel's `stub_rx` and `stub_tx`, for each MiB.
* **accept to import reply** begins before the importer's connect and ends with the last byte of the reply; the exporter
  forks (`usbipd`) or starts a session meanwhile.

Emulated figures are ratios within one run and nothing else: an emulated processor makes computing dear and devices cheap.

Written by `{COMMAND}`.
"""
