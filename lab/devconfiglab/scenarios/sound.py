# SPDX-License-Identifier: Apache-2.0
"""Isochronous OUT: a sine that beta plays to alpha's USB loudspeaker arrives whole.

QEMU records what the loudspeaker plays. With DEVCONFIG_LAB_DOCUMENTS=DIR the sine is also played on alpha itself and
over stock usbip-host, and the section "Sound" of DIR/conformance.md is written. The recording has no clock: when the
emulated machines are too slow to play in time, nothing is missing in it.
"""

import tempfile
import time
from pathlib import Path

from .. import documents
from ..devices import Loudspeaker
from ..sound import RATE, SILENCE, TONE, Recording, write_sine
from . import agent
from .common import AGENT, detach_all, stock_exporter

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True
# One plays and one serves the interrupts: with one processor each the sine waits for ssh.
PROCESSORS = 2

SECONDS = 5
FILE = "/run/sine.wav"
# Microseconds. A period is what aplay writes at once, the buffer what it may be late.
PERIOD, BUFFER = 100_000, 1_000_000


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    compared = documents.are_wanted()
    agent.install(office, report)
    with report.step(f"a sine of {TONE} Hz and {SECONDS} s is on the machines"):
        give_sine(*(machine for machine in ((alpha, beta) if compared else (beta,))), seconds=SECONDS)
    results = {}
    if compared:
        results["on alpha itself"] = locally(alpha, report)
    results["devconfig"] = over_our_exporter(alpha, beta, report)
    if compared:
        results["usbip-host"] = over_usbip_host(alpha, beta, report)
        release = alpha.run("uname -r").strip()
        with report.step("the comparison is written") as notes:
            notes.append(str(documents.put("conformance.md", "Conformance", "Sound", document(results, release))))


def give_sine(*machines, seconds: float) -> None:
    with tempfile.TemporaryDirectory(prefix="sine-") as name:
        path = Path(name) / "sine.wav"
        write_sine(path, seconds)
        for machine in machines:
            machine.copy_in(path, FILE)


class Playing:
    """What aplay said and how long it took, and what arrived."""

    def __init__(self, length: float, taken: float, underruns: int):
        self.length = length
        self.taken = taken
        self.underruns = underruns
        self.recording = None

    def note(self) -> str:
        return f"{self.length:.1f} s of sound took {self.taken:.1f} s, {self.underruns} underruns"


def play_sine(machine, seconds: float, limit: float = 120) -> Playing:
    """Play the file, which has a sine of this length in it, to the only sound card of a machine."""
    machine.wait_until("ls /dev/snd/pcmC*D0p")
    machine.run("amixer -q -c 0 set PCM 100% unmute 2>/dev/null; true")
    command = f"aplay -q -D hw:0,0 --period-time={PERIOD} --buffer-time={BUFFER} {FILE}"
    output = machine.run(f"s=$(date +%s%N); {command} 2>&1; e=$?; echo took $(( ($(date +%s%N) - s) / 1000000 )); "
                         "exit $e", timeout=limit)
    taken = int(output.split("took ")[-1]) / 1000
    return Playing(seconds + 2 * SILENCE, taken, output.count("underrun"))


def locally(alpha, report) -> Playing:
    loudspeaker = Loudspeaker("loudspeaker")
    alpha.plug(loudspeaker)
    with report.step("alpha plays the sine to its own loudspeaker") as notes:
        played = play_sine(alpha, SECONDS)
        notes.append(played.note())
    return recorded(alpha, loudspeaker, played, report, "alpha itself", demanded=False)


def over_our_exporter(alpha, beta, report) -> Playing:
    loudspeaker = Loudspeaker("loudspeaker")
    alpha.plug(loudspeaker)
    here = {"host": "alpha", "busid": alpha.bus_id(loudspeaker)}
    agent.start_agent(report, alpha, beta)
    with report.step("beta attaches the loudspeaker from our exporter") as notes:
        identity = agent.wait_for_device(beta, **here, remote_state="AVAIL")["id"]
        notes += agent.up(beta, identity)
    with report.step("beta plays the sine over our exporter") as notes:
        played = play_sine(beta, SECONDS)
        notes.append(played.note())
    with report.step("beta gives it back"):
        agent.down(beta, identity)
        agent.wait_for_device(alpha, **here, remote_state="AVAIL", remote_user="NOBODY")
    return recorded(alpha, loudspeaker, played, report, "our exporter")


def over_usbip_host(alpha, beta, report) -> Playing:
    for machine in (alpha, beta):
        machine.run(f"systemctl stop {AGENT}")
    loudspeaker = Loudspeaker("loudspeaker")
    alpha.plug(loudspeaker)
    bus_id = alpha.bus_id(loudspeaker)
    with stock_exporter(alpha, bus_id):
        beta.run(f"usbip attach --remote={alpha.address} --busid={bus_id}")
        with report.step("beta plays the sine over usbip-host") as notes:
            played = play_sine(beta, SECONDS)
            notes.append(played.note())
        detach_all(beta)
    return recorded(alpha, loudspeaker, played, report, "usbip-host", demanded=False)


def recorded(alpha, loudspeaker, played: Playing, report, over: str, demanded: bool = True) -> Playing:
    """Unplug the loudspeaker, which completes its recording, and look at it."""
    alpha.remove(loudspeaker.name)
    with report.step(f"the recording of what came over {over} is looked at") as notes:
        played.recording = Recording(loudspeaker.recording)
        notes.append(f"{played.recording.frames} frames of the sine, {len(played.recording.jumps)} jumps")
        if demanded:
            played.recording.assert_whole(SECONDS)
    return played


def document(results: dict, release: str) -> str:
    rows = "\n".join(f"| {over} | {played.recording.frames} | {len(played.recording.jumps)} | {played.taken:.1f} | "
                     f"{played.underruns} |" for over, played in results.items())
    return f"""A sine of {TONE} Hz, {SECONDS} s or {SECONDS * RATE} frames long, between {SILENCE:.0f} s of silence on
either side, played with `aplay` to an emulated USB loudspeaker: a full-speed device with an isochronous OUT endpoint
that takes 192 bytes in each millisecond. QEMU records what the loudspeaker was given. Each block of 10 ms is held
against the sine: a frame that is lost, repeated or out of its place is a jump. Linux {release}, {PROCESSORS} emulated
processors per machine.

| played | frames of the sine | jumps | s to play {SECONDS + 2 * SILENCE:.0f} s | underruns |
|---|---:|---:|---:|---:|
{rows}

The recording has no clock. A machine that is too slow to play in time takes longer, and that is in the fourth column.

Written by `{documents.command("sound")}`.
"""
