# SPDX-License-Identifier: Apache-2.0
"""A kept device comes back by itself: after a cut cable, another address, a restart of Avahi, a reboot of either side."""

import time

from ..devices import Disk
from . import agent

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True

# The loss is noticed within 15 s; the longest wait between two tries is 60 s.
NOTICED, BACK = 25, 90
OTHER_ADDRESS = "10.9.0.101"


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    stick = Disk("stick", 64)
    alpha.plug(stick)
    agent.install(office, report)
    agent.start_agent(report, alpha, beta)
    here = {"host": "alpha", "busid": alpha.bus_id(stick)}
    identity = agent.wait_for_device(beta, **here, remote_state="AVAIL")["id"]
    with report.step("beta keeps alpha's stick") as notes:
        office.afterwards(beta, f"devconfig down {identity}")
        answer = beta.attempt(f"devconfig up --keep {identity}", timeout=90)
        assert answer.status == 0 and "kept: attached again whenever it is lost" in answer.stderr, answer
        wait(beta, identity, "CONN_DONE", is_kept=True)
        notes.append(answer.stdout.strip())
    with report.step("the cable is cut: beta says when it tries again, and has it back by itself") as notes:
        alpha.cut_network(silently=True)
        notes.append(lost(beta, identity))
        alpha.restore_network()
        notes.append(back(beta, identity))
    with report.step("avahi-daemon is restarted on both: nothing happens to it"):
        before = agent.wait_for_device(beta, id=identity)["nodes"]
        for machine in (alpha, beta):
            machine.run("systemctl restart avahi-daemon", timeout=60)
        agent.wait_for_device(beta, id=identity, local_state="CONN_DONE", remote_state="INUSE", nodes=before)
    with report.step("alpha gets another address") as notes:
        office.afterwards(alpha, f"ip address del {OTHER_ADDRESS}/24 dev lan 2>/dev/null; "
                                 f"ip address add {alpha.address}/24 dev lan 2>/dev/null")
        alpha.run(f"ip address del {alpha.address}/24 dev lan; ip address add {OTHER_ADDRESS}/24 dev lan")
        notes.append(lost(beta, identity))
        notes.append(back(beta, identity))
        notes.append(f"at {agent.wait_for_device(beta, id=identity)['address']}")
        alpha.run(f"ip address del {OTHER_ADDRESS}/24 dev lan; ip address add {alpha.address}/24 dev lan")
        beta.wait_until(f"devconfig list --json | grep -q '\"address\":\"{alpha.address}\"'", limit=60)
        wait(beta, identity, "CONN_DONE", BACK)
    with report.step("alpha loses its power and boots again") as notes:
        alpha.power_off_hard()
        notes.append(lost(beta, identity))
        alpha.boot_again()
        agent.start_now(alpha)
        notes.append(back(beta, identity))
    with report.step("beta loses its power: after its boot it attaches the stick by itself") as notes:
        beta.run("sync")
        beta.power_off_hard()
        beta.boot_again()
        # A service that needs it is started with the agent, and waits.
        beta.run(f"systemctl start --no-block devconfig-device@{identity}.service")
        agent.start_now(beta)
        notes.append(back(beta, identity))
        beta.wait_until(f"systemctl is-active --quiet devconfig-device@{identity}.service")
        said = beta.run(f"journalctl --no-pager -o cat -u devconfig-device@{identity}.service")
        assert f"{identity}: " in said and ": attached, /dev/sd" in said, said
    with report.step("down lets go of it for good, also while it is lost"):
        alpha.cut_network(silently=True)
        lost(beta, identity)
        beta.run(f"devconfig down {identity}", timeout=60)
        device = agent.wait_for_device(beta, id=identity, local_state="DISCONN_DONE")
        assert "is_kept" not in device, device
        alpha.restore_network()
        # Its bus ID may be another one since alpha's boot.
        agent.wait_for_device(beta, BACK, id=identity, remote_state="AVAIL", local_state="DISCONN_DONE")
        beta.run("test ! -s /var/lib/devconfig/kept.json || ! grep -q busID /var/lib/devconfig/kept.json")


def wait(machine, identity: int, state: str, limit: float = 30, **expected) -> dict:
    return agent.wait_for_device(machine, limit, id=identity, local_state=state, **expected)


def lost(machine, identity: int) -> str:
    started = time.monotonic()
    device = wait(machine, identity, "CONN_RETRY", NOTICED, is_kept=True)
    assert "next try in " in device["reason"] or "it is tried now" in device["reason"], device
    return f"lost after {time.monotonic() - started:.0f} s: {device['reason']}"


def back(machine, identity: int) -> str:
    started = time.monotonic()
    wait(machine, identity, "CONN_DONE", BACK)
    return f"back after {time.monotonic() - started:.0f} s"
