# SPDX-License-Identifier: Apache-2.0
"""The programs of lab/tools, built here for the machines, which have no compiler."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from . import paths
from .errors import LabError, ScenarioSkipped

# What a static build needs, tried first: without it the program is not at fault.
PROBE = "#include <linux/usbdevice_fs.h>\n#include <stdio.h>\nint main(void) { return puts(\"\"); }\n"


def installed_path(name: str) -> str:
    return f"/usr/local/bin/{name}"


def install(machine, name: str) -> str:
    """Build the program lab/tools/NAME.c, copy it into a machine, return where it is there."""
    return copy(machine, name, installed_path(name), "-static")


def install_library(machine, name: str) -> str:
    """The same for a library that is preloaded into another program."""
    return copy(machine, name, f"/usr/local/lib/{name}.so", "-shared", "-fPIC")


def copy(machine, name: str, target: str, *options: str) -> str:
    source = paths.SOURCE / "tools" / f"{name}.c"
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        raise ScenarioSkipped(f"needs a C compiler to build lab/tools/{name}.c: cc, gcc or clang")
    with tempfile.TemporaryDirectory(prefix=f"{name}-") as created:
        directory = Path(created)
        probe = directory / "probe.c"
        probe.write_text(PROBE)
        if build(compiler, probe, directory / "probe", "-static").returncode != 0:
            raise ScenarioSkipped(f"{compiler} cannot build a static program here: libc6-dev or linux-libc-dev is "
                                  "missing")
        built = build(compiler, source, directory / name, *options)
        if built.returncode != 0:
            raise LabError(f"{source} does not compile:\n{built.stderr}")
        machine.copy_in(directory / name, target)
    return target


def build(compiler: str, source: Path, target: Path, *options: str) -> subprocess.CompletedProcess:
    return subprocess.run([compiler, *options, "-O2", "-Wall", "-Wextra", "-Werror", "-o", target, source],
                          capture_output=True, text=True)
