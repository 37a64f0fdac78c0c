# SPDX-License-Identifier: Apache-2.0
"""The few sums the paper's experiments need."""

import math
import statistics


class Line:
    """y = slope × x + intercept, and how well it fits: 1 is exactly."""

    def __init__(self, slope: float, intercept: float, determination: float):
        self.slope = slope
        self.intercept = intercept
        self.determination = determination

    def __call__(self, x: float) -> float:
        return self.slope * x + self.intercept


def least_squares(points: list) -> Line:
    """The line with the smallest sum of squared distances in y from these pairs of x and y."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    mean_x, mean_y = statistics.fmean(xs), statistics.fmean(ys)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x in xs)
    intercept = mean_y - slope * mean_x
    left = sum((y - slope * x - intercept) ** 2 for x, y in points)
    whole = sum((y - mean_y) ** 2 for y in ys)
    return Line(slope, intercept, 1 - left / whole if whole else 1)


def middle(values: list) -> float:
    return statistics.median(values)


def deviation(values: list) -> float:
    return statistics.pstdev(values)


def needed_depth(round_trip: float, interval: float) -> int:
    """The smallest number of queued URBs that satisfies equation 2: q > RTT / x + 1."""
    return math.floor(round_trip / interval + 1) + 1
