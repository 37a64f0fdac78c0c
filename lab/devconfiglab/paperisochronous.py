# SPDX-License-Identifier: Apache-2.0
"""Figures 13 to 15: the intervals at which isochronous URBs complete, by queue depth; and equation 2."""

import statistics

from .paperfit import deviation, middle, needed_depth
from .paperlab import OURS, STOCK, attached, local, set_round_trip
from .paperplot import COLOURS, Plot

# Milliseconds, which are packets of an URB. The paper has 1 ms, and round trips of 0 to 8 ms; an emulated machine does
# not keep a millisecond, and the equation knows only the ratio of the two, so both are eight times as long here.
INTERVAL = 8
ROUND_TRIPS = (0, 8, 16, 32, 64)
DEPTHS = (1, 2, 3, 4, 6, 8, 10, 12)
# The case of Figure 14: the longest round trip, and the first depth here that satisfies equation 2.
SERIES = (64, 10)
# A mean interval up to this much longer than INTERVAL counts as "no gap".
TOLERANCE = 0.05


class Isochronous:
    """Intervals in milliseconds between completions, by exporter, round trip and depth."""

    title = "isochronous URBs"

    def __init__(self, device, bus_id: str, short: bool):
        self.device = device
        self.bus_id = bus_id
        self.short = short
        self.steady = {}
        self.series = {}
        self.failed = {OURS: 0, STOCK: 0}
        self.packets = {OURS: 0, STOCK: 0}
        self.pings = {}
        self.direct = {}

    def measure(self, office, exporter: str) -> list:
        with attached(office, exporter, self.device, self.bus_id) as node:
            for round_trip in ROUND_TRIPS:
                self.pings.setdefault(round_trip, []).append(set_round_trip(office, round_trip))
                for depth in DEPTHS:
                    self.play(office.beta, node, exporter, round_trip, depth)
            set_round_trip(office, 0)
        return [f"{self.failed[exporter]} of {self.packets[exporter]} packets failed"]

    def play(self, machine, node: str, exporter: str, round_trip: float, depth: int) -> None:
        times, failed = queue(machine, node, depth, self.urbs(depth))
        intervals = [after - before for before, after in zip(times, times[1:])]
        self.failed[exporter] += failed
        self.packets[exporter] += INTERVAL * len(times)
        # Until every place of the queue was used once, the source of the intervals is how it was filled.
        self.steady.setdefault((exporter, round_trip, depth), []).extend(intervals[2 * depth:])
        self.series[exporter, round_trip, depth] = intervals

    def measure_local(self, office) -> None:
        with local(office, self.device) as node:
            for depth in DEPTHS[:3]:
                times, _ = queue(office.alpha, node, depth, self.urbs(depth))
                self.direct[depth] = [after - before for before, after in zip(times, times[1:])][2 * depth:]

    def urbs(self, depth: int) -> int:
        return (10 if self.short else 40) + 2 * depth

    def mean(self, exporter: str, round_trip: float, depth: int) -> float:
        return statistics.fmean(self.steady[exporter, round_trip, depth])

    def found_depth(self, exporter: str, round_trip: float) -> str:
        """The smallest depth tried from which on the mean interval is as long as an URB."""
        good = None
        for depth in reversed(DEPTHS):
            if self.mean(exporter, round_trip, depth) > INTERVAL * (1 + TOLERANCE):
                break
            good = depth
        return str(good) if good else "none"

    def draw(self, directory) -> None:
        mean = Plot("Mean interval of isochronous completions", "queue depth (URBs)", "mean interval (ms)")
        spread = Plot("Standard deviation of the intervals", "queue depth (URBs)", "standard deviation (ms)")
        for colour, round_trip in zip(COLOURS, ROUND_TRIPS):
            for exporter in (OURS, STOCK):
                hollow = exporter == STOCK
                name = f"RTT {round_trip} ms, {exporter}" if exporter == OURS else exporter
                for plot, figure in ((mean, statistics.fmean), (spread, deviation)):
                    points = [(depth, figure(self.steady[exporter, round_trip, depth])) for depth in DEPTHS]
                    plot.line(points, colour, dashed=hollow)
                    plot.points(points, colour, name, hollow=hollow)
        mean.write(directory / "paper-isochronous-mean.svg")
        spread.write(directory / "paper-isochronous-deviation.svg")
        round_trip, depth = SERIES
        series = Plot(f"Intervals of completions, RTT {round_trip} ms, {depth} URBs queued", "completion",
                      "interval (ms)")
        for colour, exporter in zip(COLOURS, (OURS, STOCK)):
            points = list(enumerate(self.series[exporter, round_trip, depth], 1))
            series.line(points, colour)
            series.points(points, colour, exporter, hollow=exporter == STOCK)
        series.write(directory / "paper-isochronous-series.svg")

    def section(self) -> str:
        rows = []
        for round_trip in ROUND_TRIPS:
            ping = middle(self.pings[round_trip])
            cells = [f"{round_trip}", f"{ping:.1f}", f"{needed_depth(ping, INTERVAL)}"]
            cells += [self.found_depth(exporter, round_trip) for exporter in (OURS, STOCK)]
            cells += [f"{self.mean(exporter, round_trip, 1):.1f}" for exporter in (OURS, STOCK)]
            cells += [f"{self.mean(exporter, round_trip, DEPTHS[-1]):.2f}" for exporter in (OURS, STOCK)]
            rows.append("| " + " | ".join(cells) + " |")
        table = "\n".join(rows)
        direct = ", ".join(f"{statistics.fmean(intervals):.2f} ms with {depth}" for depth, intervals in
                           self.direct.items())
        failed = ", ".join(f"{self.failed[name]} of {self.packets[name]} over {name}" for name in (OURS, STOCK))
        return f"""## Figures 13 to 15: isochronous URBs

Beta keeps a queue of URBs of {INTERVAL} packets, one packet a millisecond, on an emulated USB loudspeaker: without a gap
one completes every {INTERVAL} ms. The paper's URBs were of 1 ms and its round trips of 0 to 8 ms; here both are eight times as
long, because an emulated machine does not keep a millisecond. The emulated controller has no isochronous source, so
this is a sink where the paper's was a source.

Equation 2 says: no gap if and only if the depth q > RTT / x + 1, with x the time of one URB. "Found" is the smallest depth
tried ({", ".join(str(depth) for depth in DEPTHS)}) from which on the mean interval was at most {100 * TOLERANCE:.0f} % over {INTERVAL} ms.

| RTT set, ms | ping, ms | q by equation 2 | found, devconfig | found, usbip-host | mean at q = 1, devconfig | usbip-host | mean at q = {DEPTHS[-1]}, devconfig | usbip-host |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|
{table}

Not attached: {direct} queued. Packets that failed: {failed}.

![Mean intervals against queue depth](figures/paper-isochronous-mean.svg)

![One series of intervals](figures/paper-isochronous-series.svg)

![Standard deviation against queue depth](figures/paper-isochronous-deviation.svg)
"""


def queue(machine, node: str, depth: int, urbs: int) -> tuple:
    """The times in milliseconds at which the URBs completed, and how many of their packets failed."""
    lines = machine.run(f"paper-isochronous {node} {depth} {INTERVAL} {urbs}", timeout=120).splitlines()
    pairs = [[int(word) for word in line.split()] for line in lines]
    return [nanoseconds / 1e6 for nanoseconds, _ in pairs], sum(failed for _, failed in pairs)
