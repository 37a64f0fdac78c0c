# SPDX-License-Identifier: Apache-2.0
"""The sums and the plots of the paper's experiments."""

import unittest
import xml.etree.ElementTree

from devconfiglab.paperfit import least_squares, needed_depth
from devconfiglab.paperplot import Plot, scale


class Sums(unittest.TestCase):
    def test_a_line_is_found_again(self):
        line = least_squares([(x, 0.5 * x + 3) for x in (1, 4, 16, 64)])
        self.assertAlmostEqual(line.slope, 0.5)
        self.assertAlmostEqual(line.intercept, 3)
        self.assertAlmostEqual(line.determination, 1)

    def test_points_off_the_line(self):
        line = least_squares([(0, 0), (1, 3), (2, 0), (3, 3)])
        self.assertAlmostEqual(line.slope, 0.6)
        self.assertAlmostEqual(line.intercept, 0.6)
        self.assertAlmostEqual(line.determination, 0.2)

    def test_equation_2_is_strict(self):
        self.assertEqual([needed_depth(rtt, 8) for rtt in (0, 7.9, 8, 8.1, 64)], [2, 2, 3, 3, 10])


class Plots(unittest.TestCase):
    def test_axes_end_at_round_numbers_beyond_what_is_seen(self):
        for largest in (0.003, 1, 7.3, 99, 256, 1001):
            end, ticks = scale(largest)
            self.assertGreaterEqual(end, largest)
            self.assertEqual(ticks[0], 0)
            self.assertTrue(4 <= len(ticks) <= 10, ticks)

    def test_a_plot_is_svg_with_everything_in_it(self):
        plot = Plot("a < b", "x", "y")
        plot.line([(0, 0), (1, 2)], "#000000", "line & all")
        plot.points([(0.5, 1), (1, 2)], "#000000", "dots")
        root = xml.etree.ElementTree.fromstring(plot.text())
        texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
        for expected in ("a < b", "x", "y", "line & all", "dots"):
            self.assertIn(expected, texts)
        # Two of them, and the one before the name.
        self.assertEqual(len(list(root.iter("{http://www.w3.org/2000/svg}circle"))), 3)
