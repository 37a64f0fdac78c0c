# SPDX-License-Identifier: Apache-2.0
"""The experiments of the 2005 paper: our exporter and the kernel's usbip-host side by side, with delay on the LAN.

`./dev bench paper` plays it and writes docs/paper-experiments.md with its figures. With DEVCONFIG_LAB_DOCUMENTS=DIR they
go to DIR. DEVCONFIG_PAPER_SHORT=1 takes as few samples as there can be, to try the scenario itself. It builds programs
of lab/tools for the machines, with cc and libc6-dev.
"""

import os
from pathlib import Path

from ..devices import Disk
from ..paperbulk import Bulk
from ..paperfiles import Files
from ..paperisochronous import Isochronous
from ..paperlab import EXPORTERS, Loudspeaker, Source, install_programs
from ..paperpage import Circumstances, page
from . import agent

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True
# Measures, and asserts no more than that everything works.
IN_ALL = False

DISK_MIB = 64
# Each exporter in turn, and then the other way round, so that what changes with time changes both.
ORDER = (EXPORTERS, tuple(reversed(EXPORTERS)))


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    short = bool(os.environ.get("DEVCONFIG_PAPER_SHORT"))
    devices = (Source("source", DISK_MIB), Loudspeaker("loudspeaker"), Disk("disk", DISK_MIB))
    for device in devices:
        alpha.plug(device)
    for machine in (alpha, beta):
        office.afterwards(machine, "tc qdisc del dev lan root 2>/dev/null")
        install_programs(machine)
    agent.install(office, report)
    experiments = [kind(device, alpha.bus_id(device), short)
                   for kind, device in zip((Bulk, Isochronous, Files), devices)]
    circumstances = Circumstances(alpha, short)
    for experiment in experiments:
        with report.step(f"not attached: {experiment.title}"):
            experiment.measure_local(office)
            experiment.bus_id = alpha.bus_id(experiment.device)
    for number, exporters in enumerate(ORDER[:1] if short else ORDER, 1):
        for exporter in exporters:
            for experiment in experiments:
                circumstances.look()
                with report.step(f"round {number}, over {exporter}: {experiment.title}") as notes:
                    notes += experiment.measure(office, exporter)
    circumstances.look()
    for experiment in experiments:
        report.say(experiment.section())
    directory = os.environ.get("DEVCONFIG_LAB_DOCUMENTS")
    if directory:
        with report.step("the page and its figures are written") as notes:
            for experiment in experiments:
                experiment.draw(Path(directory) / "figures")
            path = Path(directory) / "paper-experiments.md"
            path.write_text(page(experiments, circumstances))
            notes.append(str(path))
