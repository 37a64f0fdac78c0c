# SPDX-License-Identifier: Apache-2.0
"""What the lab prints: progress while it works, a line for each step, one line of sums at the end."""

import contextlib
import sys
import time
import traceback
from pathlib import Path

from .errors import ScenarioSkipped


def progress(text: str) -> None:
    print(f"  .. {text}", flush=True)


def place(error: BaseException) -> str:
    """The line of the scenario that did not hold: its text says more than most messages."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if "/scenarios/" in frame.filename] or frames
    return f"{Path(inside[-1].filename).name}:{inside[-1].lineno}: {inside[-1].line}"


class StepFailed(Exception):
    """The step has already been reported; the scenario cannot go on."""


class Report:
    """Counts steps. A step is one assertion a reader would want to see by name."""

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.skipped = 0

    @contextlib.contextmanager
    def step(self, text: str):
        """Everything inside must hold. Put figures measured inside into the yielded list."""
        started = time.monotonic()
        notes = []
        try:
            yield notes
        except Exception as error:
            if isinstance(error, (StepFailed, ScenarioSkipped)):
                raise
            self.failed += 1
            print(f"FAILED {time.monotonic() - started:.1f} s {text}", flush=True)
            for line in [*str(error).splitlines(), f"({place(error)})"]:
                print(f"       {line}", flush=True)
            raise StepFailed(text) from error
        self.passed += 1
        suffix = f" ({', '.join(notes)})" if notes else ""
        print(f"ok {time.monotonic() - started:.1f} s {text}{suffix}", flush=True)

    def skip(self, text: str, reason: str) -> None:
        self.skipped += 1
        print(f"skipped {text}: {reason}", flush=True)

    def say(self, text: str) -> None:
        """A line of a session somebody may want to read, such as the demo's."""
        print(text, flush=True)

    def finish(self) -> int:
        """Print the sums and return the exit status: nothing played is a failure too."""
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        sys.stdout.flush()
        return 0 if self.failed == 0 and self.passed > 0 else 1
