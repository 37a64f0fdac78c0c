# SPDX-License-Identifier: Apache-2.0
"""Beta and gamma want the same stick at the same moment: one gets it, the other hears who has it."""

from ..devices import Disk
from . import agent
from .common import read_checksum, write_checksummed

MACHINES = ("alpha", "beta", "gamma")
NEEDS_STAGE = True

ROUNDS = 4


def play(office, report) -> None:
    alpha = office.alpha
    stick = Disk("stick")
    alpha.plug(stick)
    bus_id = alpha.bus_id(stick)
    agent.install(office, report)
    agent.start_agent(report, alpha, office.beta, office.gamma)
    here = {"host": "alpha", "busid": bus_id}
    with report.step("beta and gamma see the stick"):
        identities = {machine: agent.wait_for_device(machine, **here, remote_state="AVAIL")["id"]
                      for machine in (office.beta, office.gamma)}

    for round_number in range(ROUNDS):
        # Whoever is asked first has a small advantage: take turns.
        contenders = [office.beta, office.gamma] if round_number % 2 == 0 else [office.gamma, office.beta]
        with report.step(f"round {round_number + 1}: one of two gets the stick, the other is told who has it") as notes:
            winner, loser = race(contenders, identities)
            notes.append(f"{winner.name} won")
            agent.wait_for_device(alpha, **here, remote_state="INUSE", remote_user=f"root@{winner.name}")
            agent.wait_for_device(loser, id=identities[loser], local_state="DISCONN_DONE", remote_state="INUSE",
                                  remote_user=f"root@{winner.name}")
        with report.step(f"round {round_number + 1}: the winner's disk works and the loser has none") as notes:
            written = write_checksummed(winner, winner.disk_node(stick), 4)
            assert loser.attempt(f"ls /dev/disk/by-id/ | grep -q {stick.serial}").status != 0
        with report.step(f"round {round_number + 1}: once given back, the loser gets it") as notes:
            agent.down(winner, identities[winner])
            agent.wait_for_device(loser, id=identities[loser], remote_state="AVAIL")
            node = agent.disk_node_in(agent.up(loser, identities[loser]))
            assert read_checksum(loser, node) == written, "the checksums differ"
            agent.down(loser, identities[loser])
            agent.wait_for_device(alpha, **here, remote_state="AVAIL", remote_user="NOBODY")


def race(contenders: list, identities: dict) -> tuple:
    """Both run `devconfig up` at once; returns the winner and the loser."""
    running = [(machine, machine.start(f"devconfig up {identities[machine]}", timeout=90)) for machine in contenders]
    ended = []
    for machine, process in running:
        stdout, stderr = process.communicate(timeout=120)
        ended.append((machine, process.returncode, stdout.decode(), stderr.decode()))
    shown = "\n".join(f"{machine.name}: status {status}, stdout {out!r}, stderr {err!r}"
                      for machine, status, out, err in ended)
    won = [entry for entry in ended if entry[1] == 0]
    lost = [entry for entry in ended if entry[1] != 0]
    assert len(won) == 1 and len(lost) == 1, f"expected one winner and one loser:\n{shown}"
    winner, loser = won[0][0], lost[0][0]
    assert lost[0][1] == 4, f"expected exit status 4 (in use):\n{shown}"
    assert f"root@{winner.name}" in lost[0][3], f"the loser is not told that root@{winner.name} has it:\n{shown}"
    return winner, loser
