# SPDX-License-Identifier: Apache-2.0
"""Commands in a machine, over one shared ssh connection so that each of them is cheap."""

import shlex
import subprocess
import time
from pathlib import Path

from .errors import CommandFailed, LabError, NotReached

POLL = 0.3


class Answer:
    """What a command said: its exit status and both outputs."""

    def __init__(self, status: int, stdout: str, stderr: str):
        self.status = status
        self.stdout = stdout
        self.stderr = stderr

    def __str__(self) -> str:
        shown = [f"exit status {self.status}"]
        for title, text in (("stdout", self.stdout), ("stderr", self.stderr)):
            shown += [f"{title}: {line}" for line in text.rstrip().splitlines()]
        return "\n".join(shown)


def ssh_options(image, port: int, control_path: Path) -> list:
    options = {
        "IdentityFile": image.key, "IdentitiesOnly": "yes", "UserKnownHostsFile": image.known_hosts,
        "HostKeyAlias": "devconfig-lab", "StrictHostKeyChecking": "yes", "BatchMode": "yes", "LogLevel": "ERROR",
        "ControlPath": control_path, "Port": port, "Ciphers": "aes128-gcm@openssh.com", "Compression": "no",
        "ConnectTimeout": 20,
    }
    # -F none: the user's own ssh configuration must not change what the lab does.
    return ["-F", "none", *(part for key, value in options.items() for part in ("-o", f"{key}={value}"))]


class RemoteShell:
    def __init__(self, name: str, options: list, control_path: Path):
        self.name = name
        self.options = options
        self._control_path = control_path
        self._connection = None

    def connect(self, limit: float) -> None:
        """Open the shared connection. It is a child of this process, so that it ends with the lab."""
        end = time.monotonic() + limit
        while True:
            self.close()
            self._connection = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", "ssh", *self.options, "-M", "-N", "root@127.0.0.1"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                start_new_session=True)
            while self._connection.poll() is None and time.monotonic() < end:
                check = subprocess.run(["ssh", *self.options, "-O", "check", "root@127.0.0.1"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                if check.returncode == 0:
                    return
                time.sleep(0.1)
            if time.monotonic() >= end:
                self.close()
                raise NotReached(f"ssh to {self.name} did not open within {limit:.0f} s")

    def close(self) -> None:
        if self._connection:
            self._connection.kill()
            self._connection.communicate()
            self._connection = None
            # Killed, it leaves its socket behind, and the next one would not share its connection.
            self._control_path.unlink(missing_ok=True)

    def command_line(self, command: str, timeout: float) -> list:
        # The guest's own timeout ends the command there; ours below is for a guest that is gone.
        limited = f"exec timeout --kill-after=5 {timeout:.0f} bash -c {shlex.quote(command)}"
        return ["ssh", *self.options, "-o", "ControlMaster=no", "root@127.0.0.1", limited]

    def start(self, command: str, timeout: float = 60, **streams) -> subprocess.Popen:
        """Start a command and return at once; the caller waits for it."""
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
        return subprocess.Popen(self.command_line(command, timeout), start_new_session=True, **streams)

    def attempt(self, command: str, timeout: float = 60, **streams) -> Answer:
        """Run a command and return how it ended, however that was."""
        process = self.start(command, timeout, **streams)
        try:
            stdout, stderr = process.communicate(timeout=timeout + 20)
        except subprocess.TimeoutExpired:
            raise CommandFailed(f"{self.name}$ {command}\n{self.name} did not answer in {timeout:.0f} s") from None
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
        return Answer(process.returncode, *((text or b"").decode(errors="replace") for text in (stdout, stderr)))

    def run(self, command: str, timeout: float = 60, **streams) -> str:
        """Run a command that has to succeed and return its stdout."""
        answer = self.attempt(command, timeout, **streams)
        if answer.status != 0:
            shown = "timed out" if answer.status == 124 else ""
            raise CommandFailed(f"{self.name}$ {command}\n{answer} {shown}".rstrip())
        return answer.stdout

    def wait_until(self, command: str, limit: float = 30) -> str:
        """Wait until a command succeeds and return its stdout."""
        end = time.monotonic() + limit
        while True:
            answer = self.attempt(command, timeout=max(10, limit))
            if answer.status == 0:
                return answer.stdout
            if time.monotonic() > end:
                raise NotReached(f"{self.name}$ {command}\nnot reached within {limit:.0f} s; last time: {answer}")
            time.sleep(POLL)

    def copy_in(self, source: Path, target: str, timeout: float = 120) -> None:
        """Copy one file of the host into the machine, with its permission to execute."""
        with open(source, "rb") as content:
            mode = "755" if Path(source).stat().st_mode & 0o100 else "644"
            quoted = shlex.quote(target)
            self.run(f"mkdir -p $(dirname {quoted}) && cat > {quoted} && chmod {mode} {quoted}", timeout,
                     stdin=content)

    def copy_out(self, source: str, target: Path, timeout: float = 120) -> None:
        """Copy one file of the machine to the host."""
        with open(target, "wb") as content:
            self.run(f"cat {shlex.quote(source)}", timeout, stdout=content)

    def write(self, target: str, text: str) -> None:
        """Write a small text file in the machine."""
        self.run(f"mkdir -p $(dirname {shlex.quote(target)}) && printf %s {shlex.quote(text)} > {shlex.quote(target)}")


def interactive(options: list, command: list) -> int:
    """`lab ssh`: the user's terminal, or the given command."""
    return subprocess.run(["ssh", *options, "-o", "ControlMaster=no", *(["-t"] if not command else []),
                           "root@127.0.0.1", *command]).returncode


def need_program(name: str) -> None:
    from shutil import which
    if not which(name):
        raise LabError(f"{name} is not installed; `lab/lab requirements` lists the Debian packages the lab needs")
