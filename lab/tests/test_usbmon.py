# SPDX-License-Identifier: Apache-2.0
"""Traces are read as usbmon writes them, and what differs is found."""

import unittest

from devconfiglab.usbmon import differences, requests

CONTROL = """
ffff1 100 S Ci:3:002:0 s 80 06 0100 0000 00ff 255 <
ffff1 110 C Ci:3:002:0 0 18 = 12010002 00000040
ffff2 120 S Co:3:002:0 s 00 05 0063 0000 0000 0
ffff2 130 C Co:3:002:0 -32 0
""".strip()
QUEUE = """
ffff1 100 S Ii:3:002:5 -115:8 8 <
ffff2 101 S Ii:3:002:5 -115:8 8 <
ffff9 102 S Bi:3:007:1 -115 512 <
ffff2 110 C Ii:3:002:5 -2:8 0
ffff1 111 C Ii:3:002:5 -2:8 0
""".strip()


class UsbmonTests(unittest.TestCase):
    def test_control(self):
        first, second = requests(CONTROL, 3, 2)
        self.assertEqual(first.asked, "control 0: 80 06 0100 0000 00ff, 255 bytes")
        self.assertEqual(first.answer, "0, 18 bytes 1201000200000040")
        self.assertEqual(second.answer, "EPIPE, 0 bytes")

    def test_order_of_completion_and_other_devices(self):
        found = requests(QUEUE, 3, 2)
        self.assertEqual([request.asked for request in found], ["interrupt 5 in: 8 bytes"] * 2)
        self.assertEqual([request.late for request in found], [1, -1])

    def test_not_completed(self):
        self.assertEqual(requests(QUEUE, 3, 7)[0].answer, "not completed")

    def test_same(self):
        self.assertEqual(differences(requests(CONTROL, 3, 2), requests(CONTROL.replace("ffff", "eeee"), 3, 2)), [])

    def test_another_status_length_data_or_order(self):
        for old, new in (("-32 0", "0 0"), ("18 = ", "17 = "), ("12010002", "12010003")):
            with self.subTest(new=new):
                pairs = differences(requests(CONTROL, 3, 2), requests(CONTROL.replace(old, new), 3, 2))
                self.assertEqual(len(pairs), 1)
        lines = QUEUE.splitlines()
        other = "\n".join([*lines[:3], lines[4], lines[3]])
        self.assertEqual(len(differences(requests(QUEUE, 3, 2), requests(other, 3, 2))), 2)

    def test_a_request_that_only_one_has(self):
        pairs = differences(requests(CONTROL, 3, 2), requests("\n".join(CONTROL.splitlines()[:2]), 3, 2))
        self.assertEqual([(pair[0].setup[:5], pair[1]) for pair in pairs], [("00 05", None)])
