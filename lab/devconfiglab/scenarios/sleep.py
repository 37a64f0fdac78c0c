# SPDX-License-Identifier: Apache-2.0
"""Machines that sleep: the kernel suspends them with everything given back, and what is kept comes back.

The kernel's own test of suspending is used (pm_test): all devices are suspended, and resumed after five seconds.
"""

import time

from ..devices import Disk, SerialPort
from . import agent
from .common import AGENT

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True

UNIT = "devconfig-sleep.service"
# A slow machine, five seconds of sleep, and the first tries of what is kept; and the promise of two seconds to release
# everything, which an emulated machine on a busy host takes longer to keep.
SLEPT, BACK, RELEASED = 120, 90, 4
REFUSAL = "Do not suspend"


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    stick, serial = Disk("stick", 64), SerialPort("serial")
    for device in (stick, serial):
        alpha.plug(device)
    agent.install(office, report)
    for machine in (alpha, beta):
        prepare(office, machine)
    agent.start_agent(report, alpha, beta)
    kept = agent.wait_for_device(beta, host="alpha", busid=alpha.bus_id(stick), remote_state="AVAIL")["id"]
    other = agent.wait_for_device(beta, host="alpha", busid=alpha.bus_id(serial), remote_state="AVAIL")["id"]
    office.afterwards(beta, f"devconfig down --force {kept}; devconfig down {other}")

    with report.step("beta keeps a disk, mounts it, and uses a serial port besides") as notes:
        nodes = agent.nodes_in(beta.run(f"devconfig up --keep {kept}", timeout=90), kept)
        node = agent.disk_node_in(nodes)
        office.afterwards(beta, "umount -l /mnt 2>/dev/null")
        beta.run(f"mkfs.ext4 -q -F {node} && mount {node} /mnt", timeout=120)
        agent.up(beta, other)
        notes.append(node)
    with report.step("without the unit, the kernel refuses to suspend beta") as notes:
        before = suspends(beta, "fail")
        beta.run("systemctl suspend")
        beta.wait_until(f"[ $(cat /sys/power/suspend_stats/fail) -gt {before} ]", limit=SLEPT)
        notes.append(refusal(beta))
        beta.run("systemctl reset-failed")
        agent.wait_for_device(beta, id=kept, local_state="CONN_DONE")

    for machine in (alpha, beta):
        office.afterwards(machine, f"systemctl disable {UNIT}")
        machine.run(f"systemctl enable {UNIT}")
    with report.step("with it beta sleeps: alpha has both devices back meanwhile, and what was written is on the disk"
                     ) as notes:
        beta.run("head -c 1M /dev/urandom > /mnt/random")
        digest = beta.run("sha256sum < /mnt/random")
        refusals = refused(beta)
        sleep(beta, notes)
        assert refused(beta) == refusals, refusal(beta)
        said = beta.run(f"journalctl --no-pager -o cat -u {AGENT}")
        assert "an attached disk in use is taken away, since this machine sleeps" in said, said
        assert said.count("this machine is about to sleep") == 1 and said.count("this machine is awake again") == 1, said
        assert "a device is free again" in alpha.run(f"journalctl --no-pager -o cat -u {AGENT}")
    with report.step("awake again, beta has the kept disk by itself, whole; the serial port is not attached") as notes:
        started = time.monotonic()
        agent.wait_for_device(beta, BACK, id=kept, local_state="CONN_DONE", is_kept=True)
        notes.append(f"after {time.monotonic() - started:.0f} s")
        agent.wait_for_device(beta, id=other, local_state="DISCONN_DONE", remote_state="AVAIL")
        beta.run("umount -l /mnt")
        node = beta.disk_node(stick)
        beta.run(f"mount {node} /mnt", timeout=60)
        assert beta.run("sha256sum < /mnt/random") == digest
        beta.run("umount /mnt")
    with report.step("what beta has is released at once") as notes:
        agent.up(beta, other)
        notes.append(released(beta, "a device is detached"))
        for device in (stick, serial):
            agent.wait_for_device(alpha, host="alpha", busid=alpha.bus_id(device), remote_state="AVAIL",
                                  remote_user="NOBODY")
        asleep = agent.wait_for_device(beta, id=kept, local_state="CONN_RETRY")
        notes.append(asleep["reason"])
        beta.run("devconfig wake")
        agent.wait_for_device(beta, BACK, id=kept, local_state="CONN_DONE")
    with report.step("what alpha lends is taken back at once, and announced no more") as notes:
        notes.append(released(alpha, "a device is free again"))
        assert not agent.matching(agent.devices(alpha), {"remote_state": "INUSE"}), agent.devices(alpha)
        agent.wait_for_device(beta, id=kept, local_state="CONN_RETRY", remote_state="OFFLINE")
        alpha.run("devconfig wake")
        agent.wait_for_device(beta, BACK, id=kept, local_state="CONN_DONE")
    with report.step("alpha sleeps and wakes up: beta has its disk again by itself") as notes:
        sleep(alpha, notes)
        started = time.monotonic()
        agent.wait_for_device(beta, BACK, id=kept, local_state="CONN_DONE", is_kept=True)
        agent.wait_for_device(alpha, host="alpha", busid=alpha.bus_id(stick), remote_state="INUSE")
        notes.append(f"again after {time.monotonic() - started:.0f} s")
        agent.down(beta, kept)


