# SPDX-License-Identifier: Apache-2.0
"""Agents and Avahi stop and start again: everything is given back, and IDs stay what they were.

What happens to a device in use when an agent is restarted or killed is in upgrade.py.
"""

from ..devices import Disk
from . import agent
from .common import AGENT

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True

# A slow emulated machine needs this long for what takes a second elsewhere.
LIMIT = 60


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    stick = Disk("stick")
    alpha.plug(stick)
    here = {"host": "alpha", "busid": alpha.bus_id(stick)}
    agent.install(office, report)
    agent.start_agent(report, alpha, beta)
    identity = agent.wait_for_device(beta, **here, remote_state="AVAIL")["id"]

    with report.step("beta's agent is stopped: alpha has its stick and its driver back"):
        agent.up(beta, identity)
        beta.run(f"systemctl stop {AGENT}", timeout=90)
        nothing_attached(beta)
        free_again(alpha, stick, here)
    with report.step("started again, beta knows the stick by its old ID"):
        agent.start_now(beta)
        agent.wait_for_device(beta, LIMIT, **here, id=identity, remote_state="AVAIL")
    with report.step("cleaning up twice is harmless"):
        for _ in range(2):
            alpha.run("/usr/sbin/devconfigd --cleanup")

    for machine in (alpha, beta):
        with report.step(f"avahi-daemon is restarted on {machine.name}: beta lists the stick again, by its ID"):
            machine.run("systemctl restart avahi-daemon")
            agent.wait_for_device(beta, LIMIT, **here, id=identity, remote_state="AVAIL")
            agent.up(beta, identity)
            agent.wait_for_device(alpha, LIMIT, **here, remote_state="INUSE", remote_user="root@beta")
            agent.down(beta, identity)
            agent.wait_for_device(beta, LIMIT, **here, id=identity, remote_state="AVAIL")
    with report.step("without avahi-daemon the agents start and say so; once it is there, beta lists the stick"):
        for machine in (alpha, beta):
            machine.run(f"systemctl stop {AGENT}; systemctl stop avahi-daemon.socket avahi-daemon.service")
            office.afterwards(machine, "systemctl start avahi-daemon.service")
            # Started without its wish for Avahi, which would bring it back.
            machine.run("systemctl mask --runtime avahi-daemon.service")
            agent.start_now(machine)
            machine.wait_until(f"journalctl -u {AGENT} --since=-60s | grep -q 'avahi-daemon is not there'", limit=LIMIT)
        for machine in (alpha, beta):
            machine.run("systemctl unmask --runtime avahi-daemon.service && systemctl start avahi-daemon.service")
        agent.wait_for_device(beta, LIMIT, **here, id=identity, remote_state="AVAIL")
    with report.step("pulled out and plugged in again, the stick keeps its ID on both machines"):
        known = agent.wait_for_device(alpha, **here)["id"]
        alpha.unplug(stick.name)
        agent.wait_for_device(beta, LIMIT, id=identity, remote_state="OFFLINE")
        alpha.plug(stick.name)
        bus_id = alpha.bus_id(stick)
        agent.wait_for_device(alpha, LIMIT, host="alpha", busid=bus_id, id=known, remote_state="AVAIL")
        agent.wait_for_device(beta, LIMIT, host="alpha", busid=bus_id, id=identity, remote_state="AVAIL")


def free_again(alpha, stick, here: dict) -> None:
    """The stick is AVAIL, nobody has it, and alpha's own driver has made its disk again."""
    agent.wait_for_device(alpha, LIMIT, **here, remote_state="AVAIL", remote_user="NOBODY")
    assert alpha.disk_node(stick), "alpha's kernel has no disk"
    # The kernel keeps 15 letters of a name.
    session = alpha.attempt("pgrep -x devconfig-sessi")
    assert session.status != 0, f"a session is left over: {session}"


def nothing_attached(machine) -> None:
    """No port of vhci_hcd is in use."""
    used = machine.run("awk 'NR > 1 && $3 != 4' /sys/devices/platform/vhci_hcd.0/status*")
    assert not [line for line in used.splitlines() if not line.startswith("hub")], used
