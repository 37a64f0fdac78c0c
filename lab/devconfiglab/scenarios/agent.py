# SPDX-License-Identifier: Apache-2.0
"""Installing devconfig in the machines and talking to it the way people and scripts do."""

import json
import re
import time

from ..errors import CommandFailed, NotReached
from .common import AGENT

STAGE = "/lab/share/stage"
# Existing directories keep their owner and mode, and /lib stays the link it is.
UNPACK = ("mountpoint -q /lab/share || mount /lab/share; "
          f"tar -C {STAGE} -c . | tar -x -C / --no-same-owner --no-overwrite-dir --keep-directory-symlink")
PREPARE = ("systemd-sysusers && systemd-tmpfiles --create && systemctl daemon-reload && udevadm control --reload && "
           "systemctl restart systemd-modules-load")


def install(office, report) -> None:
    """Copy the stage onto every machine that does not have it yet; the agents are stopped afterwards."""
    machines = [machine for machine in office.machines.values() if "installed" not in machine.done]
    if machines:
        with report.step(f"devconfig is installed on {' and '.join(machine.name for machine in machines)}"):
            office.share_stage()
            command = f"set -o pipefail; systemctl stop {AGENT} 2>/dev/null; {UNPACK} && {PREPARE}"
            copies = [(machine, machine.start(command, timeout=300)) for machine in machines]
            for machine, copy in copies:
                _, stderr = copy.communicate(timeout=320)
                if copy.returncode != 0:
                    raise CommandFailed(f"{machine.name}$ {command}\n{stderr.decode(errors='replace')}")
                machine.run("test -x /usr/bin/devconfig -a -x /usr/sbin/devconfigd && lsmod | grep -q ^vhci_hcd")
                machine.done.add("installed")
    for machine in office.machines.values():
        machine.run(f"systemctl stop {AGENT}")


def start_agent(report, *machines) -> None:
    """Start the agent; it tells systemd when it serves, so a return means ready."""
    for machine in machines:
        with report.step(f"devconfigd starts on {machine.name}"):
            start_now(machine)


def start_now(machine) -> None:
    answer = machine.attempt(f"systemctl restart {AGENT}", timeout=120)
    assert answer.status == 0, f"{answer}\n{machine.journal(f'-u {AGENT} -n 30')}"


def devices(machine) -> list:
    """What `devconfig list --json` says on this machine."""
    listed = json.loads(machine.run("devconfig list --json"))
    assert listed["schema"] == "devconfig/1", listed
    return listed["devices"]


def matching(listed: list, expected: dict) -> list:
    return [device for device in listed if all(device.get(key) == value for key, value in expected.items())]


def wait_for_device(machine, limit: float = 30, **expected) -> dict:
    """Wait until exactly one listed device has these values; return it."""
    end = time.monotonic() + limit
    while True:
        listed = devices(machine)
        found = matching(listed, expected)
        if len(found) == 1:
            return found[0]
        if time.monotonic() > end:
            wanted = ", ".join(f"{key} {value}" for key, value in expected.items())
            raise NotReached(f"{machine.name} lists {len(found)} devices with {wanted} after {limit:.0f} s:\n"
                             + "\n".join(json.dumps(device) for device in listed))
        time.sleep(0.2)


def up(machine, identity: int, user: str = "root") -> list:
    """`devconfig up`; returns the device nodes it prints."""
    return nodes_in(machine.run(as_user(user, f"devconfig up {identity}"), timeout=90), identity)


def down(machine, identity: int) -> None:
    machine.run(f"devconfig down {identity}", timeout=90)


def as_user(user: str, command: str) -> str:
    return command if user == "root" else f"runuser -u {user} -- {command}"


def nodes_in(stdout: str, identity: int) -> list:
    """The nodes and network interfaces in a line such as `3: QEMU QEMU USB HARDDRIVE on alpha: attached, /dev/sda`."""
    line = re.fullmatch(rf"{identity}: (.+) on (\S+): attached((?:, \S+)*)\n", stdout)
    assert line, f"not the line that `up` shall print: {stdout!r}"
    return line.group(3).split(", ")[1:]


def disk_node_in(nodes: list) -> str:
    """The whole disk among the nodes."""
    found = [node for node in nodes if re.fullmatch(r"/dev/sd[a-z]+", node)]
    assert len(found) == 1, f"expected one disk among {nodes}"
    return found[0]
