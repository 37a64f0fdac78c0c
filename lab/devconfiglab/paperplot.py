# SPDX-License-Identifier: Apache-2.0
"""Plots as SVG text: axes with units, lines, points, bars, a legend. Numbers in, a file out."""

import math
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 40, 60
FONT = "font-family=\"sans-serif\""
# Told apart by people who do not see all colours too: Okabe and Ito's palette without its yellow.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")


class Plot:
    """One picture. Add what is to be seen in any order; the axes fit it, and begin at zero."""

    def __init__(self, title: str, x_label: str, y_label: str):
        self.title = title
        self.x_label = x_label
        self.y_label = y_label
        self.x_limit = None
        self.y_limit = None
        self._marks = []
        self._legend = []
        self._groups = []
        self._xs = []
        self._ys = []

    def line(self, points: list, colour: str, name: str = None, dashed: bool = False) -> None:
        """A line through pairs of x and y."""
        self._see(points)
        self._marks.append(("line", points, colour, dashed))
        self._name(name, "line", colour, dashed)

    def points(self, points: list, colour: str, name: str = None, hollow: bool = False) -> None:
        """A dot for each pair of x and y."""
        self._see(points)
        self._marks.append(("points", points, colour, hollow))
        self._name(name, "points", colour, hollow)

    def bars(self, groups: list, names: list) -> None:
        """Groups of bars side by side: pairs of what stands below a group and its values, one for each name."""
        self._groups = [group for group, _ in groups]
        step = 0.8 / len(names)
        for index, name in enumerate(names):
            tops = [(group + 0.5 - 0.4 + (index + 0.5) * step, values[index])
                    for group, (_, values) in enumerate(groups)]
            self._see(tops)
            self._marks.append(("bars", tops, COLOURS[index], step * 0.9))
            self._name(name, "bars", COLOURS[index], False)
        self._xs.append(len(groups))

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.text())

    def text(self) -> str:
        x_end, x_ticks = scale(max(self._xs), self.x_limit)
        y_end, y_ticks = scale(max(self._ys) * 1.02, self.y_limit)
        if self._groups:
            x_end, x_ticks = len(self._groups), []

        def place(point) -> tuple:
            x, y = point
            return (LEFT + (WIDTH - LEFT - RIGHT) * x / x_end, HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y / y_end)

        parts = [
            "<!-- SPDX-License-Identifier: Apache-2.0 -->",
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
            f'height="{HEIGHT}" role="img">',
            f"<title>{escape(self.title)}</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            "<clipPath id=\"inside\">"
            f'<rect x="{LEFT}" y="{TOP - 5}" width="{WIDTH - LEFT - RIGHT + 5}" height="{HEIGHT - TOP - BOTTOM + 10}"/>'
            "</clipPath>",
            text(WIDTH / 2, 22, self.title, size=15, bold=True),
        ]
        for tick in x_ticks:
            x, y = place((tick, 0))
            parts += [f'<path d="M{x:.1f} {TOP}V{y:.1f}" stroke="#ddd"/>', text(x, y + 18, number(tick))]
        for index, group in enumerate(self._groups):
            x, y = place((index + 0.5, 0))
            parts.append(text(x, y + 18, group))
        for tick in y_ticks:
            x, y = place((0, tick))
            parts += [f'<path d="M{x:.1f} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>',
                      text(x - 8, y + 4, number(tick), anchor="end")]
        parts += [
            f'<path d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}" fill="none" stroke="black"/>',
            text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 18, self.x_label),
            f'<g transform="translate(20 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)">{text(0, 0, self.y_label)}</g>',
            '<g clip-path="url(#inside)">',
        ]
        for kind, points, colour, extra in self._marks:
            parts += drawn(kind, [place(point) for point in points], colour, extra, place)
        parts.append("</g>")
        for row, (name, kind, colour, extra) in enumerate(self._legend):
            x, y = WIDTH - RIGHT + 16, TOP + 10 + 19 * row
            parts += [sign(kind, x, y, colour, extra), text(x + 32, y + 4, name, anchor="start")]
        return "\n".join([*parts, "</svg>", ""])

    def _see(self, points: list) -> None:
        self._xs += [x for x, _ in points]
        self._ys += [y for _, y in points]

    def _name(self, name: str, *entry) -> None:
        if name:
            self._legend.append((name, *entry))


def scale(largest: float, limit: float = None) -> tuple:
    """Where an axis from zero ends, and its ticks: four to nine round numbers."""
    wanted = limit or largest or 1
    power = 10 ** math.floor(math.log10(wanted / 4))
    step = next(factor * power for factor in (1, 2, 5, 10) if wanted / (factor * power) < 9)
    count = math.ceil(wanted / step - 1e-9)
    return limit or step * count, [step * index for index in range(count + 1) if not limit or step * index <= limit]


def number(value: float) -> str:
    return f"{value:.6g}"


def text(x: float, y: float, content: str, size: int = 12, anchor: str = "middle", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" {FONT} font-size="{size}"{weight} text-anchor="{anchor}">' \
           f"{escape(content)}</text>"


def drawn(kind: str, places: list, colour: str, extra, place) -> list:
    if kind == "line":
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        dashes = ' stroke-dasharray="6 4"' if extra else ""
        return [f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.5"{dashes}/>']
    if kind == "points":
        return [dot(x, y, colour, extra) for x, y in places]
    width = place((extra, 0))[0] - place((0, 0))[0]
    base = place((0, 0))[1]
    return [f'<rect x="{x - width / 2:.1f}" y="{y:.1f}" width="{width:.1f}" height="{base - y:.1f}" fill="{colour}"/>'
            for x, y in places]


def dot(x: float, y: float, colour: str, hollow: bool) -> str:
    fill = "white" if hollow else colour
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{fill}" stroke="{colour}" stroke-width="1.5"/>'


def sign(kind: str, x: float, y: float, colour: str, extra) -> str:
    """What stands before a name in the legend."""
    if kind == "points":
        return dot(x + 12, y, colour, extra)
    if kind == "bars":
        return f'<rect x="{x + 4}" y="{y - 6}" width="16" height="12" fill="{colour}"/>'
    dashes = ' stroke-dasharray="6 4"' if extra else ""
    return f'<path d="M{x} {y}H{x + 24}" stroke="{colour}" stroke-width="1.5"{dashes}/>'
