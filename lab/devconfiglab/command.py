# SPDX-License-Identifier: Apache-2.0
"""The subcommands of lab/lab."""

import argparse
import contextlib
import signal
import sys
from pathlib import Path

from . import image, office, recipe, remote, resident, scenario
from .errors import LabError
from .network import NUMBERS
from .report import progress


def main(arguments: list) -> int:
    options = parser().parse_args(arguments)
    try:
        with ended_by_signals():
            return options.action(options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="lab", description="Two office machines on one desk, emulated.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, action, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(action=action)
        return added

    def booting(added: argparse.ArgumentParser) -> None:
        added.add_argument("--stage", type=Path, metavar="DIRECTORY",
                           help="the installed tree to test, made with ./dev install")
        added.add_argument("--processors", type=int, default=1, help="emulated processors per machine (default 1)")

    command("requirements", requirements, "Print the Debian packages the lab needs on this machine.")
    command("image", build_image, "Build the machine image if the cache has none for the present recipe."
            ).add_argument("--rebuild", action="store_true", help="build it in any case, with today's packages")
    command("list", list_scenarios, "List the scenarios.")

    up = command("up", resident.up, "Boot the machines and keep them running.")
    booting(up)
    up.add_argument("--gamma", action="store_true", help="boot the third machine too")
    command("down", resident.down, "Take down what `lab up` runs.")
    command("status", resident.status, "Show what `lab up` runs.")
    kept = command("keep", resident.keep, "The process behind `lab up`; not for people.")
    booting(kept)
    kept.add_argument("--gamma", action="store_true")

    ssh = command("ssh", run_ssh, "A shell, or one command, in a running machine.")
    ssh.add_argument("machine", choices=NUMBERS)
    ssh.add_argument("command", nargs=argparse.REMAINDER)
    monitor = command("monitor", run_monitor, "A line for the QEMU monitor of a running machine.")
    monitor.add_argument("machine", choices=NUMBERS)
    monitor.add_argument("line", nargs="+")

    run = command("run", scenario.run, "Play scenarios and take everything down afterwards.")
    booting(run)
    run.add_argument("--running", action="store_true", help="play on the machines of `lab up` and leave them")
    run.add_argument("scenarios", nargs="+", metavar="SCENARIO", choices=["all", *scenario.names()],
                     help="one or more of `lab list`, or all")
    demo = command("demo", scenario.run, "The session of Figure 6, live.")
    booting(demo)
    demo.set_defaults(scenarios=["demo"], running=False)
    return top


@contextlib.contextmanager
def ended_by_signals():
    """SIGTERM and SIGHUP end the lab like Ctrl-C: through every `finally` on the way out."""
    def end(number, frame):
        raise KeyboardInterrupt
    previous = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def requirements(options) -> int:
    print(*recipe.HOST_PACKAGES)
    return 0


def build_image(options) -> int:
    progress(f"image: {image.prepared(options.rebuild).directory}")
    return 0


def list_scenarios(options) -> int:
    for name in scenario.names():
        print(f"{name:10} {scenario.load(name).__doc__.splitlines()[0]}")
    return 0


def run_ssh(options) -> int:
    machine = running(options.machine)
    return remote.interactive(machine.shell.options, options.command)


def run_monitor(options) -> int:
    print(running(options.machine).monitor.human(" ".join(options.line)).rstrip())
    return 0


def running(name: str):
    pair = office.resident()
    if name not in pair.machines:
        raise LabError(f"{name} is not running; `lab/lab up --gamma` boots the third machine")
    return pair.machines[name]
