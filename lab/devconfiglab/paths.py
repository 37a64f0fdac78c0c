# SPDX-License-Identifier: Apache-2.0
"""Where the lab keeps things: a cache that survives, and one run directory per pair of machines."""

import fcntl
import os
import shutil
import stat
import tempfile
from pathlib import Path

from .errors import LabError

SOURCE = Path(__file__).resolve().parent.parent
RESIDENT = "up"


def cache() -> Path:
    """The directory of built images and saved results."""
    chosen = os.environ.get("DEVCONFIG_LAB_CACHE")
    if not chosen:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        chosen = os.path.join(base, "devconfig-lab")
    path = Path(chosen)
    path.mkdir(parents=True, exist_ok=True)
    return path


def runs() -> Path:
    """The parent of all run directories. Short, because UNIX socket paths end at 107 characters."""
    path = Path(tempfile.gettempdir()) / f"devconfig-lab-{os.getuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    state = path.lstat()
    # The name can be guessed, so somebody else may have made the directory first.
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid() or state.st_mode & 0o077:
        raise LabError(f"{path} is not a private directory of this user; remove it or set TMPDIR")
    return path


class RunDirectory:
    """A directory that belongs to one living process: the lock says whether it still lives."""

    def __init__(self, name: str):
        remove_abandoned_runs()
        self.path = runs() / name
        self.path.mkdir(mode=0o700, exist_ok=True)
        self._lock = open(self.path / "lock", "w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LabError(f"the machines in {self.path} are already running (lab status, lab down)") from None

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def is_alive(run: Path) -> bool:
    """Whether a process still owns the run directory."""
    try:
        with open(run / "lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False


def remove_abandoned_runs() -> None:
    """A lab that was killed outright leaves its directory (its machines die with it): clean up for it."""
    for run in runs().iterdir():
        if (run / "lock").exists() and not is_alive(run):
            shutil.rmtree(run, ignore_errors=True)
