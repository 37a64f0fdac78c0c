# SPDX-License-Identifier: Apache-2.0
"""Sequence numbers of vhci_hcd: counted, told, and an empty controller is made anew before they run out."""

import json

from ..devices import Disk
from . import agent
from .common import AGENT

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True

# Debian's kernel: ports of one controller, half of them for SuperSpeed.
PORTS = 30
# Instead of 2^30, which would take days.
RENEW_AFTER = 2500
MEBIBYTES = 64
DROP_IN = "/run/systemd/system/devconfigd.service.d/lab.conf"


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    sticks = [Disk("first", MEBIBYTES), Disk("second", MEBIBYTES)]
    for stick in sticks:
        alpha.plug(stick)
    agent.install(office, report)
    beta.write(DROP_IN, f"[Service]\nExecStart=\nExecStart=/usr/sbin/devconfigd --renew-after {RENEW_AFTER}\n")
    office.afterwards(beta, f"rm {DROP_IN}; systemctl daemon-reload")
    beta.run("systemctl daemon-reload; rm -f /run/devconfig/sequences.json")
    agent.start_agent(report, alpha, beta)
    first, second = (agent.wait_for_device(beta, host="alpha", busid=alpha.bus_id(stick), remote_state="AVAIL")["id"]
                     for stick in sticks)
    with report.step("two sticks are spread over two controllers") as notes:
        nodes = {identity: agent.disk_node_in(agent.up(beta, identity)) for identity in (first, second)}
        places = {identity: controller(beta, identity) for identity in (first, second)}
        assert places == {first: 0, second: 1}, places
        notes.append(f"{places}")
    with report.step(f"all of the second is read: its controller has used more than {RENEW_AFTER} numbers") as notes:
        before = generation(beta, 1)
        digest = read(beta, nodes[second])
        used = half(beta, 1)
        urbs = sum(int(number) for number in beta.run(
            "cat /sys/devices/platform/vhci_hcd.1/usb*/[0-9]*-[1-9]*/urbnum").split())
        assert used["sequence_numbers"] >= 2 * urbs >= RENEW_AFTER and used["state"] != "fresh", (used, urbs)
        notes.append(f"{urbs} URBs, {used['sequence_numbers']} numbers at most, {used['state']}")
    with report.step("doctor and status tell of it") as notes:
        told = [finding for finding in json.loads(beta.attempt("devconfig doctor --json").stdout)["findings"]
                if "half of controller 1" in finding["text"]]
        assert len(told) == 1, told
        notes.append(told[0]["text"])
        if used["state"] == "ending":
            note = status(beta, second)["note"]
            assert "runs out of sequence numbers" in note, note
            assert "runs out of sequence numbers" in beta.journal(f"-u {AGENT}"), beta.journal(f"-u {AGENT} -n 30")
    with report.step("detached, its controller is made anew while many ask for its ports, and counts from 0") as notes:
        # Who reads its status file at the wrong moment takes the kernel down.
        for number in range(3):
            office.afterwards(beta, f"systemctl stop lab-reader-{number} 2>/dev/null")
            beta.run(f"systemd-run --quiet --unit=lab-reader-{number} sh -c "
                     "'while :; do devconfig doctor --json; devconfig status --json; done > /dev/null'")
        agent.down(beta, second)
        beta.wait_until(f"journalctl -u {AGENT} | grep -q 'was made anew'", limit=30)
        after = generation(beta, 1)
        assert before and after and before.isdisjoint(after), (before, after)
        fresh = half(beta, 1)
        assert fresh["sequence_numbers"] == 0 and fresh["state"] == "fresh", fresh
        mode = beta.run("stat -c %a /sys/devices/platform/vhci_hcd.0/status.1").strip()
        assert mode == "444", mode
        beta.run("systemctl stop 'lab-reader-*'")
        notes.append(f"{sorted(before)} are {sorted(after)} now")
    with report.step("the second is attached to that controller again, and reads the same"):
        nodes[second] = agent.disk_node_in(agent.up(beta, second))
        assert controller(beta, second) == 1, status(beta, second)
        assert read(beta, nodes[second]) == digest
        agent.down(beta, second)
    with report.step("controller 0 has the control files: worn, it is left alone and told of") as notes:
        before = generation(beta, 0)
        read(beta, nodes[first])
        worn = half(beta, 0)
        assert worn["state"] != "fresh", worn
        agent.down(beta, first)
        findings = json.loads(beta.attempt("devconfig doctor --json").stdout)["findings"]
        told = [finding for finding in findings if "half of controller 0" in finding["text"]]
        assert len(told) == 1 and "modprobe -r vhci-hcd" in told[0]["mend"] or worn["state"] == "ending", told
        agent.up(beta, first)
        assert controller(beta, first) != 0, status(beta, first)
        assert generation(beta, 0) == before
        notes.append(f"{worn['sequence_numbers']} numbers at most; the first is on controller {controller(beta, first)} now")
        agent.down(beta, first)
    with report.step("loaded again as the finding says, controller 0 counts from 0 too"):
        beta.run("modprobe -r vhci-hcd && modprobe vhci-hcd", timeout=60)
        assert half(beta, 0)["sequence_numbers"] == 0, half(beta, 0)
    with report.step("an agent that was killed between both steps gives the controller its driver back") as notes:
        beta.run(f"systemctl stop {AGENT}")
        record = json.loads(beta.run("cat /run/devconfig/sequences.json"))
        record["unbound"] = [3]
        beta.write("/run/devconfig/sequences.json", json.dumps(record))
        beta.run("echo -n vhci_hcd.3 > /sys/bus/platform/drivers/vhci_hcd/unbind")
        assert not generation(beta, 3)
        agent.start_now(beta)
        beta.wait_until("test -e /sys/devices/platform/vhci_hcd.3/driver", limit=30)
        notes.append(f"{sorted(generation(beta, 3))}")


def read(machine, node: str) -> str:
    """The SHA-256 of a whole disk, read past the page cache."""
    machine.run(f"blockdev --flushbufs {node}")
    return machine.run(f"dd if={node} bs=64K iflag=direct status=none | sha256sum", timeout=300).split()[0]


def status(machine, identity: int) -> dict:
    document = json.loads(machine.run(f"devconfig status --json {identity}"))
    assert document["schema"] == "devconfig-status/1", document
    return document["devices"][0]


def controller(machine, identity: int) -> int:
    return status(machine, identity)["attachment"]["port"] // PORTS


def half(machine, number: int) -> dict:
    """The more used half of a controller."""
    halves = json.loads(machine.run("devconfig status --json"))["controllers"]
    return max((half for half in halves if half["controller"] == number), key=lambda half: half["sequence_numbers"])


def generation(machine, number: int) -> set:
    """The inodes of a controller's root hubs; none while it has no driver."""
    return set(machine.run(f"ls -di /sys/devices/platform/vhci_hcd.{number}/usb* 2>/dev/null | awk '{{print $1}}'").split())
