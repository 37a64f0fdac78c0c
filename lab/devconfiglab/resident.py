# SPDX-License-Identifier: Apache-2.0
"""`lab up`: a pair of machines that stays, owned by a process in the background."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from . import image, office, paths
from .errors import LabError, NotReached
from .report import progress

READY = "ready"


def up(options) -> int:
    entry = Path(sys.argv[0]).resolve()
    command = [sys.executable, entry, "keep", "--processors", str(options.processors)]
    if options.stage:
        command += ["--stage", options.stage.resolve()]
    if options.gamma:
        command.append("--gamma")
    keeper = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, start_new_session=True)
    try:
        for line in keeper.stdout:
            if line.strip() == READY:
                return status(options)
            print(line, end="", flush=True)
        return keeper.wait() or 1
    except KeyboardInterrupt:
        keeper.terminate()
        keeper.wait()
        raise


def keep(options) -> int:
    """Boot, tell `up`, and hold the machines until somebody ends this process."""
    directory = paths.RunDirectory(paths.RESIDENT)
    pair = None
    try:
        with image.prepared().in_use() as built:
            pair = office.Office(directory.path, built, options.stage, options.processors)
            (directory.path / "keeper").write_text(str(os.getpid()))
            pair.boot(["alpha", "beta", "gamma"] if options.gamma else ["alpha", "beta"])
            pair.save()
            print(READY, flush=True)
            # The reader of our output is gone now; later words have nowhere to go.
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            while any(machine.is_on() for machine in pair.machines.values()):
                # A signal to end interrupts this with an exception; a child's end is noticed within a second.
                signal.sigtimedwait({signal.SIGCHLD}, 1)
    except KeyboardInterrupt:
        pass
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        if pair:
            pair.power_off()
        directory.remove()
    return 0


def down(options) -> int:
    directory = paths.runs() / paths.RESIDENT
    if not paths.is_alive(directory):
        progress("nothing was running")
        paths.remove_abandoned_runs()
        return 0
    os.kill(int((directory / "keeper").read_text()), signal.SIGTERM)
    end = time.monotonic() + 30
    while paths.is_alive(directory):
        if time.monotonic() > end:
            raise NotReached(f"the process that keeps {directory} did not end")
        time.sleep(0.1)
    progress("alpha and beta are down")
    return 0


def status(options) -> int:
    try:
        pair = office.resident()
    except LabError:
        print("nothing is running")
        return 1
    for machine in pair.machines.values():
        print(f"{machine.name:6} {machine.address}  ssh port {machine.port}  console {machine.console}")
    print(f"stage  {pair.stage or 'none'}")
    return 0
