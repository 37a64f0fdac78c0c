# SPDX-License-Identifier: Apache-2.0
"""The kernel's own USB test driver: the cases, and the program that asks for them."""

import errno

from .errors import CommandFailed, LabError
from .tools import installed_path

RUNNER = "usbtest-run"
OUTPUT = "/run/usbtest-run.out"


class Case:
    """One call of the driver. Lengths are bytes; the queue counts URBs or scatter-gather entries."""

    def __init__(self, number: int, title: str, iterations: int = 1, length: int = 0, vary: int = 0, queue: int = 0):
        self.number = number
        self.title = title
        self.iterations = iterations
        self.length = length
        self.vary = vary
        self.queue = queue

    def argument(self) -> str:
        return f"{self.number}:{self.iterations}:{self.length}:{self.vary}:{self.queue}"

    def parameters(self) -> str:
        parts = [f"queue of {self.queue}"] if self.queue else []
        parts += [f"{self.length} bytes"] if self.length else []
        parts += [f"varied by {self.vary}"] if self.vary else []
        return f"{self.iterations} × {', '.join(parts)}".rstrip()


# Reads are whole packets of 512 bytes, because the source sends nothing else and anything less is a babble. The counts
# are for emulated machines: half a minute for all of them.
CASES = (
    Case(0, "nothing"),
    Case(1, "bulk write", 200, 1024),
    Case(2, "bulk read", 200, 1024),
    Case(3, "bulk write, lengths vary", 200, 2048, vary=421),
    Case(4, "bulk read, lengths vary", 200, 2048, vary=512),
    Case(5, "scatter-gather write", 10, 1024, queue=32),
    Case(6, "scatter-gather read", 10, 1024, queue=32),
    Case(7, "scatter-gather write, lengths vary", 10, 2048, vary=421, queue=32),
    Case(8, "scatter-gather read, lengths vary", 10, 2048, vary=512, queue=32),
    Case(9, "standard control requests", 20),
    Case(10, "control queue with stalls and short reads", 10, queue=32),
    Case(13, "set and clear halt", 20),
    Case(14, "control write and read back", 90, 256, vary=3),
    Case(17, "bulk write from an odd address", 100, 1024),
    Case(18, "bulk read to an odd address", 100, 1024),
    Case(19, "bulk write from an odd address, mapped before", 100, 1024),
    Case(20, "bulk read to an odd address, mapped before", 100, 1024),
    Case(21, "control write from an odd address", 90, 256, vary=3),
    Case(27, "long queued bulk write", 8, 32768, queue=32),
    Case(28, "long queued bulk read", 8, 32768, queue=32),
    Case(29, "clear toggle between bulk writes", 30),
    # These loop in the kernel until the unlinking is seen through, where nothing can end them: so they come last.
    Case(24, "unlink from a queue of bulk writes", 30, 1024, queue=32),
    Case(12, "unlink bulk writes", 50, 1024),
    Case(11, "unlink bulk reads", 50, 1024),
)


class Outcome:
    """How a case ended: a status of 0 or a negative errno and its time in ms, or no status when it did not end."""

    def __init__(self, case: Case, status: int = None, milliseconds: int = 0, started: bool = True):
        self.case = case
        self.status = status
        self.milliseconds = milliseconds
        self.started = started

    @property
    def passed(self) -> bool:
        return self.status == 0

    def verdict(self) -> str:
        if self.status is None:
            return "did not end" if self.started else "not reached"
        if self.passed:
            return "pass"
        # usbtest adds 1000 or 2000 to the status of an URB that should have been unlinked and was not.
        name = errno.errorcode.get(-self.status)
        return f"{self.status} {name}" if name else str(self.status)

    def __str__(self) -> str:
        return f"case {self.case.number}, {self.case.title}: {self.verdict()} after {self.milliseconds} ms"


def attached_node(machine, gadget) -> str:
    """The usbfs node of the attached gadget, as soon as usbtest has it."""
    machine.run("modprobe usbtest")
    return machine.wait_until(
        "for d in /sys/devices/platform/vhci_hcd.*/usb*/*-*; do "
        f'[ "$(cat $d/idVendor 2>/dev/null)" = {gadget.vendor_id} ] && '
        f'[ "$(cat $d/idProduct)" = {gadget.product_id} ] && '
        '[ "$(basename "$(readlink "$d/${d##*/}:1.0/driver")")" = usbtest ] && '
        'printf "/dev/bus/usb/%03d/%03d" "$(cat $d/busnum)" "$(cat $d/devnum)" && exit 0; done; exit 1')


def run(machine, node: str, limit: float, cases: tuple = CASES) -> list:
    """Run the cases in their order; return an Outcome for each, also for the one that did not end within limit s."""
    # A file, because the output of a command that does not end is lost.
    command = f"{installed_path(RUNNER)} {node} {' '.join(case.argument() for case in cases)} > {OUTPUT}"
    try:
        answer = machine.attempt(command, timeout=limit)
        if answer.status not in (0, 124, 137):
            raise LabError(f"{machine.name}$ {command}\n{answer}")
    except CommandFailed:
        # Stuck in the kernel, where no signal ends it; what it wrote before says where.
        pass
    outcomes = []
    for line, case in zip(machine.run(f"cat {OUTPUT}").splitlines(), cases):
        number, status, milliseconds = (int(word) for word in line.split())
        assert number == case.number, f"expected case {case.number}: {line}"
        outcomes.append(Outcome(case, status, milliseconds))
    missing = cases[len(outcomes):]
    return outcomes + [Outcome(case, started=case is missing[0]) for case in missing]
