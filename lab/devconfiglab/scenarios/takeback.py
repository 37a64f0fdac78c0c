# SPDX-License-Identifier: Apache-2.0
"""The machine of a device takes it back from its user: never from under a mounted file system, unless it is forced."""

import time

from ..devices import Disk
from . import agent
from .common import stock_attach
from .restart import nothing_attached
from .rules import FILE

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True

IN_USE = 4
# To ask a machine that is off, and to see that the device is here again.
AT_ONCE = 12


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    disk = Disk("disk", 128)
    alpha.plug(disk)
    agent.install(office, report)
    alpha.run(f"cp {FILE} /root/devconfig.yaml")
    office.afterwards(alpha, f"cp /root/devconfig.yaml {FILE}")
    agent.start_agent(report, alpha, beta)
    here = {"host": "alpha", "busid": alpha.bus_id(disk)}
    identity = agent.wait_for_device(beta, **here, remote_state="AVAIL")["id"]
    own = agent.wait_for_device(alpha, **here)["id"]
    mounted(office, disk, own, identity, here, report)
    kept(alpha, beta, own, identity, here, report)
    unreachable(alpha, beta, own, identity, here, report)
    foreign(alpha, beta, disk, own, here, report)


def mounted(office, disk, own: int, identity: int, here: dict, report) -> None:
    alpha, beta = office.alpha, office.beta
    with report.step("beta mounts alpha's disk"):
        node = agent.disk_node_in(agent.up(beta, identity))
        office.afterwards(beta, "umount -l /mnt 2>/dev/null; true")
        beta.run(f"mkfs.ext4 -q -F {node} && mount {node} /mnt", timeout=120)
    with report.step("alpha's unshare leaves it with beta, --now names the mount on beta and does nothing") as notes:
        said = alpha.attempt(f"devconfig unshare {own}")
        assert said.status == 0 and f"devconfig unshare --now {own}" in said.stderr, said
        said = alpha.attempt(f"devconfig unshare --now {own}")
        assert said.status == IN_USE and f"in use on beta: {node} is mounted on /mnt" in said.stderr, said
        agent.wait_for_device(alpha, **here, remote_state="INUSE")
        beta.run("dd if=/dev/urandom of=/mnt/random bs=64k count=64 status=none")
        notes += said.stderr.splitlines()
    with report.step("--force has beta write everything first, and says so") as notes:
        digest = beta.run("sha256sum < /mnt/random")
        notes += taken(alpha, own, "--force", "/mnt: everything is written")
        beta.run("umount -l /mnt")
        agent.wait_for_device(beta, **here, remote_state="DENIED", local_state="DISCONN_DONE")
        nothing_attached(beta)
    with report.step("alpha reads it back whole"):
        alpha.run(f"mount {alpha.disk_node(disk)} /mnt", timeout=60)
        office.afterwards(alpha, "umount /mnt 2>/dev/null; true")
        assert alpha.run("sha256sum < /mnt/random") == digest
        alpha.run("umount /mnt")


def kept(alpha, beta, own: int, identity: int, here: dict, report) -> None:
    with report.step("what beta keeps is taken back too, and beta says why it does not come back") as notes:
        shared_again(alpha, beta, own, here)
        beta.run(f"devconfig up --keep {identity}", timeout=90)
        taken(alpha, own, "--now", "")
        agent.wait_for_device(beta, id=identity, local_state="CONN_RETRY", remote_state="DENIED")
        # First it was just lost; the next try brings the reason.
        beta.wait_until("devconfig list --json | grep -q 'is not shared: a rule of its machine'")
        notes.append(agent.wait_for_device(beta, id=identity)["reason"])
    with report.step("shared again, beta has it again by itself; down lets go of it"):
        alpha.run(f"devconfig share {own}")
        agent.wait_for_device(beta, id=identity, local_state="CONN_DONE")
        agent.down(beta, identity)


def unreachable(alpha, beta, own: int, identity: int, here: dict, report) -> None:
    with report.step("from a machine that does not answer it is taken by force, at once") as notes:
        shared_again(alpha, beta, own, here)
        agent.up(beta, identity)
        # Not asked without force first: meanwhile alpha would notice the loss by itself.
        beta.cut_network(silently=True)
        started = time.monotonic()
        notes += taken(alpha, own, "--force", "does not answer")
        took = time.monotonic() - started
        assert took < AT_ONCE, f"{took:.1f} s"
        notes.append(f"{took:.1f} s")
    with report.step("with its network back, beta has nothing left of it"):
        beta.restore_network()
        agent.wait_for_device(beta, 60, id=identity, local_state="DISCONN_DONE", remote_state="DENIED")
        nothing_attached(beta)


def foreign(alpha, beta, disk, own: int, here: dict, report) -> None:
    with report.step("from a stock client by force only, and from a session that hangs") as notes:
        shared_again(alpha, beta, own, here)
        stock_attach(beta, alpha.address, here["busid"], disk)
        said = alpha.attempt(f"devconfig unshare --now {own}")
        assert said.status == IN_USE and "does not run devconfigd" in said.stderr, said
        alpha.run("pkill -STOP -x devconfig-sessi")
        notes += taken(alpha, own, "--force", "does not run devconfigd")
        beta.wait_until(f"! ls /dev/disk/by-id/ 2>/dev/null | grep -q {disk.serial}")
        nothing_attached(beta)
    with report.step("shared again, everybody may have it"):
        shared_again(alpha, beta, own, here)


def shared_again(alpha, beta, own: int, here: dict) -> None:
    alpha.run(f"devconfig share {own}")
    agent.wait_for_device(beta, **here, remote_state="AVAIL")


def taken(alpha, own: int, option: str, note: str) -> list:
    said = alpha.attempt(f"devconfig unshare {option} {own}", timeout=60)
    assert said.status == 0 and note in said.stderr, said
    agent.wait_for_device(alpha, id=own, remote_state="DENIED", remote_user="NOBODY")
    return said.stderr.splitlines()
