# SPDX-License-Identifier: Apache-2.0
"""Logging out: who leaves a machine gives back what they attached there and did not keep."""

import re

from ..devices import Disk, SerialPort, Tablet
from ..recipe import PERSON
from . import agent
from .common import AGENT, sit_down

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True

# The promise is two seconds; an emulated machine on a busy host takes longer to keep it.
RELEASED = 4
GIVEN_BACK, LEFT = "logged out, it is given back", "cannot be given back, leaving it attached"
JOURNAL = f"journalctl --no-pager --output=short-unix --unit={AGENT} --since="


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    stick, serial, tablet = Disk("stick", 64), SerialPort("serial"), Tablet("tablet")
    for device in (stick, serial, tablet):
        alpha.plug(device)
    agent.install(office, report)
    agent.start_agent(report, alpha, beta)
    disk, port, pointer = (
        agent.wait_for_device(beta, host="alpha", busid=alpha.bus_id(device), remote_state="AVAIL")["id"]
        for device in (stick, serial, tablet))
    office.afterwards(beta, f"umount -l /mnt 2>/dev/null; devconfig down {disk}; devconfig down {port}; "
                            f"devconfig down {pointer}")
    with report.step(f"{PERSON} sits at beta and attaches three devices, one of them for good, and mounts the disk"):
        beta.run(f"usermod --append --groups devconfig {PERSON}")
        sit_down(office, beta)
        node = agent.disk_node_in(agent.up(beta, disk, user=PERSON))
        beta.run(f"mkfs.ext4 -q -F {node} && mount {node} /mnt", timeout=120)
        agent.up(beta, port, user=PERSON)
        beta.run(agent.as_user(PERSON, f"devconfig up --keep {pointer}"), timeout=90)
        has(beta, port, "CONN_DONE", f"{PERSON}@beta")
    with report.step("a login over the network begins and ends, and nothing happens") as notes:
        # Longer than two looks at who is there.
        notes.append(beta.run(f"systemd-run --quiet --wait --pipe --property=User={PERSON} --property=PAMName=login "
                              "sh -c 'loginctl show-user --property=Sessions $(id -u); sleep 3'").strip())
        has(beta, port, "CONN_DONE", f"{PERSON}@beta")
    with report.step(f"{PERSON} logs out: what is not kept is given back at once, the mounted disk is named") as notes:
        before = beta.run("date +%s.%N")
        beta.run("systemctl stop getty@tty1.service")
        agent.wait_for_device(alpha, host="alpha", busid=alpha.bus_id(serial), remote_state="AVAIL",
                              remote_user="NOBODY")
        for message in (GIVEN_BACK, LEFT):
            beta.wait_until(f"{JOURNAL}@{before.strip()} | grep -q '{message}'", limit=15)
        said = beta.run(f"{JOURNAL}@{before.strip()}").splitlines()
        told = [line for line in said if GIVEN_BACK in line]
        assert len(told) == 1 and 'device.name="QEMU USB SERIAL"' in told[0], said
        took = float(told[0].split()[0]) - float(before)
        assert took < RELEASED, f"{took:.1f} s"
        notes.append(f"after {took:.1f} s")
        left = [line for line in said if LEFT in line]
        assert len(left) == 1 and re.search(f"umount /mnt, then: devconfig down {disk}", left[0]), said
        has(beta, disk, "CONN_DONE", f"{PERSON}@beta")
        has(beta, pointer, "CONN_DONE", f"{PERSON}@beta")
    with report.step("unmounted, the disk goes by hand, and the kept one too"):
        beta.run("umount /mnt")
        for identity in (disk, pointer):
            agent.down(beta, identity)
        for device in (stick, tablet):
            agent.wait_for_device(alpha, host="alpha", busid=alpha.bus_id(device), remote_state="AVAIL")
    with report.step("what root attached stays"):
        sit_down(office, beta)
        agent.up(beta, port)
        beta.run("systemctl stop getty@tty1.service")
        beta.wait_until(f"! loginctl list-sessions --no-legend | grep -q '{PERSON}.*tty1'", limit=30)
        has(beta, port, "CONN_DONE", "root@beta")
        agent.down(beta, port)


def has(machine, identity: int, state: str, user: str) -> None:
    """The device is so now, and no later."""
    found = agent.matching(agent.devices(machine), {"id": identity})
    assert len(found) == 1 and found[0]["local_state"] == state and found[0]["remote_user"] == user, found
