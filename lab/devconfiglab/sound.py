# SPDX-License-Identifier: Apache-2.0
"""A sine to play to a USB loudspeaker, and whether all of it arrived: every frame, in its order, once."""

import array
import math
import sys
import wave
from pathlib import Path

from .errors import LabError

RATE = 48000
CHANNELS = 2
# Hz. In a millisecond, which is a packet, it turns 1.618 times: whatever number of packets is lost, up to half a second
# of them, the sine does not go on as if nothing had been.
TONE = 1618
AMPLITUDE = 16000
# Seconds of silence in front of the sine and behind it: what a player loses at its end is none of the sine.
SILENCE = 1.0
HEADER = 44
BLOCK = RATE // 100
# Of a period and of the amplitude: the loudspeaker's volume rounds, and 89 lost packets move the sine by 0.002 periods.
PHASE_TOLERANCE = 0.001
AMPLITUDE_TOLERANCE = 0.01


def write_sine(path: Path, seconds: float) -> None:
    """A WAV file: silence, the sine, silence."""
    silence = array.array("h", bytes(2 * CHANNELS * int(SILENCE * RATE)))
    sine = array.array("h")
    for frame in range(int(seconds * RATE)):
        sine.extend([round(AMPLITUDE * math.sin(2 * math.pi * TONE * frame / RATE))] * CHANNELS)
    samples = silence + sine + silence
    if sys.byteorder == "big":
        samples.byteswap()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(CHANNELS)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


class Recording:
    """What QEMU's wav back end wrote: how much of the sine is in it, and where it jumps."""

    def __init__(self, path: Path):
        # The header has the length only when the device was unplugged in order, so it is not asked.
        data = path.read_bytes()[HEADER:]
        if data[:0] or len(data) < 4 * BLOCK:
            raise LabError(f"{path} is empty: nothing was played")
        samples = array.array("h", data[:len(data) // 4 * 4])
        if sys.byteorder == "big":
            samples.byteswap()
        left, right = samples[0::2], samples[1::2]
        self.seconds = len(left) / RATE
        self.channels_agree = left == right
        heard = [index for index in (first_heard(left), len(left) - 1 - first_heard(left[::-1]))]
        # The sine begins and ends with a sample of 0, which is not heard.
        self.frames = heard[1] - heard[0] + 2
        self.jumps = jumps(left[heard[0]:heard[1] + 1])

    def assert_whole(self, seconds: float) -> None:
        """The sine was played for this long: all of it is here, without a gap, a jump or a repetition."""
        expected = int(seconds * RATE)
        shown = "; ".join(f"at {frame / RATE:.3f} s {jump:+.0f} frames" for frame, jump in self.jumps[:20])
        assert not self.jumps, f"the sine jumps {len(self.jumps)} times: {shown}"
        # The last period may end up to half a period early by rounding to 0.
        assert abs(self.frames - expected) <= 2, f"{self.frames} frames of the sine, expected {expected}"
        assert self.channels_agree, "the channels differ"


def first_heard(samples: array.array) -> int:
    """The first sample that is not silence."""
    loudest = max(max(samples), -min(samples))
    if loudest < 100:
        raise LabError("the recording is silent")
    return next(index for index, sample in enumerate(samples) if abs(sample) > loudest / 50)


def jumps(samples: array.array) -> list:
    """Where the sine is not where it should be: pairs of frame and by how many frames it moved, modulo a period."""
    found = []
    step = 2 * math.pi * TONE / RATE
    block = BLOCK
    amplitude, phase = fit(samples[:block], step, 0)
    moved = 0.0
    # The last block ends where the sine ends, whatever it has in common with the one before.
    for start in (*range(0, len(samples) - block, block), len(samples) - block):
        here, now = fit(samples[start:start + block], step, start)
        turn = (now - phase + math.pi) % (2 * math.pi) - math.pi
        # The phase alone would not see a frame that is missing in the middle and comes back at the end.
        off = max(abs(samples[start + index] - here * math.sin(step * (start + index) + now)) for index in range(block))
        if abs(turn - moved) > PHASE_TOLERANCE * 2 * math.pi or off > 2 * AMPLITUDE_TOLERANCE * amplitude + 2 \
                or abs(here - amplitude) > AMPLITUDE_TOLERANCE * amplitude:
            jump = (turn - moved) / step
            if found and found[-1][0] + found[-1][2] == start:
                # The block in which it jumps fits neither what was before nor what comes.
                at, before, length = found[-1]
                found[-1] = (at, before + jump, length + block)
            else:
                found.append((start, jump, block))
            moved = turn
    return [(start, jump) for start, jump, _ in found]


def fit(samples: array.array, step: float, start: int) -> tuple:
    """Amplitude and phase of the sine of this step in these samples, the first of which has this number."""
    # Sums over a block of 10 ms are not whole periods of the tone, so the normal equations are solved in full.
    ss = sc = cc = xs = xc = 0.0
    for index, sample in enumerate(samples):
        sine, cosine = math.sin(step * (start + index)), math.cos(step * (start + index))
        ss += sine * sine
        sc += sine * cosine
        cc += cosine * cosine
        xs += sample * sine
        xc += sample * cosine
    determinant = ss * cc - sc * sc
    a, b = (xs * cc - xc * sc) / determinant, (xc * ss - xs * sc) / determinant
    return math.hypot(a, b), math.atan2(b, a)
