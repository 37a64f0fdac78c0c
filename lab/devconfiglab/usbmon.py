# SPDX-License-Identifier: Apache-2.0
"""What a machine's kernel saw of the requests to one device: traces of usbmon, and how two of them differ."""

from difflib import SequenceMatcher

from .errors import LabError
from .usbfs import errno_name

DIRECTORY = "/sys/kernel/debug/usb/usbmon"
TRACE = "/run/usbmon.trace"
UNIT = "lab-usbmon"
KINDS = {"C": "control", "B": "bulk", "I": "interrupt", "Z": "isochronous"}


def start(machine) -> None:
    """Record all buses of a machine, from now on."""
    machine.run("mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug; modprobe usbmon; "
                f"systemd-run --quiet --unit={UNIT} bash -c 'exec cat {DIRECTORY}/0u > {TRACE}'")
    machine.wait_until(f"grep -q 'nreaders [1-9]' {DIRECTORY}/0s")


def stop(machine, node: str) -> list:
    """End the recording; return the requests to the device with this usbfs node, as a list of Request."""
    # A line that was written to the pipe a moment ago is read before the reader is stopped.
    machine.run("sleep 0.3")
    counts = machine.run(f"cat {DIRECTORY}/0s")
    machine.run(f"systemctl stop {UNIT}")
    if "text_lost 0" not in counts:
        raise LabError(f"usbmon of {machine.name} lost lines: {counts.strip()}")
    bus, device = (int(part) for part in node.split("/")[-2:])
    return requests(machine.run(f"cat {TRACE}"), bus, device)


class Request:
    """One URB: how it was submitted, how it completed, and how many places after its turn; before it, below 0."""

    def __init__(self, endpoint: str, setup: str, length: int, sent: str):
        self.endpoint = endpoint
        self.setup = setup
        self.length = length
        self.sent = sent
        self.status = None
        self.actual_length = None
        self.received = ""
        self.late = 0

    @property
    def asked(self) -> str:
        return f"{self.endpoint}: {self.setup + ', ' if self.setup else ''}{self.length} bytes"

    @property
    def answer(self) -> str:
        if self.status is None:
            return "not completed"
        place = f", {abs(self.late)} places {'after' if self.late > 0 else 'before'} its turn" if self.late else ""
        data = f" {self.received}" if self.received else ""
        return f"{errno_name(self.status)}, {self.actual_length} bytes{data}{place}"

    def same_as(self, other) -> bool:
        return (self.asked, self.sent, self.answer) == (other.asked, other.sent, other.answer)


def requests(trace: str, bus: int, device: int) -> list:
    """Parse the text of usbmon, Documentation/usb/usbmon.rst, "1u" format."""
    found, outstanding, submitted, completed = [], {}, {}, {}
    for line in trace.splitlines():
        words = line.split()
        if len(words) < 5:
            raise LabError(f"not a line of usbmon: {line}")
        tag, event, address = words[0], words[2], words[3].split(":")
        if (int(address[1]), int(address[2])) != (bus, device):
            continue
        # Control requests of both directions are in one order.
        direction = "" if address[0][0] == "C" else " in" if address[0][1] == "i" else " out"
        endpoint = f"{KINDS[address[0][0]]} {int(address[3])}{direction}"
        rest = words[4:]
        setup = ""
        if rest[0] == "s":
            setup, rest = " ".join(rest[1:6]), rest[6:]
            status = 0
        else:
            # Behind the status: interval, start frame and error count, which are not of the exporter's making.
            status, rest = int(rest[0].split(":")[0]), rest[1:]
        length, data = int(rest[0]), "".join(rest[2:]) if rest[1:2] == ["="] else ""
        if event == "S":
            outstanding[tag] = Request(endpoint, setup, length, data)
            found.append(outstanding[tag])
            submitted[tag] = sum(request.endpoint == endpoint for request in found)
        elif tag in outstanding:
            request = outstanding.pop(tag)
            completed[endpoint] = completed.get(endpoint, 0) + 1
            request.late = completed[endpoint] - submitted[tag]
            request.status, request.actual_length, request.received = status, length, data
    return found


def differences(first: list, second: list) -> list:
    """Pairs of requests that are not the same, endpoint by endpoint: one of each trace, or None where it has none.

    Between endpoints there is no order to compare.
    """
    pairs = []
    for endpoint in sorted({request.endpoint for request in first + second}):
        one, other = ([request for request in trace if request.endpoint == endpoint] for trace in (first, second))
        keys = [[request.asked + request.sent for request in trace] for trace in (one, other)]
        for kind, low, high, other_low, other_high in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
            if kind == "equal":
                pairs += [pair for pair in zip(one[low:high], other[other_low:other_high])
                          if not pair[0].same_as(pair[1])]
            else:
                pairs += [(request, None) for request in one[low:high]]
                pairs += [(None, request) for request in other[other_low:other_high]]
    return pairs
