# SPDX-License-Identifier: Apache-2.0
"""The session of the paper's Figure 6: beta finds, uses and gives back alpha's stick."""

import re
import time

from ..devices import Disk, Keyboard, SerialPort
from . import agent

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True

MEBIBYTES = 64


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    stick = Disk("stick")
    alpha.plug(stick)
    alpha.plug(Keyboard("keyboard"))
    alpha.plug(SerialPort("serial"))
    bus_id = alpha.bus_id(stick)
    agent.install(office, report)
    agent.start_agent(report, beta)
    on_beta = session(report, beta)
    on_alpha = session(report, alpha)

    with report.step("beta lists alpha's stick within 5 s of the start of alpha's agent") as notes:
        agent.start_now(alpha)
        started = time.monotonic()
        # One loop in the guest: asking through ssh each time would measure ssh.
        beta.run(f"until devconfig list --json | grep -q '\"busid\" *: *\"{bus_id}\"'; do sleep 0.1; done", timeout=60)
        taken = time.monotonic() - started
        notes.append(f"{taken:.1f} s")
        assert taken <= 5, f"it took {taken:.1f} s"
    device = agent.wait_for_device(beta, host="alpha", busid=bus_id)
    identity = device["id"]

    with report.step("the list shows it free"):
        listed = on_beta("devconfig list")
        expect_row(listed, identity, "alpha", "DISCONN_DONE", "AVAIL", "NOBODY")
    with report.step("the long list is the block of Figure 6"):
        expect_block(on_beta(f"devconfig list --long {identity}"), identity, "DISCONN_DONE", "AVAIL", "NOBODY")

    with report.step("up attaches it and prints its node"):
        nodes = agent.nodes_in(on_beta(f"devconfig up {identity}"), identity)
        node = agent.disk_node_in(nodes)
    with report.step(f"beta makes a file system and writes {MEBIBYTES} MB of random bytes") as notes:
        on_beta(f"mkfs.ext4 -q -F {node}", timeout=300)
        on_beta(f"mount {node} /mnt")
        started = time.monotonic()
        on_beta(f"dd if=/dev/urandom of=/mnt/random bs=1M count={MEBIBYTES} conv=fsync status=none", timeout=600)
        notes.append(f"{MEBIBYTES / (time.monotonic() - started):.1f} MB/s")
        written = on_beta("sha256sum /mnt/random", timeout=300).split()[0]
    with report.step("both sides show it in use by root@beta"):
        expect_row(on_beta("devconfig list"), identity, "alpha", "CONN_DONE", "INUSE", "root@beta")
        there = agent.wait_for_device(alpha, host="alpha", busid=bus_id, remote_state="INUSE")
        expect_row(on_alpha("devconfig list"), there["id"], "alpha", "DISCONN_DONE", "INUSE", "root@beta")
        expect_block(on_beta(f"devconfig list --long {identity}"), identity, "CONN_DONE", "INUSE", "root@beta")
    with report.step("beta gives it back"):
        on_beta("umount /mnt", timeout=600)
        on_beta(f"devconfig down {identity}")
        beta.wait_until(f"! [ -e {node} ]")

    with report.step("alpha mounts the same disk and reads the same bytes"):
        there = agent.wait_for_device(alpha, host="alpha", busid=bus_id, remote_state="AVAIL")
        on_alpha_node = alpha.disk_node(stick)
        on_alpha(f"mount -o ro {on_alpha_node} /mnt")
        # What is mounted is denied at once; waiting for that here makes AVAIL below mean "again".
        agent.wait_for_device(alpha, host="alpha", busid=bus_id, remote_state="DENIED")
        read = on_alpha("sha256sum /mnt/random", timeout=300).split()[0]
        on_alpha("umount /mnt")
        assert read == written, f"beta wrote {written}, alpha reads {read}"
    with report.step("both sides show it free again"):
        agent.wait_for_device(alpha, host="alpha", busid=bus_id, remote_state="AVAIL", remote_user="NOBODY")
        agent.wait_for_device(beta, host="alpha", busid=bus_id, remote_state="AVAIL", remote_user="NOBODY")
        expect_row(on_alpha("devconfig list"), there["id"], "alpha", "DISCONN_DONE", "AVAIL", "NOBODY")
        expect_row(on_beta("devconfig list"), identity, "alpha", "DISCONN_DONE", "AVAIL", "NOBODY")


def session(report, machine):
    """A function that runs a command and shows it as a person at that machine would see it."""
    def show(command: str, timeout: float = 90) -> str:
        report.say(f"{machine.name}$ {command}")
        answer = machine.attempt(command, timeout)
        for line in (answer.stdout + answer.stderr).splitlines():
            report.say(line)
        assert answer.status == 0, f"{machine.name}$ {command}\n{answer}"
        return answer.stdout
    return show


def expect_row(table: str, identity: int, *columns: str) -> None:
    """The table has a row for this device that ends with these columns."""
    for row in table.splitlines():
        words = row.split()
        if words[:1] == [str(identity)]:
            assert tuple(words[-len(columns):]) == columns, f"expected {' '.join(columns)} in: {row}"
            return
    raise AssertionError(f"no row for device {identity} in:\n{table}")


def expect_block(text: str, identity: int, local_state: str, remote_state: str, remote_user: str) -> None:
    lines = text.rstrip("\n").splitlines()
    assert lines and re.fullmatch(rf"\s*{identity}: \S.*", lines[0]), f"no head line in:\n{text}"
    expected = ["   : IP:PORT      : 10.9.0.1:3240", f"   : local_state  : {local_state}",
                f"   : remote_state : {remote_state}", f"   : remote_user  : {remote_user}",
                "   : remote_module: USBIP"]
    assert lines[1:6] == expected, "expected\n{}\nbut got\n{}".format("\n".join(expected), text)
