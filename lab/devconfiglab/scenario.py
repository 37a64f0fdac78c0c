# SPDX-License-Identifier: Apache-2.0
"""Finding scenarios, playing them, and keeping what is needed to understand a failure.

A scenario is a module in devconfiglab/scenarios with a docstring, MACHINES, NEEDS_STAGE and play(office, report), and
with PROCESSORS if one emulated processor per machine is not enough. One with IN_ALL = False, and the reason for it, is
played only by its name.
"""

import importlib
import os
import shutil
import signal
import time
import traceback
from pathlib import Path

from . import image, office, paths
from .errors import LabError, ScenarioSkipped
from .report import Report, StepFailed, progress

KEPT_RESULTS = 10


def names() -> list:
    directory = Path(__file__).parent / "scenarios"
    return sorted(path.stem for path in directory.glob("*.py")
                  if path.stem != "__init__" and "def play(" in path.read_text())


def load(name: str):
    return importlib.import_module(f"devconfiglab.scenarios.{name}")


def run(options) -> int:
    """`lab run` and `lab demo`."""
    report = Report()
    interrupted = False
    try:
        if options.running:
            play_all(office.resident(options.stage), options.scenarios, report)
        else:
            play_on_own_machines(options, report)
    except KeyboardInterrupt:
        interrupted = True
        report.failed += 1
        print("FAILED interrupted", flush=True)
    except LabError as error:
        report.failed += 1
        print(f"FAILED {error}", flush=True)
    status = report.finish()
    return 130 if interrupted else status


def play_on_own_machines(options, report: Report) -> None:
    directory = paths.RunDirectory(f"run-{os.getpid()}")
    pair = None
    try:
        with image.prepared().in_use() as built:
            pair = office.Office(directory.path, built, options.stage, options.processors)
            play_all(pair, options.scenarios, report)
    finally:
        # A second Ctrl-C must not leave half of it behind.
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        if pair:
            pair.power_off()
        directory.remove()


def play_all(pair, chosen: list, report: Report) -> None:
    everything = [name for name in names() if getattr(load(name), "IN_ALL", True)]
    # Machines with another number of processors are booted afresh: once is enough.
    everything.sort(key=lambda name: getattr(load(name), "PROCESSORS", 1))
    for name in everything if "all" in chosen else chosen:
        play(pair, name, report)


def play(pair, name: str, report: Report) -> None:
    scenario = load(name)
    report.say(f"-- {name}: {scenario.__doc__.splitlines()[0]}")
    started = time.monotonic()
    failed = False
    try:
        if scenario.NEEDS_STAGE and not pair.stage:
            raise ScenarioSkipped("needs --stage DIRECTORY, an installed tree made with ./dev install")
        pair.boot(scenario.MACHINES, getattr(scenario, "PROCESSORS", 1))
        scenario.play(pair, report)
        for machine in pair.machines.values():
            with report.step(f"the kernel of {machine.name} has nothing to complain about"):
                trouble = machine.kernel_trouble()
                assert not trouble, "\n".join(trouble)
        pair.tidy()
    except ScenarioSkipped as skipped:
        report.skip(name, str(skipped))
        pair.tidy()
    except StepFailed:
        failed = True
    except KeyboardInterrupt:
        raise
    except Exception as error:
        failed = True
        report.failed += 1
        # A LabError explains itself; anything else is a mistake in the scenario or the lab.
        shown = str(error) if isinstance(error, LabError) else traceback.format_exc()
        print(f"FAILED {time.monotonic() - started:.1f} s {name}\n{shown}", flush=True)
    if failed:
        save_evidence(pair, name)
        clean_up_after_failure(pair)
    else:
        progress(f"{name} took {time.monotonic() - started:.1f} s")
    extra = [machine for machine in pair.machines if machine not in ("alpha", "beta")]
    if extra and pair.owned:
        # The third machine costs memory and a share of every emulated second.
        pair.power_off(*extra)


def clean_up_after_failure(pair) -> None:
    if pair.owned:
        # Whatever state it left, the next scenario shall not suffer from it: fresh machines.
        pair.forget_afterwards()
        pair.power_off()
        return
    try:
        pair.tidy()
    except LabError as error:
        progress(f"could not tidy up: {error}")


def save_evidence(pair, name: str) -> None:
    """Journals, kernel logs and consoles of a failed scenario."""
    results = paths.cache() / "results"
    results.mkdir(exist_ok=True)
    target = results / f"{time.strftime('%Y%m%d-%H%M%S')}-{name}"
    target.mkdir(exist_ok=True)
    for machine in pair.machines.values():
        for source in (machine.console, machine.directory / "qemu.log"):
            if source.exists():
                shutil.copy(source, target / f"{machine.name}-{source.name}")
        if machine.results.is_dir():
            shutil.copytree(machine.results, target / f"{machine.name}-results", dirs_exist_ok=True)
        if not machine.is_reachable():
            continue
        for file, command in (("journal", "journalctl --no-pager -o short-precise"), ("dmesg", "dmesg"),
                              ("state", "systemctl --no-pager --failed; usbip port; lsusb -t; ip address; ss -tanp")):
            try:
                answer = machine.attempt(command)
            except LabError as error:
                progress(f"no {file} of {machine.name}: {error}")
                continue
            (target / f"{machine.name}-{file}").write_text(answer.stdout + answer.stderr)
            if file == "journal":
                # What the agent says is more to the point than the kernel's chatter, where there is an agent.
                lines = answer.stdout.splitlines()
                lines = [line for line in lines if " devconfig" in line] or lines
                print(f"       the end of {machine.name}'s journal:")
                print("\n".join(f"       | {line}" for line in lines[-12:]), flush=True)
    print(f"       evidence: {target}", flush=True)
    for old in sorted(path for path in results.iterdir() if path.is_dir())[:-KEPT_RESULTS]:
        shutil.rmtree(old, ignore_errors=True)
