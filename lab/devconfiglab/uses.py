# SPDX-License-Identifier: Apache-2.0
"""What people do with a device: each use is given both machines, the device and its nodes on beta, and says what it saw.

A use works with beta's own driver, and with alpha's or QEMU's end of the device. Where no driver is in the machines,
the device's own protocol is spoken through usbfs.
"""

import hashlib
import random
import re
import socket
import struct

from . import usbfs
from .errors import LabError
from .gadgets import REPORT_LENGTH

MEBIBYTES = 8
SINE_SECONDS = 2
SONG = random.Random(1).randbytes(40_000)
# Of struct input_event on a 64-bit machine: two words of time, then type, code and value.
EVENT = struct.Struct("<QQHHi")
KEY, ABSOLUTE = 1, 3
# linux/input-event-codes.h
CODES = {"a": 30, "b": 48, "ret": 28}


def node(nodes: list, pattern: str) -> str:
    found = [node for node in nodes if re.fullmatch(pattern, node)]
    assert found, f"no {pattern} among {nodes}"
    return found[0]


# -- disks -------------------------------------------------------------------------------------------------


def disk(alpha, beta, device, nodes: list) -> str:
    path = node(nodes, "/dev/sd[a-z]+")
    beta.run(f"head -c {MEBIBYTES}M /dev/urandom > /run/random", timeout=120)
    beta.run(f"dd if=/run/random of={path} bs=1M conv=fsync status=none", timeout=300)
    written = beta.run("sha256sum < /run/random; rm /run/random").split()[0]
    device.written = written
    assert read_back(beta, path) == written, "beta reads something else than it wrote"
    return f"{MEBIBYTES} MB, sha256 {written[:12]}…"


def read_back(machine, path: str) -> str:
    """From the disk, not from memory."""
    return machine.run(f"blockdev --flushbufs {path}; head -c {MEBIBYTES}M {path} | sha256sum", timeout=300).split()[0]


# -- what people touch -------------------------------------------------------------------------------------


def keyboard(alpha, beta, device, nodes: list) -> str:
    path = node(nodes, "/dev/input/event[0-9]+")
    watch(beta, path)
    for name in CODES:
        alpha.monitor.execute("send-key", keys=[{"type": "qcode", "data": name}], **{"hold-time": 100})
        beta.wait_until(f"[ $(stat -c %s {WATCHED}) -ge {(list(CODES).index(name) + 1) * 4 * EVENT.size} ]")
    expected = [(code, value) for code in CODES.values() for value in (1, 0)]
    seen = [(code, value) for kind, code, value in watched(beta) if kind == KEY]
    assert seen == expected, f"expected {expected}, seen {seen}"
    return f"{path}: {' '.join(CODES)}"


def tablet(alpha, beta, device, nodes: list) -> str:
    path = node(nodes, "/dev/input/event[0-9]+")
    watch(beta, path)
    places = [(1000, 30000), (20000, 5), (32767, 16000)]
    for number, place in enumerate(places, start=1):
        events = [{"type": "abs", "data": {"axis": axis, "value": value}} for axis, value in zip("xy", place)]
        alpha.monitor.execute("input-send-event", events=events)
        beta.wait_until(f"[ $(stat -c %s {WATCHED}) -ge {number * 3 * EVENT.size} ]")
    seen = [(code, value) for kind, code, value in watched(beta) if kind == ABSOLUTE]
    expected = [(axis, value) for place in places for axis, value in enumerate(place)]
    assert seen == expected, f"expected {expected}, seen {seen}"
    return f"{path}: {len(places)} places"


WATCHED = "/run/watched"


def watch(machine, path: str) -> None:
    """Copy a node to a file from now on: it is open when this returns."""
    machine.run(f"exec 3< {path}; timeout 60 cat <&3 > {WATCHED} 2>/dev/null & echo $! > {WATCHED}.pid; exec 3<&-")


