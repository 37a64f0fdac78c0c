# SPDX-License-Identifier: Apache-2.0
"""Restarting the agents cuts nobody: what is attached stays attached, and IDs stay what they were."""

from ..devices import Disk
from . import agent

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    stick = Disk("stick")
    alpha.plug(stick)
    here = {"host": "alpha", "busid": alpha.bus_id(stick)}
    agent.install(office, report)
    agent.start_agent(report, alpha, beta)

    with report.step("beta attaches the stick and keeps a file open on it") as notes:
        identity = agent.wait_for_device(beta, **here, remote_state="AVAIL")["id"]
        node = agent.disk_node_in(agent.up(beta, identity))
        office.afterwards(beta, f"umount /mnt; devconfig down {identity}")
        beta.run(f"mkfs.ext4 -q -F {node} && mount {node} /mnt", timeout=300)
        # Writes and syncs until it is stopped; a single error ends it.
        beta.run("systemd-run --quiet --unit=lab-writer bash -c "
                 "'set -e; while :; do date +%N > /mnt/pulse; sync -f /mnt/pulse; done'")
        office.afterwards(beta, "systemctl stop lab-writer")
        notes.append(node)
    for machine in (beta, alpha):
        with report.step(f"after a restart of {machine.name}'s agent, both agents know who has the stick"):
            agent.start_now(machine)
            agent.wait_for_device(beta, id=identity, local_state="CONN_DONE", remote_state="INUSE",
                                  remote_user="root@beta")
            agent.wait_for_device(alpha, **here, remote_state="INUSE", remote_user="root@beta")
        with report.step("and beta's writer never noticed"):
            before = beta.run("cat /mnt/pulse")
            beta.wait_until(f'[ "$(cat /mnt/pulse)" != "{before.strip()}" ]')
            beta.run("systemctl is-active --quiet lab-writer")
    with report.step("beta gives it back to an agent that did not exist when it was attached"):
        beta.run("systemctl stop lab-writer && umount /mnt", timeout=120)
        agent.down(beta, identity)
        agent.wait_for_device(alpha, **here, remote_state="AVAIL", remote_user="NOBODY")
        agent.wait_for_device(beta, **here, id=identity, local_state="DISCONN_DONE", remote_state="AVAIL")
