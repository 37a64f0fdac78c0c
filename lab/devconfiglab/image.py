# SPDX-License-Identifier: Apache-2.0
"""The disk image of a lab machine: built once per recipe, kept in the cache, shared by every run."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import paths, recipe
from .errors import LabError
from .report import progress

KEPT_IMAGES = 2


class Image:
    """A finished image directory: disk.raw, a vmlinuz and an initrd of each kernel, key, known_hosts."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.disk = directory / "disk.raw"
        self.key = directory / "key"
        self.known_hosts = directory / "known_hosts"

    def kernel(self, flavour: str) -> Path:
        return self.directory / f"vmlinuz-{flavour}"

    def initrd(self, flavour: str) -> Path:
        return self.directory / f"initrd-{flavour}"

    @contextlib.contextmanager
    def in_use(self):
        """Keeps the image from being removed when another lab tidies the cache."""
        with open(self.directory / "lock", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            os.utime(self.directory)
            yield self


def recipe_key() -> str:
    """Changes with everything that decides what is inside an image."""
    digest = hashlib.sha256()
    sources = [Path(__file__).parent / name for name in ("recipe.py", "assemble.py", "initramfs.py", "image.py")]
    sources += sorted(path for path in (paths.SOURCE / "guest").rglob("*") if path.is_file())
    for source in sources:
        digest.update(f"{source.relative_to(paths.SOURCE)} {os.access(source, os.X_OK)}\0".encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def prepared(rebuild: bool = False) -> Image:
    """The image for the present recipe, built now if the cache does not have it."""
    images = paths.cache() / "images"
    images.mkdir(exist_ok=True)
    directory = images / recipe_key()
    with open(images / "build.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("another lab is building an image, waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if rebuild or not directory.exists():
            build(images, directory)
        remove_old(images, keep=directory)
    return Image(directory)


def build(images: Path, directory: Path) -> None:
    for abandoned in images.glob("building-*"):
        remove_unfinished(abandoned)
    started = time.monotonic()
    progress(f"building the machine image {directory.name} (once per recipe, a few minutes)")
    temporary = Path(tempfile.mkdtemp(prefix="building-", dir=images))
    try:
        run_build(temporary)
        if directory.exists():
            shutil.rmtree(directory)
        temporary.rename(directory)
    except BaseException:
        remove_unfinished(temporary)
        raise
    progress(f"image {directory.name} built in {time.monotonic() - started:.0f} s")


def run_build(temporary: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "devconfig-lab", "-f", temporary / "key"],
                   check=True)
    log = temporary / "build.log"
    environment = {**os.environ, "TMPDIR": str(temporary), "INITRD": "No", "LC_ALL": "C.UTF-8",
                   "PYTHONPATH": str(paths.SOURCE)}
    sources, suite_sources = apt_sources()
    bootstrap = [*confined(), "mmdebstrap", "--variant=minbase", "--format=tar",
                 "--mode=root", f"--include={','.join(recipe.GUEST_PACKAGES)}",
                 '--aptopt=APT::Install-Recommends "false"', '--dpkgopt=force-unsafe-io',
                 *(f"--dpkgopt=path-exclude={pattern}" for pattern in recipe.LEFT_OUT),
                 # systemd takes its identity from the kernel command line; one baked in would be shared by all.
                 '--customize-hook=: > "$1/etc/machine-id"',
                 f'--customize-hook=chroot "$1" useradd --create-home --shell /bin/bash {recipe.PERSON}',
                 recipe.SUITE, "-", *sources]
    assemble = [*confined(), sys.executable, "-m", "devconfiglab.assemble", str(temporary)]
    with open(log, "w") as output:
        first = subprocess.Popen(bootstrap, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, env=environment, start_new_session=True)
        second = subprocess.Popen(assemble, stdin=first.stdout, stderr=subprocess.STDOUT,
                                  stdout=output, env=environment, start_new_session=True)
        try:
            first.stdout.close()
            first.stdin.write(suite_sources.encode())
            first.stdin.close()
            for line in first.stderr:
                text = line.decode(errors="replace").rstrip()
                output.write(text + "\n")
                output.flush()
                # mmdebstrap's milestones; the rest belongs in the log.
                if text.startswith("I: ") and text.endswith("...") and "tempdir" not in text:
                    progress(text[3:])
            failed = first.wait() != 0
            progress("making the disk image...")
            failed = second.wait() != 0 or failed
        finally:
            for process in (first, second):
                process.kill()
                process.wait()
    if failed:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
        raise LabError(f"building the image failed:\n{tail}")


def apt_sources() -> tuple:
    """Mirror arguments and sources list for mmdebstrap, taken from where this machine gets Debian."""
    listed = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)|$(CODENAME)|$(ORIGIN)",
                             "Created-By: Packages"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    found = {tuple(line.split("|")[:2]) for line in listed.stdout.splitlines() if line.endswith("|Debian")}
    same_suite = sorted(found & {entry for entry in found if entry[1].split("-")[0] == recipe.SUITE})
    if same_suite:
        return ["-"], "".join(f"deb {address} {suite} main\n" for address, suite in same_suite)
    main_archive = sorted(address for address, suite in found if "-" not in suite)
    if main_archive:
        return ["-"], f"deb {main_archive[0]} {recipe.SUITE} main\n"
    # Not a Debian machine: mmdebstrap knows a default.
    return [], ""


def confined() -> list:
    """Name spaces of its own: whatever ends the build ends its processes and mounts too, even a kill -9 of the lab.

    An ordinary user becomes root of a user name space there: file owners are kept, nothing else is gained.
    """
    as_root = [] if os.getuid() == 0 else ["--map-root-user", "--map-auto"]
    return ["setpriv", "--pdeathsig", "KILL", "--", "unshare", *as_root, "--mount", "--pid", "--fork", "--mount-proc",
            "--kill-child=KILL", "--"]


def remove_unfinished(directory: Path) -> None:
    """An ordinary user's half-built tree has files of subordinate users in it."""
    subprocess.run([*confined(), "rm", "-rf", directory])


def remove_old(images: Path, keep: Path) -> None:
    others = sorted((path for path in images.iterdir() if path.is_dir() and path != keep
                     and not path.name.startswith("building-")), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in others[KEPT_IMAGES - 1:]:
        with open(old / "lock", "a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(old, ignore_errors=True)
