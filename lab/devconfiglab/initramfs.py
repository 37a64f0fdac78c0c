# SPDX-License-Identifier: Apache-2.0
"""A small initramfs of our own: a static busybox, five lines of shell and the handful of modules to reach the disk.

Debian's own takes udev and several seconds of emulated time to do the same.
"""

import stat
import subprocess
from pathlib import Path

from . import recipe

COMMANDS = ("sh", "mount", "umount", "insmod", "switch_root", "usleep")


def write_initramfs(root: Path, release: str, init: Path, target: Path) -> None:
    modules_directory = root / "lib/modules" / release
    busybox = next(path for path in (root / "bin/busybox", root / "usr/bin/busybox") if path.exists())
    archive = Archive()
    for directory in ("bin", "dev", "proc", "root", "modules"):
        archive.directory(directory)
    archive.file("bin/busybox", busybox.read_bytes(), 0o755)
    for command in COMMANDS:
        archive.link(f"bin/{command}", "busybox")
    archive.file("init", init.read_bytes(), 0o755)
    order = []
    for module in load_order(modules_directory):
        name = f"modules/{Path(module).name}"
        archive.file(name, (modules_directory / module).read_bytes(), 0o644)
        order.append(f"/{name}\n")
    archive.file("modules.order", "".join(order).encode(), 0o644)
    compressed = subprocess.run(["zstd", "-q", "-9", "-c"], input=archive.finish(), stdout=subprocess.PIPE, check=True)
    target.write_bytes(compressed.stdout)


def load_order(modules_directory: Path) -> list:
    """The wanted modules, each after everything it depends on."""
    needs = {}
    for line in (modules_directory / "modules.dep").read_text().splitlines():
        module, _, dependencies = line.partition(":")
        needs[module] = dependencies.split()
    by_name = {Path(module).name.split(".ko")[0].replace("-", "_"): module for module in needs}
    order = []
    for name in recipe.INITRAMFS_MODULES:
        module = by_name.get(name)
        # A module that is not there is built into this kernel.
        if module:
            # modules.dep lists the nearest dependency first and the deepest one last.
            for needed in [*reversed(needs[module]), module]:
                if needed not in order:
                    order.append(needed)
    return order


class Archive:
    """A cpio archive in the "newc" format, the one the kernel unpacks."""

    def __init__(self):
        self._parts = []
        self._count = 0

    def directory(self, name: str) -> None:
        self._entry(name, stat.S_IFDIR | 0o755, b"")

    def file(self, name: str, content: bytes, mode: int) -> None:
        self._entry(name, stat.S_IFREG | mode, content)

    def link(self, name: str, target: str) -> None:
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def finish(self) -> bytes:
        self._entry("TRAILER!!!", 0, b"")
        return b"".join(self._parts)

    def _entry(self, name: str, mode: int, content: bytes) -> None:
        self._count += 1
        encoded = name.encode() + b"\0"
        # inode, mode, uid, gid, links, time, size, device major and minor (twice), name size, checksum
        fields = (self._count, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        self._parts.append(padded(header + encoded))
        self._parts.append(padded(content))


def padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
