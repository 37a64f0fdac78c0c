# SPDX-License-Identifier: Apache-2.0
"""What arrives damaged is not taken for whole."""

import tempfile
import unittest
from pathlib import Path

from devconfiglab.sound import HEADER, RATE, Recording, write_sine

SECONDS = 1
FRAME = 4
PACKET = RATE // 1000 * FRAME
MIDDLE = HEADER + RATE * 3 // 2 * FRAME


class SoundTests(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = Path(directory.name) / "sine.wav"
        write_sine(self.path, SECONDS)
        self.whole = self.path.read_bytes()

    def look(self, data: bytes) -> Recording:
        self.path.write_bytes(data)
        return Recording(self.path)

    def assert_damaged(self, data: bytes, jumps: int = 1):
        recording = self.look(data)
        self.assertEqual(len(recording.jumps), jumps)
        self.assertRaises(AssertionError, recording.assert_whole, SECONDS)

    def test_whole(self):
        self.look(self.whole).assert_whole(SECONDS)

    def test_half_as_loud(self):
        samples = memoryview(bytearray(self.whole[HEADER:])).cast("h")
        for index, sample in enumerate(samples):
            samples[index] = sample // 2
        self.look(self.whole[:HEADER] + samples.tobytes()).assert_whole(SECONDS)

    def test_lost_packets(self):
        # 89 of them turn the sine the least, by 0.002 of a period.
        for count in (1, 34, 55, 89):
            with self.subTest(count=count):
                self.assert_damaged(self.whole[:MIDDLE] + self.whole[MIDDLE + count * PACKET:])

    def test_lost_packets_that_are_made_up_for_at_the_end(self):
        end = HEADER + int((1 + SECONDS) * RATE) * FRAME
        self.assert_damaged(self.whole[:MIDDLE] + self.whole[MIDDLE + PACKET:end] + self.whole[end - PACKET:], jumps=2)

    def test_packet_that_came_twice(self):
        self.assert_damaged(self.whole[:MIDDLE] + self.whole[MIDDLE - PACKET:])

    def test_silent_packet(self):
        self.assert_damaged(self.whole[:MIDDLE] + bytes(PACKET) + self.whole[MIDDLE + PACKET:])

    def test_lost_frame(self):
        self.assert_damaged(self.whole[:MIDDLE] + self.whole[MIDDLE + FRAME:])

    def test_end_that_is_missing(self):
        self.assert_damaged(self.whole[:MIDDLE], jumps=0)
