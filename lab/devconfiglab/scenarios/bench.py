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
    disk, gadget = NullDisk("null"), SourceSink()
    with report.step("alpha has a disk that takes everything, a gadget and what measures them"):
        tools.install(alpha, "urb-bench")
        office.afterwards(alpha, "rm -f /etc/modprobe.d/lab-bench.conf")
        alpha.run(f"{NO_DRIVERS}; modprobe -r uas usb_storage 2>/dev/null; modprobe vhci-hcd; modprobe usbip-host; "
                  f"modprobe dummy_hcd num={MANY}")
        alpha.plug(disk)
        gadget.plug(office, alpha)
        if "veth" in parts:
            office.afterwards(alpha, measure.REMOVE_VETH)
            alpha.run(measure.MAKE_VETH)
        office.afterwards(alpha, "systemctl stop stock-usbipd; modprobe -r usbip-host")
        alpha.run(f"systemd-run --quiet --unit=stock-usbipd usbipd --tcp-port {measure.STOCK_PORT}")
        alpha.wait_until(f"ss -ltn | grep -q :{measure.STOCK_PORT}")
    agent.install(office, report)
    agent.start_agent(report, alpha)
    started, load = time.strftime("%Y-%m-%d"), os.getloadavg()[0]
    for number in range(1, runs + 1):
        # The one that goes second finds the machine warmed up, so they take turns with that as well.
        for exporter in exporters if number % 2 else reversed(exporters):
            with report.step(f"run {number} of {runs}: {exporter.name}") as notes:
                notes += take(alpha, exporter, parts, disk, gadget, measures)
    if "many" in parts:
        many(alpha, office, report, runs, exporters, measures)
    names = [exporter.name for exporter in exporters]
    report.say(table(list(measures.values()), names))
    directory = os.environ.get("DEVCONFIG_LAB_DOCUMENTS")
    if directory:
        path = Path(directory) / "benchmarks.md"
        with report.step(f"the table goes to {path}"):
            path.write_text(document(measures, names, runs, alpha.run("uname -r").strip(), started, load))


def take(alpha, exporter, parts: list, disk, gadget, measures: dict) -> list:
    notes = []

    def add(value: float, *key, higher: bool = True, digits: int = 1) -> None:
        if key[0] not in measures:
            measures[key[0]] = Measure(*key, higher=higher, digits=digits)
        measures[key[0]].add(exporter, value)
        notes.append(f"{key[0]} {value:.{digits}f}")

    for part, device, kind, address in (("disk", disk, "disk", LOOPBACK), ("veth", disk, "disk", VETH),
                                        ("gadget", gadget, "plain", LOOPBACK)):
        if part not in parts:
            continue
        where = {"disk": "xHCI", "veth": "xHCI over veth", "gadget": "gadget"}[part]
        with attached(alpha, exporter, [alpha.bus_id(device)], device, address) as nodes:
            node = nodes[0]
            if part == "disk" and isinstance(exporter, measure.Devconfig):
                add(measure.idle_memory(alpha), "idle session, RssAnon", "MiB", 4, higher=False, digits=2)
            for depth, must in ((1, 1.0), (8, 1.1)):
                for direction in ("in", "out"):
                    rate, processor = measure.stream(alpha, exporter, node, kind, direction, depth, MILLISECONDS)
                    name = f"bulk {direction.upper()}, 128 KiB, depth {depth}, {where}"
                    add(rate, name, "MiB/s", must)
                    if part == "disk":
                        add(processor, f"exporter CPU, {name}", "µs/MiB", 1.0, higher=False, digits=0)
            if part == "gadget":
                continue
            for direction in ("in", "out"):
                median, slow = measure.latencies(alpha, node, kind, direction)
                add(median, f"64 bytes {direction.upper()}, p50, {where}", "µs", 1.0, higher=False, digits=0)
                add(slow, f"64 bytes {direction.upper()}, p99, {where}", "µs", 1.2, higher=False, digits=0)
    if "import" in parts:
        bus_id = alpha.bus_id(disk)
        exporter.offer(alpha, [bus_id])
        add(measure.imports(alpha, exporter, bus_id, 15), "accept to import reply, p50", "ms", 2.0, higher=False)
        exporter.withdraw(alpha, [bus_id])
    return notes


def many(alpha, office, report, runs: int, exporters: list, measures: dict) -> None:
    gadget = SourceSink()
    with report.step(f"alpha has {MANY} gadgets") as notes:
        for number in range(1, MANY):
            SourceSink(number).plug(office, alpha)
        bus_ids = alpha.wait_until(
            f'n=0; for d in /sys/bus/usb/devices/*; do [ "$(cat $d/idVendor 2>/dev/null)" = {gadget.vendor_id} ] && '
            f'[ "$(cat $d/idProduct)" = {gadget.product_id} ] && n=$((n + 1)) && basename $d; done; '
            f"[ $n = {MANY} ]").split()
        notes.append(" ".join(bus_ids))
    for number in range(1, runs + 1):
        for exporter in exporters if number % 2 else reversed(exporters):
            with report.step(f"run {number} of {runs}: {MANY} devices at once, {exporter.name}") as notes:
                with attached(alpha, exporter, bus_ids, gadget) as nodes:
                    for direction in ("in", "out"):
                        rate = measure.streams(alpha, nodes, direction, 2, 2 * MILLISECONDS)
                        name = f"{MANY} devices at once, bulk {direction.upper()}, 128 KiB, depth 2, gadgets"
                        measures.setdefault(name, Measure(name, "MiB/s", 1.1)).add(exporter, rate)
                        notes.append(f"{direction} {rate:.1f} MiB/s")


class attached:
    """Devices of one kind, attached from an exporter and given back afterwards."""

    def __init__(self, machine, exporter, bus_ids: list, device, address: str = LOOPBACK):
        self.machine, self.exporter, self.bus_ids, self.device, self.address = (
            machine, exporter, bus_ids, device, address)

    def __enter__(self) -> list:
        self.exporter.offer(self.machine, self.bus_ids)
        return measure.attach(self.machine, self.exporter, self.bus_ids, self.device, self.address)

    def __exit__(self, *failure) -> None:
        measure.detach(self.machine)
        self.exporter.withdraw(self.machine, self.bus_ids)


def document(measures: dict, names: list, runs: int, release: str, day: str, load: float) -> str:
    rows = sorted(measures.values(), key=lambda measure: measure.name.startswith("exporter CPU"))
    return f"""# Benchmarks

Our exporter and the kernel's `usbip-host`, {runs} runs each in turns, in one run of the lab on one emulated machine with
{PROCESSORS} processors and Linux {release}, {day}; load of the host at the start {load:.1f}. The importer is `vhci_hcd` with the
stock client on the same machine, over loopback TCP or a pair of veth adapters; the load is made by
`lab/tools/urb-bench.c` through usbfs. Medians, with the least and the greatest in brackets; the ratio is of the medians, with
the least and the greatest of the runs' pairs.

{table(rows, names)}

* **xHCI** is an emulated SuperSpeed disk that takes everything at once: the data phases of 16 MiB READ(10) and
  WRITE(10). **gadget** is the kernel's SourceSink on `dummy_hcd`, which moves data in steps of its timer.
* **exporter CPU** is the run time of our session's threads, or of the kernel's `stub_rx` and `stub_tx`, for each MiB.
* **accept to import reply** begins before the importer's connect and ends with the last byte of the reply; the exporter
  forks (`usbipd`) or starts a session meanwhile.

Emulated figures are ratios within one run and nothing else: an emulated processor makes computing dear and devices cheap.

Written by `{COMMAND}`.
"""
