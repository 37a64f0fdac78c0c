# SPDX-License-Identifier: Apache-2.0
"""The second half of building an image: from a root file system as a tar stream to a bootable disk.

Runs in a process of its own, so that an ordinary user can run it as root of a user namespace:
python3 -m devconfiglab.assemble DIRECTORY, with the tar stream on standard input.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import paths, recipe
from .initramfs import write_initramfs


def main() -> None:
    directory = Path(sys.argv[1])
    root = directory / "root"
    root.mkdir()
    # The kernel provides /dev, and a user namespace may not make device nodes.
    subprocess.run(["tar", "-x", "--numeric-owner", "--exclude=./dev/*", "-C", root], stdin=sys.stdin, check=True)
    lay_over(paths.SOURCE / "guest", root)
    enable_and_mask(root)
    let_in(directory, root)
    for flavour in recipe.KERNELS:
        # A digit before the flavour, or "amd64" would find "cloud-amd64" too.
        kernel = sorted((root / "boot").glob(f"vmlinuz-*[0-9]-{flavour}"))[-1]
        write_initramfs(root, kernel.name.removeprefix("vmlinuz-"), paths.SOURCE / "guest" / "initramfs-init",
                        directory / f"initrd-{flavour}")
        shutil.copy(kernel, directory / f"vmlinuz-{flavour}")
    shutil.rmtree(root / "boot")
    (root / "boot").mkdir()
    # Nothing grows much here, so few inodes and a small journal; it stays a journal for the power cuts.
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", root, "-L", "lab", "-m", "0", "-N", "60000",
                    "-J", "size=16", "-E", "lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0",
                    directory / "disk.raw", recipe.DISK_SIZE], check=True)
    shutil.rmtree(root)


def lay_over(guest: Path, root: Path) -> None:
    """Copy lab/guest onto the root file system, owned by root whoever checked it out."""
    for source in sorted((guest).rglob("*")):
        target = root / source.relative_to(guest)
        if source.is_dir():
            target.mkdir(exist_ok=True)
        elif source.parent != guest:
            shutil.copy(source, target)
            target.chmod(0o755 if os.access(source, os.X_OK) else 0o644)
        else:
            continue
        os.chown(target, 0, 0)


def enable_and_mask(root: Path) -> None:
    units = root / "etc/systemd/system"
    for unit in recipe.MASKED_UNITS:
        path = units / unit
        path.unlink(missing_ok=True)
        path.symlink_to("/dev/null")
    for target, wanted in recipe.ENABLED_UNITS.items():
        wants = units / f"{target}.wants"
        wants.mkdir(exist_ok=True)
        for unit in wanted:
            (wants / unit).symlink_to(f"../{unit}")
    for directory in ("lab/share", "lab/results"):
        (root / directory).mkdir(parents=True, exist_ok=True)
    # systemd rebuilds its databases at boot when /usr is newer than these.
    for stamp in ("etc/.updated", "var/.updated"):
        (root / stamp).touch()


def let_in(directory: Path, root: Path) -> None:
    """One key pair for the image, and the host key made by openssh-server as the known one."""
    secrets = root / "root/.ssh"
    secrets.mkdir(mode=0o700, exist_ok=True)
    authorized = secrets / "authorized_keys"
    shutil.copy(directory / "key.pub", authorized)
    os.chown(secrets, 0, 0)
    os.chown(authorized, 0, 0)
    authorized.chmod(0o600)
    host_key = (root / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()
    (directory / "known_hosts").write_text(f"devconfig-lab {host_key[0]} {host_key[1]}\n")


if __name__ == "__main__":
    main()