def watched(machine) -> list:
    """End it; the input events it saw, as type, code and value."""
    machine.run(f"kill $(cat {WATCHED}.pid)")
    data = bytes.fromhex(machine.run(f"od -An -v -tx1 {WATCHED}"))
    return [EVENT.unpack_from(data, at)[2:] for at in range(0, len(data) - EVENT.size + 1, EVENT.size)]


# -- bytes both ways ---------------------------------------------------------------------------------------

RAW = "raw -echo -echoe -echok"
TEXT = "".join(f"line {number} of what was sent\n" for number in range(20))


def serial_port(alpha, beta, device, nodes: list) -> str:
    path = node(nodes, "/dev/ttyUSB[0-9]+")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as cable:
        cable.settimeout(30)
        cable.connect(str(device.cable))
        beta.run(f"stty -F {path} 115200 {RAW}")
        watch(beta, path)
        # The port of an emulated machine forgets what comes faster than it is read.
        for line in TEXT.splitlines(keepends=True):
            cable.sendall(line.encode())
        received(beta, TEXT)
        beta.run(send(path))
        data = b""
        while len(data) < len(TEXT):
            more = cable.recv(4096)
            assert more, "QEMU closed the cable"
            data += more
    assert data.decode() == TEXT, f"QEMU received {data!r}"
    return f"{path}: {len(TEXT)} bytes each way"


def send(path: str) -> str:
    return f"printf '{TEXT.encode('unicode_escape').decode()}' > {path}"


def received(machine, expected: str) -> None:
    """What is watched has become this, byte for byte."""
    machine.wait_until(f"[ $(stat -c %s {WATCHED}) -ge {len(expected)} ]")
    text = machine.run(f"kill $(cat {WATCHED}.pid); cat {WATCHED}")
    assert text == expected, f"received {text!r}"


def both_ways(alpha, beta, here: str, there: str) -> str:
    """Between the gadget's end on alpha and the node on beta."""
    for reader, source, writer, target in ((beta, there, alpha, here), (alpha, here, beta, there)):
        watch(reader, source)
        writer.run(send(target), timeout=30)
        received(reader, TEXT)
    return f"{there}: {len(TEXT)} bytes each way"


def modem(alpha, beta, device, nodes: list) -> str:
    path = node(nodes, "/dev/ttyACM[0-9]+")
    alpha.run(f"stty -F {device.end} {RAW}")
    beta.run(f"stty -F {path} {RAW}")
    return both_ways(alpha, beta, device.end, path)


def printer(alpha, beta, device, nodes: list) -> str:
    return both_ways(alpha, beta, device.end, node(nodes, "/dev/usb/lp[0-9]+"))


def reports(alpha, beta, device, nodes: list) -> str:
    path = node(nodes, "/dev/hidraw[0-9]+")
    watch(beta, path)
    sent = [f"report {number}"[:REPORT_LENGTH] for number in range(4)]
    for text in sent:
        alpha.run(f"printf '{text}' > {device.end}")
    received(beta, "".join(sent))
    watch(alpha, device.end)
    for text in sent:
        # A report is its number, 0 where a device has but one kind, and its bytes.
        beta.run(f"printf '\\0{text}' > {path}")
    received(alpha, "".join(sent))
    return f"{path}: {len(sent)} reports each way"


# -- network, sound ----------------------------------------------------------------------------------------


def network_adapter(alpha, beta, device, nodes: list) -> str:
    interface = next(node for node in nodes if not node.startswith("/"))
    beta.run(f"ip address replace {device.ADDRESS} dev {interface} && ip link set {interface} up")
    answer = beta.run(f"ping -q -c 5 -i 0.3 -s 1200 -I {interface} {device.PEER}", timeout=60)
    assert " 0% packet loss" in answer, answer
    return f"{interface}: {answer.strip().splitlines()[-2]}"


def loudspeaker(alpha, beta, device, nodes: list) -> str:
    from .scenarios.sound import play_sine
    return play_sine(beta, SINE_SECONDS).note()


# -- without a driver: the device's own protocol -----------------------------------------------------------


