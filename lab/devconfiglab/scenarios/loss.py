# SPDX-License-Identifier: Apache-2.0
"""Plugs pulled, cables cut, power lost: nothing stays INUSE after its user is gone."""

import time

from ..devices import Disk
from . import agent

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True

# Long enough for a slow emulated machine, short enough that nobody would call the device stuck.
LIMIT = 90


def play(office, report) -> None:
    office.needs_power_switch()
    alpha, beta = office.alpha, office.beta
    stick = Disk("stick")
    alpha.plug(stick)
    here = {"host": "alpha", "busid": alpha.bus_id(stick)}
    agent.install(office, report)
    agent.start_agent(report, alpha, beta)
    identity = agent.wait_for_device(beta, **here, remote_state="AVAIL")["id"]

    device_unplugged(alpha, beta, stick, identity, here, report)
    cable_cut(alpha, beta, identity, here, report)
    power_lost(alpha, beta, identity, here, report)


def device_unplugged(alpha, beta, stick, identity: int, here: dict, report) -> None:
    with report.step("the stick is pulled out while beta has it: beta's disk goes away"):
        node = agent.disk_node_in(agent.up(beta, identity))
        alpha.unplug(stick.name)
        beta.wait_until(f"! [ -e {node} ]", limit=LIMIT)
    with report.step("plugged in again, it is free and has its old ID"):
        alpha.plug(stick.name)
        agent.wait_for_device(alpha, LIMIT, **here, remote_state="AVAIL", remote_user="NOBODY")
        agent.wait_for_device(beta, LIMIT, **here, id=identity, remote_state="AVAIL")


def cable_cut(alpha, beta, identity: int, here: dict, report) -> None:
    # A beta that means to have the stick may take it again once the cable is back: see CONN_RETRY.
    with report.step("the LAN is cut somewhere behind the wall: alpha has its stick back") as notes:
        agent.up(beta, identity)
        agent.wait_for_device(alpha, **here, remote_state="INUSE")
        beta.cut_network(silently=True)
        started = time.monotonic()
        agent.wait_for_device(alpha, LIMIT, **here, remote_state="AVAIL", remote_user="NOBODY")
        notes.append(f"after {time.monotonic() - started:.0f} s")
    with report.step("the cable is back: beta can let go, and both agree that the stick is free"):
        beta.restore_network()
        agent.wait_for_device(beta, LIMIT, **here)
        agent.down(beta, identity)
        agent.wait_for_device(alpha, LIMIT, **here, remote_state="AVAIL", remote_user="NOBODY")
        agent.wait_for_device(beta, LIMIT, **here, id=identity, local_state="DISCONN_DONE", remote_state="AVAIL")


def power_lost(alpha, beta, identity: int, here: dict, report) -> None:
    with report.step("beta loses its power: alpha has its stick back") as notes:
        agent.up(beta, identity)
        agent.wait_for_device(alpha, **here, remote_state="INUSE", remote_user="root@beta")
        beta.run("sync")
        beta.power_off_hard()
        started = time.monotonic()
        agent.wait_for_device(alpha, LIMIT, **here, remote_state="AVAIL", remote_user="NOBODY")
        notes.append(f"after {time.monotonic() - started:.0f} s")
    with report.step("beta boots again and knows the stick by its old ID"):
        beta.boot_again()
        agent.start_now(beta)
        agent.wait_for_device(beta, LIMIT, **here, id=identity)
    with report.step("and can attach it"):
        # It may have come back by itself; `up` says so and succeeds either way.
        beta.run(f"devconfig up {identity}", timeout=90)
        agent.wait_for_device(beta, LIMIT, id=identity, local_state="CONN_DONE", remote_state="INUSE")
        agent.down(beta, identity)
