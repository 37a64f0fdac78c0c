# SPDX-License-Identifier: Apache-2.0
"""Agents are restarted and killed while a disk is written: not one byte is lost, and the next agent goes on with it.

Then each agent is killed at every step it writes down, and comes back; and once it does not come back at all.
"""

from .. import tools
from ..devices import Disk
from . import agent
from .common import AGENT
from .restart import free_again, nothing_attached

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True

# Seconds; a slow emulated machine needs this long for what takes a second elsewhere.
LIMIT = 60
# How often both agents are restarted and killed during the transfer.
ROUNDS = 1
# fsync(2) of the file, rename(2), fsync(2) of its directory, for two records, in `up` and again in `down`.
STEPS = 8
# Whoever counts has to be in the agent: strace counts by thread, and any thread may write down a step.
KILLER, ORDER = "kill-at-fsync", "/run/devconfig/kill-at"
DROP_IN = "/run/systemd/system/devconfigd.service.d/lab.conf"

# Writes random bytes past all caches, reads them back, and compares, until the file `/tmp/enough` is there.
TRANSFER = """
rm -f /tmp/enough; rounds=0
dd if=/dev/urandom of=/tmp/data bs=1M count=8 status=none && wanted=$(sha256sum < /tmp/data) || exit 1
until [ -e /tmp/enough ] && [ $rounds -ge 2 ]; do
  dd if=/tmp/data of={node} bs=64k oflag=direct status=none || exit 2
  [ "$(dd if={node} bs=64k count=128 iflag=direct status=none | sha256sum)" = "$wanted" ] || exit 3
  rounds=$((rounds + 1))
done
echo $rounds
"""


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    stick = Disk("stick", 64)
    alpha.plug(stick)
    here = {"host": "alpha", "busid": alpha.bus_id(stick)}
    agent.install(office, report)
    agent.start_agent(report, alpha, beta)
    identity = agent.wait_for_device(beta, **here, remote_state="AVAIL")["id"]
    transfer(alpha, beta, identity, here, report)
    stopped(alpha, beta, stick, identity, here, report)
    killed_at_every_step(office, stick, identity, here, report)
    failed_for_good(office, stick, identity, here, report)


def transfer(alpha, beta, identity: int, here: dict, report) -> None:
    with report.step("beta writes to alpha's stick and reads it back, again and again"):
        node = agent.disk_node_in(agent.up(beta, identity))
        session = alpha.run("pgrep -x devconfig-sessi").split()
        beta.run("dmesg -C")
        writing = beta.start(TRANSFER.format(node=node), timeout=600)
    for number in range(1, ROUNDS + 1):
        for machine in (alpha, beta):
            with report.step(f"{machine.name}'s agent is restarted, and killed, round {number}") as notes:
                agent.start_now(machine)
                still_in_use(alpha, beta, identity, here)
                kill(machine)
                still_in_use(alpha, beta, identity, here)
                assert alpha.run("pgrep -x devconfig-sessi").split() == session, "another session serves the stick"
                notes.append(adoptions(machine))
    with report.step("nothing was lost: all that was written was read back") as notes:
        beta.run("touch /tmp/enough")
        stdout, stderr = writing.communicate(timeout=300)
        assert writing.returncode == 0, f"status {writing.returncode}: {stderr.decode(errors='replace')}"
        said = beta.run("dmesg")
        assert "vhci_hcd" not in said and "error" not in said.lower(), said
        notes.append(f"{stdout.decode().strip()} times 8 MB")
    with report.step("the session that alpha's agent has adopted says what it counted, and gives the stick back"):
        counted = alpha.run(f"devconfig status {agent.wait_for_device(alpha, **here)['id']}")
        assert "bulk" in counted, counted
        agent.down(beta, identity)
        agent.wait_for_device(alpha, LIMIT, **here, remote_state="AVAIL", remote_user="NOBODY")


def stopped(alpha, beta, stick, identity: int, here: dict, report) -> None:
    with report.step("alpha's agent is restarted, and then stopped: its adopted session ends with it") as notes:
        agent.up(beta, identity)
        agent.start_now(alpha)
        still_in_use(alpha, beta, identity, here)
        notes.append(alpha.run(f"s=$(date +%s%N); systemctl stop {AGENT}; e=$(date +%s%N); echo $(((e - s) / 1000000))").strip()
                     + " ms")
        session = alpha.attempt("pgrep -x devconfig-sessi")
        assert session.status != 0, f"a session is left over: {session}"
        assert alpha.disk_node(stick), "alpha's kernel has no disk"
        agent.wait_for_device(beta, LIMIT, id=identity, local_state="DISCONN_DONE")
        nothing_attached(beta)
        agent.start_now(alpha)
        agent.wait_for_device(beta, LIMIT, **here, id=identity, remote_state="AVAIL")
    with report.step("beta's agent is restarted, and then stopped: what it adopted is detached"):
        agent.up(beta, identity)
        agent.start_now(beta)
        still_in_use(alpha, beta, identity, here)
        beta.run(f"systemctl stop {AGENT}", timeout=90)
        nothing_attached(beta)
        free_again(alpha, stick, here)
        agent.start_now(beta)
        agent.wait_for_device(beta, LIMIT, **here, id=identity, remote_state="AVAIL")


