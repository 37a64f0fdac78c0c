# SPDX-License-Identifier: Apache-2.0
"""The page of the paper's experiments: under which circumstances they ran, and what each of them found."""

import os
import subprocess
import time

from .machine import has_hardware_virtualisation

COMMAND = "./dev bench paper"


class Circumstances:
    """What else was going on while it was measured."""

    def __init__(self, machine, short: bool):
        self.short = short
        self.kernel = machine.run("uname -r").strip()
        self.processors = machine.processors
        self.started = time.monotonic()
        self.loads = []

    def look(self) -> None:
        self.loads.append(os.getloadavg()[0])

    def sentences(self) -> str:
        version = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True).stdout
        emulator = version.split("\n")[0].split("(")[0].strip()
        how = "with KVM" if has_hardware_virtualisation() else "without hardware virtualisation (TCG)"
        minutes = (time.monotonic() - self.started) / 60
        return (f"Linux {self.kernel} in both machines, {self.processors} emulated processor each, {emulator} {how} on "
                f"{os.cpu_count()} processors.\nThe experiments took {minutes:.0f} minutes. The load of the host, "
                f"averaged over a minute and looked at before each\nexperiment, was {min(self.loads):.1f} to "
                f"{max(self.loads):.1f}; the two emulated machines alone make 2."
                + ("\n**This was a short run, with as few samples as there can be.**" if self.short else ""))


def page(experiments: list, circumstances: Circumstances) -> str:
    sections = "\n".join(experiment.section() for experiment in experiments)
    return f"""# The paper's experiments

What Hirofuchi, Kawai, Fujikawa and Sunahara measured in section 4 of *USB/IP: a Peripheral Bus Extension for Device Sharing
over IP Network* (USENIX 2005), measured again on two machines of the lab: over devconfig's exporter and over the
kernel's usbip-host, attached through the same vhci_hcd, in one run.

**Emulated figures are ratios within one run and nothing else.** A millisecond of an emulated machine is no millisecond:
compare a column with the one beside it, and a line of a figure with another of the same figure, and nothing with the
figures of the paper, of another run, or of another machine.

{circumstances.sentences()}
Round trips are netem's, half of the delay on each side; `ping` says what they were.

{sections}
Written, figures included, by `{"DEVCONFIG_PAPER_SHORT=1 " if circumstances.short else ""}{COMMAND}`.
"""