def prepare(office, machine) -> None:
    """Have the kernel suspend devices only, for five seconds; and nothing in the way that belongs to the lab."""
    # The shares of the lab do not survive it: their driver knows nothing of suspending.
    machine.run("umount /lab/share /lab/results 2>/dev/null; modprobe -r 9pnet_virtio")
    office.afterwards(machine, "echo none > /sys/power/pm_test")
    machine.run("echo devices > /sys/power/pm_test")
    # Whoever enabled devconfigd on it enabled this one with it.
    machine.run(f"systemctl disable {UNIT} 2>&1")


def suspends(machine, outcome: str) -> int:
    """How often suspending has succeeded or failed."""
    return int(machine.run(f"cat /sys/power/suspend_stats/{outcome}"))


def sleep(machine, notes: list) -> None:
    """Suspend it the way people do, and wait until it is awake."""
    before = suspends(machine, "success")
    failed = suspends(machine, "fail")
    started = time.monotonic()
    machine.run("systemctl suspend")
    machine.wait_until(f"[ $(cat /sys/power/suspend_stats/success) -gt {before} -o "
                       f"$(cat /sys/power/suspend_stats/fail) -gt {failed} ]", limit=SLEPT)
    assert suspends(machine, "fail") == failed, refusal(machine)
    machine.wait_until(f"systemctl show --value --property=ActiveState {UNIT} | grep -qx inactive")
    notes.append(f"slept and awake after {time.monotonic() - started:.0f} s")


def refused(machine) -> int:
    """How often the kernel said something against suspending."""
    return int(machine.run(f"dmesg | grep -c '{REFUSAL}'; true"))


def refusal(machine) -> str:
    """What the kernel said last against suspending."""
    return machine.run(f"journalctl --no-pager -k -o cat | grep '{REFUSAL}' | tail -n 1").strip()


def released(machine, last: str) -> str:
    """Tell the agent that the machine sleeps, as the unit does; how long its journal says that the releasing took."""
    machine.run("devconfig sleep")
    said = machine.run(f"journalctl --no-pager -o short-unix -u {AGENT}").splitlines()
    began = max(index for index, line in enumerate(said) if "this machine is about to sleep" in line)
    ended = [line for line in said[began:] if last in line]
    assert ended, "\n".join(said[began:])
    took = float(ended[-1].split()[0]) - float(said[began].split()[0])
    assert took < RELEASED, f"{took:.1f} s"
    return f"{len(ended)} within {took:.1f} s"
