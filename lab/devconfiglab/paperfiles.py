# SPDX-License-Identifier: Apache-2.0
"""Figures 18 and 20: a file system on a disk, attached against local, and attached against delay."""

from .paperfit import middle
from .paperlab import OURS, STOCK, attached, set_round_trip
from .paperplot import COLOURS, Plot

ROUND_TRIPS = (0, 1, 2, 4, 8)
WORKS = ("write", "rewrite", "read")
LOCAL = "local"


class Files:
    """MiB/s, by exporter (or local), round trip and kind of work."""

    title = "files on a disk"

    def __init__(self, device, bus_id: str, short: bool):
        self.device = device
        self.bus_id = bus_id
        self.mebibytes = 1 if short else 8
        self.rates = {}
        self.pings = {}

    def measure(self, office, exporter: str) -> list:
        beta = office.beta
        with attached(office, exporter, self.device, self.bus_id):
            for round_trip in ROUND_TRIPS:
                self.pings.setdefault(round_trip, []).append(set_round_trip(office, round_trip))
                self.work(beta, exporter, round_trip)
            set_round_trip(office, 0)
        return []

    def measure_local(self, office) -> None:
        alpha = office.alpha
        alpha.run(f"mkfs.ext4 -q -F {alpha.disk_node(self.device)}", timeout=300)
        # The file of the disk on the host is empty at first; the second time is like all others.
        for _ in range(2):
            self.rates.pop((LOCAL, 0), None)
            self.work(alpha, LOCAL, 0)

    def work(self, machine, exporter: str, round_trip: float) -> None:
        machine.run(f"mkdir -p /mnt/paper && mount {machine.disk_node(self.device)} /mnt/paper", timeout=120)
        said = machine.run(f"paper-files /mnt/paper/file {self.mebibytes}", timeout=300)
        machine.run("umount /mnt/paper", timeout=120)
        for line in said.splitlines():
            name, nanoseconds = line.split()
            self.rates.setdefault((exporter, round_trip), {}).setdefault(name, []).append(
                self.mebibytes / (int(nanoseconds) / 1e9))

    def rate(self, exporter: str, round_trip: float, work: str) -> float:
        return middle(self.rates[exporter, round_trip][work])

    def draw(self, directory) -> None:
        bars = Plot("Sequential work on a file, no delay", "", "MiB/s")
        names = (LOCAL, OURS, STOCK)
        bars.bars([(work, [self.rate(name, 0, work) for name in names]) for work in WORKS], names)
        bars.write(directory / "paper-files.svg")
        delay = Plot("Sequential work on a file against the round trip", "RTT added (ms)", "MiB/s")
        for colour, work in zip(COLOURS, WORKS):
            for exporter in (OURS, STOCK):
                points = [(round_trip, self.rate(exporter, round_trip, work)) for round_trip in ROUND_TRIPS]
                delay.line(points, colour, dashed=exporter == STOCK)
                delay.points(points, colour, f"{work}, {exporter}", hollow=exporter == STOCK)
        delay.write(directory / "paper-files-delay.svg")

    def section(self) -> str:
        rows = []
        for round_trip in ROUND_TRIPS:
            cells = [f"{round_trip}", f"{middle(self.pings[round_trip]):.2f}"]
            for work in WORKS:
                ours, stock = self.rate(OURS, round_trip, work), self.rate(STOCK, round_trip, work)
                whole = self.rate(LOCAL, 0, work)
                cells += [f"{100 * ours / whole:.0f} %", f"{100 * stock / whole:.0f} %", f"{ours / stock:.2f}"]
            rows.append("| " + " | ".join(cells) + " |")
        table = "\n".join(rows)
        return f"""## Figures 18 and 20: files on a disk

ext4 on an emulated USB disk; a file of {self.mebibytes} MiB is written, rewritten (each block read, changed, written back) and read,
in blocks of 64 KiB, first on the machine the disk is plugged into, then attached. What was written is on the disk when the
time ends; nothing of it is in memory when the reading begins. The paper used Bonnie++; the program here does its three
block tests and no others. Shares are of the local rate, ratios are devconfig's rate by usbip-host's: above 1 devconfig is
faster.

| RTT set, ms | ping, ms | write, devconfig | usbip-host | ratio | rewrite, devconfig | usbip-host | ratio | read, devconfig | usbip-host | ratio |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
{table}

![Local against attached](figures/paper-files.svg)

![Attached against delay](figures/paper-files-delay.svg)
"""