class Bulk:
    """Bulk messages to the first interface of an attached device."""

    def __init__(self, machine, device):
        self.machine = machine
        directory = usbfs.attached_directory(machine, device)
        self.node = usbfs.node_of(machine, directory)
        listed = [line.split() for line in machine.run(
            f"cd {directory}/*:*.0 && for e in ep_*; do echo ${{e#ep_}} $(cat $e/type); done").splitlines()]
        bulk = [int(number, 16) for number, kind in listed if kind == "Bulk"]
        self.input = next(number for number in bulk if number & 0x80)
        self.output = next(number for number in bulk if not number & 0x80)

    def exchange(self, message: bytes, answers: int, length: int = 65536) -> list:
        """Send a message; return the data of the transfers that answer it."""
        steps = ["claim:0", f"out:{self.output}:{len(message)}:1:{message.hex()}"]
        steps += [f"in:{self.input}:{length}:1"] * answers
        played = usbfs.play(self.machine, self.node, steps)
        return [step.only().data for step in played[1:]][1:]


def card_reader(alpha, beta, device, nodes: list) -> str:
    """PC_to_RDR_GetSlotStatus, 6.1.3 of the CCID specification; the reader has no card."""
    bulk = Bulk(beta, device)
    for sequence in (7, 8):
        message = struct.pack("<BIBB3x", 0x65, 0, 0, sequence)
        answer = bulk.exchange(message, 1)[0]
        kind, length, slot, echoed, status, error, clock = struct.unpack("<BIBBBBB", answer)
        assert (kind, length, slot, echoed) == (0x81, 0, 0, sequence), answer.hex()
        assert status & 3 == 2, f"expected a slot without a card: {answer.hex()}"
    return f"slot status {answer.hex()}"


GET_DEVICE_INFO, OPEN_SESSION, GET_OBJECT_HANDLES, GET_OBJECT = 0x1001, 0x1002, 0x1007, 0x1009
COMMAND, DATA, RESPONSE, OK = 1, 2, 3, 0x2001
CONTAINER = struct.Struct("<IHHI")


def media_player(alpha, beta, device, nodes: list) -> str:
    """PTP over bulk, as in PIMA 15740 and the still image class: who are you, what do you have, give it to me."""
    bulk = Bulk(beta, device)
    information = transaction(bulk, GET_DEVICE_INFO, 0)
    assert "QEMU".encode("utf-16-le") in information, information.hex()
    transaction(bulk, OPEN_SESSION, 0, 1, data=False)
    handles = transaction(bulk, GET_OBJECT_HANDLES, 1, 0xFFFFFFFF, 0, 0xFFFFFFFF)
    numbers = struct.unpack(f"<{len(handles) // 4}I", handles)
    assert numbers[0] == 1, f"expected one file: {numbers}"
    song = transaction(bulk, GET_OBJECT, 2, numbers[1])
    assert song == device.content, f"{len(song)} bytes, not those of the file"
    return f"a file of {len(song)} bytes, sha256 {hashlib.sha256(song).hexdigest()[:12]}…"


def transaction(bulk: Bulk, operation: int, number: int, *parameters: int, data: bool = True) -> bytes:
    """One operation; its data, if it has a data phase."""
    message = CONTAINER.pack(CONTAINER.size + 4 * len(parameters), COMMAND, operation, number)
    message += struct.pack(f"<{len(parameters)}I", *parameters)
    *sent, response = bulk.exchange(message, 2 if data else 1)
    kind, code = CONTAINER.unpack_from(response)[1:3]
    if (kind, code) != (RESPONSE, OK):
        raise LabError(f"operation {operation:#x} ended with {response.hex()}")
    if not data:
        return b""
    length, kind = CONTAINER.unpack_from(sent[0])[:2]
    assert (length, kind) == (len(sent[0]), DATA), f"{len(sent[0])} bytes, header {sent[0][:12].hex()}"
    return sent[0][CONTAINER.size:]


# -- what is looked at when beta has given the device back ---------------------------------------------------


def given_back(alpha, device) -> None:
    """Alpha's own driver works again: a disk has what beta wrote."""
    if hasattr(device, "written"):
        assert read_back(alpha, alpha.disk_node(device)) == device.written, "alpha reads something else"
