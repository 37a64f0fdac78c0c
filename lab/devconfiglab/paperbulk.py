# SPDX-License-Identifier: Apache-2.0
"""Figures 9 to 11: how long one bulk URB takes, by its size and the round trip; and equation 1."""

from .paperfit import least_squares, middle
from .paperlab import OURS, STOCK, attached, local, set_round_trip
from .paperplot import COLOURS, Plot

ROUND_TRIPS = (0, 1, 2, 4, 8)
KIB = (1, 4, 16, 32, 64, 96, 128, 192, 256)


class Bulk:
    """Times in milliseconds of single URBs, by exporter, round trip and size in KiB."""

    title = "one bulk URB at a time"

    def __init__(self, device, bus_id: str, short: bool):
        self.device = device
        self.bus_id = bus_id
        self.repetitions = 3 if short else 15
        self.times = {}
        self.pings = {}
        self.direct = {}

    def measure(self, office, exporter: str) -> list:
        with attached(office, exporter, self.device, self.bus_id) as node:
            for round_trip in ROUND_TRIPS:
                self.pings.setdefault(round_trip, []).append(set_round_trip(office, round_trip))
                read(office.beta, node, self.repetitions, self.times.setdefault((exporter, round_trip), {}))
            set_round_trip(office, 0)
        return []

    def measure_local(self, office) -> None:
        with local(office, self.device) as node:
            read(office.alpha, node, self.repetitions, self.direct)

    def curve(self, exporter: str, round_trip: float) -> list:
        """Pairs of size and the median of the times."""
        return [(size, middle(times)) for size, times in sorted(self.times[exporter, round_trip].items())]

    def fit(self, exporter: str, round_trip: float):
        return least_squares(self.curve(exporter, round_trip))

    def draw(self, directory) -> None:
        time = Plot("Execution time of one bulk URB", "URB size (KiB)", "execution time (ms)")
        throughput = Plot("Throughput with one bulk URB at a time", "URB size (KiB)", "throughput (MiB/s)")
        for colour, round_trip in zip(COLOURS, ROUND_TRIPS):
            line, points = self.fit(OURS, round_trip), self.curve(OURS, round_trip)
            stock = self.curve(STOCK, round_trip)
            time.line([(0, max(0, line(0))), (KIB[-1], line(KIB[-1]))], colour, f"RTT {round_trip} ms, equation 1")
            time.points(points, colour, "devconfig")
            time.points(stock, colour, "usbip-host", hollow=True)
            sizes = [size for size in range(1, KIB[-1] + 1) if line(size) > 0]
            throughput.line([(size, size / 1.024 / line(size)) for size in sizes], colour,
                            f"RTT {round_trip} ms, equation 1")
            throughput.points([(size, size / 1.024 / taken) for size, taken in points], colour, "devconfig")
            throughput.points([(size, size / 1.024 / taken) for size, taken in stock], colour, "usbip-host", hollow=True)
        direct = [(size, middle(times)) for size, times in sorted(self.direct.items())]
        time.line(direct, COLOURS[-1], "not attached", dashed=True)
        time.write(directory / "paper-bulk-time.svg")
        throughput.y_limit = 1.1 * max(size / 1.024 / taken for name in (OURS, STOCK) for round_trip in ROUND_TRIPS
                                       for size, taken in self.curve(name, round_trip))
        throughput.write(directory / "paper-bulk-throughput.svg")

    def section(self) -> str:
        rows = []
        for round_trip in ROUND_TRIPS:
            ours, stock = self.fit(OURS, round_trip), self.fit(STOCK, round_trip)
            rows.append(
                f"| {round_trip} | {middle(self.pings[round_trip]):.2f} | {ours.slope:.4f} | {ours.intercept:.2f} | "
                f"{ours.determination:.3f} | {stock.slope:.4f} | {stock.intercept:.2f} | {stock.determination:.3f} | "
                f"{ours.slope / stock.slope:.2f} | {ours.intercept / stock.intercept:.2f} |")
        base = self.fit(OURS, 0).intercept
        stock_base = self.fit(STOCK, 0).intercept
        direct = least_squares([(size, middle(times)) for size, times in self.direct.items()])
        grown = ", ".join(
            f"{self.fit(OURS, round_trip).intercept - base:.2f} and "
            f"{self.fit(STOCK, round_trip).intercept - stock_base:.2f} ms at {round_trip} ms"
            for round_trip in ROUND_TRIPS[1:])
        samples = len(next(iter(self.times[OURS, 0].values())))
        table = "\n".join(rows)
        return f"""## Figures 9 to 11: one bulk URB at a time

A disk without a medium is the source. Beta asks it for {KIB[0]} to {KIB[-1]} KiB and times the one URB that fetches them, from
its submission until usbfs returns it; nothing else is queued. Each point is the median of {samples} URBs.

Equation 1 says that the time is a × size + RTT, with the same a at every round trip. Least squares over the points:

| RTT set, ms | ping, ms | devconfig a, ms/KiB | intercept, ms | R² | usbip-host a, ms/KiB | intercept, ms | R² | ratio of a | ratio of intercepts |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
{table}

Ratios are devconfig's figure by usbip-host's: below 1 devconfig is faster. Over the intercept without delay the
intercepts grew by {grown} (devconfig and usbip-host); the equation says: by the round trip.
Not attached, on the machine it is plugged into, the same URBs take {direct.slope:.4f} ms/KiB and {direct.intercept:.2f} ms.

![Execution time against URB size](figures/paper-bulk-time.svg)

![Throughput against URB size](figures/paper-bulk-throughput.svg)

Lines are equation 1 with devconfig's fit (Figure 10), points are measured (Figure 11).
"""


def read(machine, node: str, repetitions: int, times: dict) -> None:
    """Add the times of this many URBs of each size, in milliseconds, to what is there."""
    sizes = " ".join(str(kib << 10) for kib in KIB)
    for line in machine.run(f"paper-bulk {node} {repetitions} {sizes}", timeout=120).splitlines():
        size, nanoseconds = (int(word) for word in line.split())
        times.setdefault(size >> 10, []).append(nanoseconds / 1e6)
