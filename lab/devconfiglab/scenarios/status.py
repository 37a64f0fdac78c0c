# SPDX-License-Identifier: Apache-2.0
"""Seen while it runs: counters of a disk in use, and a capture of it that Wireshark reads."""

import json
import struct
import time

from ..devices import Disk
from . import agent
from .common import AGENT

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True

MEBIBYTES = 4
LIMIT = 30
FILE = "/tmp/capture.pcapng"
# LINKTYPE_USB_LINUX_MMAPPED.
LINK_TYPE = 220
SECTION, INTERFACE, STATISTICS, PACKET = 0x0A0D0D0A, 1, 5, 6


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    stick = Disk("stick")
    alpha.plug(stick)
    here = {"host": "alpha", "busid": alpha.bus_id(stick)}
    agent.install(office, report)
    agent.start_agent(report, alpha, beta)
    identity = agent.wait_for_device(beta, **here, remote_state="AVAIL")["id"]
    there = agent.wait_for_device(alpha, **here)["id"]

    with report.step("of a free disk there is nothing to count and nothing to capture"):
        assert "traffic" not in status(alpha, there)
        refused = alpha.attempt(f"devconfig capture {there} {FILE}")
        assert refused.status == 1 and "nobody uses" in refused.stderr, str(refused)
        assert alpha.attempt(f"test -e {FILE}").status != 0, "a refused capture made a file"
    node = agent.disk_node_in(agent.up(beta, identity))
    with report.step(f"alpha records while beta writes and reads {MEBIBYTES} MB") as notes:
        alpha.run(f"systemd-run --quiet --unit=capture devconfig capture {there} {FILE}")
        alpha.wait_until(f"test -s {FILE}")
        before = status(alpha, there)["traffic"]
        beta.run(f"dd if=/dev/urandom of={node} bs=1M count={MEBIBYTES} oflag=direct status=none", timeout=120)
        beta.run(f"dd if={node} of=/dev/null bs=1M count={MEBIBYTES} iflag=direct status=none", timeout=120)
        traffic = wait_for_traffic(alpha, there, before)
        check(before, traffic)
        notes.append(f"{traffic['urbs']} URBs, {traffic['bytes_in']} bytes in, {traffic['bytes_out']} out")
    with report.step("for people: the block on alpha, the table on alpha, the port on beta"):
        for machine, command in ((alpha, f"devconfig status {there}"), (alpha, "devconfig status"),
                                 (beta, f"devconfig status {identity}")):
            report.say(f"{machine.name}$ {command}")
            for line in machine.run(command).splitlines():
                report.say(line)
        block = alpha.run(f"devconfig status {there}")
        assert "0x81 IN   bulk" in block and "root@beta" in block, block
        assert "alpha counts it" in beta.run(f"devconfig status {identity}")
    with report.step("Ctrl-C ends the capture: a file of whole blocks with the packets of those transfers") as notes:
        alpha.run("systemctl kill --signal=SIGINT capture")
        alpha.wait_until("! systemctl is-active --quiet capture")
        packets, dropped = read_capture(alpha, "first")
        assert packets > 2 * MEBIBYTES, f"{packets} packets"
        notes.append(f"{packets} packets, {dropped} dropped")
    with report.step("the journal says who recorded what, and how it ended"):
        journal = alpha.journal(f"-u {AGENT}")
        assert "a capture of a device starts" in journal and "capture ended" in journal, journal
    with report.step("strangers see neither"):
        for verb in (f"status {there}", f"capture {there} /tmp/other.pcapng"):
            answer = alpha.attempt(agent.as_user("nobody", f"devconfig {verb}"))
            assert answer.status == 8, str(answer)
    with report.step("the disk goes away: the capture ends by itself"):
        alpha.run(f"systemd-run --quiet --unit=second devconfig capture {there} {FILE}")
        alpha.wait_until("devconfig status --json | grep -q recorded")
        agent.down(beta, identity)
        alpha.wait_until("! systemctl is-active --quiet second")
        read_capture(alpha, "second")


def status(machine, identity: int) -> dict:
    document = json.loads(machine.run(f"devconfig status --json {identity}"))
    assert document["schema"] == "devconfig-status/1", document
    assert len(document["devices"]) == 1, document
    return document["devices"][0]


def wait_for_traffic(machine, identity: int, before: dict) -> dict:
    """What is counted once it is more than what was asked for; a session counts once a second at most."""
    end = time.monotonic() + LIMIT
    while True:
        traffic = status(machine, identity)["traffic"]
        if min(traffic[key] - before[key] for key in ("bytes_in", "bytes_out")) >= MEBIBYTES << 20:
            return traffic
        assert time.monotonic() < end, f"{before} became {traffic}"
        time.sleep(0.3)


def check(before: dict, after: dict) -> None:
    """The numbers are those of a disk that wrote and read."""
    least = MEBIBYTES << 20
    assert after["elapsed_us"] > before["elapsed_us"], (before, after)
    for direction in ("bytes_in", "bytes_out"):
        moved = after[direction] - before[direction]
        assert least <= moved < 2 * least, f"{direction}: {moved}"
    endpoints = {endpoint["address"]: endpoint for endpoint in after["endpoints"]}
    for endpoint in endpoints.values():
        assert sum(endpoint["latency_log2_us"]) + endpoint["cancelled"] == endpoint["completed"], endpoint
        assert endpoint["submitted"] == endpoint["completed"] + endpoint["outstanding"], endpoint
        assert not endpoint["is_overdue"], endpoint
    assert {endpoint["transfer"] for endpoint in endpoints.values()} == {"control", "bulk"}, endpoints
    assert after["overdue_endpoints"] == 0, after


def read_capture(machine, name: str) -> tuple:
    """Packets in the file, and what it says was dropped; every block is whole and of its kind."""
    target = machine.results / f"{name}.pcapng"
    machine.copy_out(FILE, target)
    content = target.read_bytes()
    kinds, dropped, at = [], None, 0
    while at < len(content):
        kind, length = struct.unpack_from("<II", content, at)
        assert length % 4 == 0 and length >= 12 and at + length <= len(content), f"a broken block at {at}"
        assert struct.unpack_from("<I", content, at + length - 4)[0] == length, f"a broken block at {at}"
        kinds.append(kind)
        if kind == INTERFACE:
            assert struct.unpack_from("<H", content, at + 8)[0] == LINK_TYPE
        elif kind == PACKET:
            assert content[at + 36:at + 37] in (b"S", b"C"), f"a packet of no kind at {at}"
        elif kind == STATISTICS:
            dropped = struct.unpack_from("<Q", content, at + 36)[0]
        at += length
    assert kinds[:2] == [SECTION, INTERFACE] and kinds[-1] == STATISTICS, kinds[:3] + kinds[-3:]
    assert set(kinds[2:-1]) <= {PACKET}, set(kinds)
    return kinds.count(PACKET), dropped
