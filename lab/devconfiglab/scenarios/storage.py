# SPDX-License-Identifier: Apache-2.0
"""A disk is not detached under a mounted file system; by force it is, after everything was written."""

from ..devices import Disk
from . import agent

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True

IN_USE = 4


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    disk = Disk("disk", 128)
    alpha.plug(disk)
    agent.install(office, report)
    agent.start_agent(report, alpha, beta)
    here = {"host": "alpha", "busid": alpha.bus_id(disk)}
    identity = agent.wait_for_device(beta, **here, remote_state="AVAIL")["id"]
    with report.step("beta mounts alpha's disk"):
        node = agent.disk_node_in(agent.up(beta, identity))
        office.afterwards(beta, "umount -l /mnt 2>/dev/null; swapoff -a")
        beta.run(f"mkfs.ext4 -q -F {node} && mount {node} /mnt", timeout=120)
    with report.step("down names the mount and does nothing") as notes:
        refused(beta, identity, "", f"{node} is mounted on /mnt", notes)
        beta.run("dd if=/dev/urandom of=/mnt/random bs=64k count=64 status=none")
        digest = beta.run("sha256sum < /mnt/random")
        agent.wait_for_device(alpha, **here, remote_state="INUSE")
    with report.step("down --force writes everything first, and says so") as notes:
        done = beta.attempt(f"devconfig down --force {identity}", timeout=120)
        assert done.status == 0 and "/mnt: everything is written" in done.stderr, done
        beta.run("umount -l /mnt")
        agent.wait_for_device(beta, **here, remote_state="AVAIL", local_state="DISCONN_DONE")
        notes += done.stderr.splitlines()
    with report.step("alpha reads it back whole"):
        own = alpha.disk_node(disk)
        alpha.run(f"mount {own} /mnt", timeout=60)
        office.afterwards(alpha, "umount /mnt 2>/dev/null")
        assert alpha.run("sha256sum < /mnt/random") == digest
        alpha.run("umount /mnt")
        agent.wait_for_device(beta, **here, remote_state="AVAIL")
    with report.step("swap space is not given up, not even by force") as notes:
        node = agent.disk_node_in(agent.up(beta, identity))
        beta.run(f"mkswap -q {node} && swapon {node}", timeout=60)
        for option in ("", "--force"):
            refused(beta, identity, option, f"{node} is swap space", notes)
        beta.run(f"swapoff {node}")
        agent.down(beta, identity)


def refused(machine, identity: int, option: str, reason: str, notes: list) -> None:
    answer = machine.attempt(f"devconfig down {option} {identity}")
    assert answer.status == IN_USE and reason in answer.stderr, answer
    notes.append(answer.stderr.splitlines()[0])