def killed_at_every_step(office, stick, identity: int, here: dict, report) -> None:
    alpha, beta = office.alpha, office.beta
    with report.step("the agents are started anew, and can be killed at a step"):
        for machine in (alpha, beta):
            library = tools.install_library(machine, KILLER)
            office.afterwards(machine, f"rm -f {DROP_IN} {ORDER}; systemctl daemon-reload")
            machine.run(f"mkdir -p {DROP_IN.rpartition('/')[0]}")
            machine.write(DROP_IN, f"[Service]\nEnvironment=LD_PRELOAD={library}\n")
            machine.run("systemctl daemon-reload")
            agent.start_now(machine)
        agent.wait_for_device(beta, LIMIT, **here, id=identity, remote_state="AVAIL")
    for machine, role in ((beta, "importer"), (alpha, "exporter")):
        with report.step(f"the agent of the {role} is killed at each step that it writes down") as notes:
            steps = 0
            while killed_at(machine, beta, steps + 1, identity):
                steps += 1
                settle(alpha, beta, stick, identity, here, notes)
            assert steps == STEPS, f"{steps} steps"
            settle(alpha, beta, stick, identity, here, notes)
            notes.append(f"{steps} steps")


def killed_at(machine, beta, step: int, identity: int) -> bool:
    """Attach and detach while `machine`'s agent is to be killed at its fsync(2) number `step`; True where it was."""
    before = main_process(machine)
    machine.write(ORDER, f"{step}\n")
    for verb in ("up", "down"):
        beta.attempt(f"devconfig {verb} {identity}", timeout=90)
    machine.run(f"rm -f {ORDER}")
    machine.wait_until(f"systemctl is-active --quiet {AGENT}", limit=LIMIT)
    return main_process(machine) != before


def settle(alpha, beta, stick, identity: int, here: dict, notes: list) -> None:
    """Whatever came of it: both machines agree on it, it works or is free, and `down` frees it."""
    for machine in (alpha, beta):
        machine.wait_until("devconfig list --json > /dev/null", limit=LIMIT)
    beta.wait_until(f"devconfig list --json | grep -q '\"id\":{identity},.*\"local_state\":\"\\(CONN_DONE\\|DISCONN_DONE\\)\"'",
                    limit=LIMIT)
    device = agent.wait_for_device(beta, LIMIT, id=identity)
    if device["local_state"] == "CONN_DONE":
        still_in_use(alpha, beta, identity, here)
        beta.run(f"dd if={agent.disk_node_in(device['nodes'][:1])} of=/dev/null bs=64k count=4 iflag=direct status=none")
        agent.down(beta, identity)
        notes.append("gone on with")
    free_again(alpha, stick, here)
    nothing_attached(beta)
    agent.wait_for_device(beta, LIMIT, **here, id=identity, remote_state="AVAIL", local_state="DISCONN_DONE")


def failed_for_good(office, stick, identity: int, here: dict, report) -> None:
    alpha, beta = office.alpha, office.beta
    for machine, role in ((alpha, "exporter"), (beta, "importer")):
        with report.step(f"the agent of the {role} dies and is not started again: everything is given back"):
            agent.up(beta, identity)
            directory = f"/run/systemd/system/{AGENT}.d"
            machine.run(f"mkdir -p {directory} && printf '[Service]\\nRestart=no\\n' > {directory}/no-restart.conf && "
                        "systemctl daemon-reload")
            office.afterwards(machine, f"rm -rf {directory}; systemctl daemon-reload")
            machine.run(f"kill -9 {main_process(machine)}")
            if machine is alpha:
                alpha.wait_until("! pgrep -x devconfig-sessi", limit=LIMIT)
                alpha.wait_until("[ -e /sys/bus/usb/devices/" + here["busid"] + ":1.0/driver ]", limit=LIMIT)
                assert alpha.disk_node(stick), "alpha's kernel has no disk"
                agent.wait_for_device(beta, LIMIT, id=identity, local_state="DISCONN_DONE")
            else:
                beta.wait_until("[ -e /sys/devices/platform/vhci_hcd.0/status ] && "
                                "! awk 'FNR > 1 && $3 != 4 { found = 1 } END { exit !found }' "
                                "/sys/devices/platform/vhci_hcd.0/status*", limit=LIMIT)
                free_again(alpha, stick, here)
            nothing_attached(beta)
            machine.run(f"rm -rf {directory}; systemctl daemon-reload; systemctl reset-failed {AGENT}")
            agent.start_now(machine)
            agent.wait_for_device(beta, LIMIT, **here, id=identity, remote_state="AVAIL")


def still_in_use(alpha, beta, identity: int, here: dict) -> None:
    agent.wait_for_device(alpha, LIMIT, **here, remote_state="INUSE", remote_user="root@beta")
    agent.wait_for_device(beta, LIMIT, **here, id=identity, local_state="CONN_DONE", remote_state="INUSE")


def kill(machine) -> None:
    """Kill the agent and wait for the next one."""
    before = main_process(machine)
    machine.run(f"kill -9 {before}")
    machine.wait_until(f"systemctl is-active --quiet {AGENT} && "
                       f"[ $(systemctl show --value --property=MainPID {AGENT}) != {before} ]", limit=LIMIT)


def main_process(machine) -> str:
    return machine.run(f"systemctl show --value --property=MainPID {AGENT}").strip()


def adoptions(machine) -> str:
    """How often its agents have gone on with what one before them left."""
    return machine.run(f"journalctl -b -u {AGENT} -o cat | grep -c 'going on with them'").strip() + " adoptions"
