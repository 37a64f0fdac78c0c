# SPDX-License-Identifier: Apache-2.0
"""Figures taken in turns of two exporters, and the table of their medians, spreads and ratios."""

import statistics


class Measure:
    """One row. `higher` says whether more is better; `must` is the bound of ours divided by the other's, or of ours
    alone where the other has no such figure."""

    def __init__(self, name: str, unit: str, must: float, higher: bool = True, digits: int = 1):
        self.name = name
        self.unit = unit
        self.must = must
        self.higher = higher
        self.digits = digits
        # By exporter, in the order of the runs.
        self.taken = {}

    def add(self, exporter, value: float) -> None:
        self.taken.setdefault(exporter.name, []).append(value)

    def median(self, name: str) -> float:
        return statistics.median(self.taken[name])

    def result(self) -> float:
        """Ours divided by the other's; ours where there is no other."""
        return self.against(next(iter(self.taken)))

    def against(self, name: str) -> float:
        *_, other = self.taken
        return self.median(name) / self.median(other) if len(self.taken) > 1 else self.median(name)

    def holds(self) -> bool:
        return self.result() >= self.must if self.higher else self.result() <= self.must

    def bound(self) -> str:
        sign = "≥" if self.higher else "≤"
        return f"{sign} {self.must:g}×" if len(self.taken) > 1 else f"{sign} {self.must:g} {self.unit}"

    def spread(self, name: str) -> str:
        if name not in self.taken:
            return ""
        values = self.taken[name]
        low, middle, high = (f"{value:.{self.digits}f}" for value in (min(values), self.median(name), max(values)))
        return f"{middle} ({low}–{high})"

    def ratios(self) -> str:
        """The ratio of the medians, and the smallest and the greatest ratio of two runs that followed each other."""
        if len(self.taken) < 2:
            return ""
        *ours, other = self.taken
        shown = []
        for name in ours:
            pairs = [first / second for first, second in zip(self.taken[name], self.taken[other])]
            shown.append(f"**{self.against(name):.2f}×** ({min(pairs):.2f}–{max(pairs):.2f})")
        return ", ".join(shown)

    def row(self, names: list) -> str:
        cells = [self.name, self.unit, *(self.spread(name) for name in names), self.ratios(), self.bound(),
                 "yes" if self.holds() else "**no**"]
        return f"| {' | '.join(cells)} |"


def table(measures: list, names: list) -> str:
    head = ["measure", "unit", *names, "ratio", "must", "met"]
    rule = ["---", "---", *("---:" for _ in names), "---:", "---", "---"]
    return "\n".join([f"| {' | '.join(head)} |", f"|{'|'.join(rule)}|", *(measure.row(names) for measure in measures)])
