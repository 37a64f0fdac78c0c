# SPDX-License-Identifier: Apache-2.0
"""The office: the machines of one run, booted together and always taken down."""

import contextlib
import json
import shutil
import time
from pathlib import Path

from . import network, paths
from .errors import LabError, ScenarioSkipped
from .machine import Machine
from .remote import need_program
from .report import progress


class Office:
    def __init__(self, run_directory: Path, image, stage: Path = None, processors: int = 1):
        self.run_directory = run_directory
        self.image = image
        self.stage = stage
        self.processors = processors
        self.machines = {}
        # False for a pair that `lab up` owns: its power switch is not in our process.
        self.owned = True
        self._afterwards = contextlib.ExitStack()

    def machine(self, name: str) -> Machine:
        return self.machines[name]

    @property
    def alpha(self) -> Machine:
        return self.machines["alpha"]

    @property
    def beta(self) -> Machine:
        return self.machines["beta"]

    @property
    def gamma(self) -> Machine:
        return self.machines["gamma"]

    # -- power ---------------------------------------------------------------------------------------------

    def boot(self, names, processors: int = 1) -> None:
        """Boot the machines that are not up yet, all at the same time, with at least this many processors each."""
        processors = max(processors, self.processors)
        if self.owned and any(machine.processors != processors for machine in self.machines.values()):
            # Fewer would not do, and more would change what the next scenario measures.
            self.power_off()
        new = [name for name in names if name not in self.machines]
        if new and not self.owned:
            raise ScenarioSkipped(f"needs {', '.join(new)}, which `lab up` does not run")
        if not self.owned and processors > 1 and \
                any(int(self.machines[name].run("nproc")) < processors for name in names):
            raise ScenarioSkipped(f"needs machines of `lab up --processors {processors}`")
        if not new:
            return
        need_program("qemu-system-x86_64")
        started = time.monotonic()
        progress(f"booting {' and '.join(new)}")
        for name in new:
            self.machines[name] = Machine(name, self.image, self.run_directory, processors)
            self.machines[name].power_on()
        for name in new:
            self.machines[name].wait_until_up()
            progress(f"{name} is up after {time.monotonic() - started:.1f} s")

    def needs_power_switch(self) -> None:
        """Called by scenarios that switch machines off and on."""
        if not self.owned:
            raise ScenarioSkipped("switches machines off and on, which needs `lab run` without --running")

    def power_off(self, *names) -> None:
        """Take machines down for good: the next boot starts from the fresh image."""
        for name in names or list(self.machines):
            self.machines[name].power_off_hard()
            del self.machines[name]
            shutil.rmtree(self.run_directory / name, ignore_errors=True)

    # -- the stage -----------------------------------------------------------------------------------------

    def share_stage(self) -> None:
        """Put a fresh copy of the stage where the machines see it as /lab/share/stage."""
        if not self.stage:
            raise ScenarioSkipped("needs an installed tree: --stage DIRECTORY, made with ./dev install")
        if not (self.stage / "usr").is_dir():
            raise LabError(f"{self.stage} is not an installed tree: it has no usr directory")
        target = self.run_directory / "share" / "stage"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.stage, target, symlinks=True)

    # -- tidying between scenarios -------------------------------------------------------------------------

    def afterwards(self, machine: Machine, command: str) -> None:
        """Run a command when the scenario is over, however it ends; the last one given runs first."""
        self._afterwards.callback(lambda: machine.attempt(command) if machine.is_reachable() else None)

    def forget_afterwards(self) -> None:
        self._afterwards.pop_all()

    def tidy(self) -> None:
        """Leave the desk as it was: cables back in, devices of the scenario gone."""
        self._afterwards.close()
        for machine in self.machines.values():
            if not machine.is_reachable():
                continue
            machine.restore_network()
            # What was plugged last first: a device goes before the hub it hangs on.
            for name in reversed(list(machine.devices)):
                machine.remove(name)

    # -- a pair that stays up ------------------------------------------------------------------------------

    def save(self) -> None:
        state = {"image": str(self.image.directory), "stage": str(self.stage) if self.stage else None,
                 "machines": {name: machine.port for name, machine in self.machines.items()}}
        partial = self.run_directory / "state.partial"
        partial.write_text(json.dumps(state))
        partial.rename(self.run_directory / "state.json")


def resident_directory() -> Path:
    directory = paths.runs() / paths.RESIDENT
    if not paths.is_alive(directory) or not (directory / "state.json").exists():
        raise LabError("no machines are running; start them with `lab/lab up`")
    return directory


def resident(stage: Path = None) -> Office:
    """The pair that `lab up` runs, for use from another process."""
    from .image import Image
    directory = resident_directory()
    state = json.loads((directory / "state.json").read_text())
    office = Office(directory, Image(Path(state["image"])), stage or (state["stage"] and Path(state["stage"])))
    office.owned = False
    for name in sorted(state["machines"], key=network.NUMBERS.get):
        machine = Machine(name, office.image, directory)
        machine.adopt(state["machines"][name])
        office.machines[name] = machine
    return office
