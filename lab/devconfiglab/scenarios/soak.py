# SPDX-License-Identifier: Apache-2.0
"""Hours of an office in minutes: devices come and go, things break, a disk is written all the time, and nothing is left over.

On a LAN with the devices of more machines, which are announcements only (DEVCONFIG_LAB_AGENTS of them, with 40 devices
each): first attach and detach over and over, then faults at random while a kept disk is written, read back and compared.
DEVCONFIG_LAB_MINUTES is the time for both together; a third of it goes to the first. DEVCONFIG_LAB_SEED gives the same
faults again.
"""

import os
import random
import time

from .. import paths, tools
from ..devices import Disk
from . import agent
from .common import AGENT
from .restart import free_again, nothing_attached
from .upgrade import kill, main_process

MACHINES = ("alpha", "beta", "gamma")
NEEDS_STAGE = True

MINUTES = float(os.environ.get("DEVCONFIG_LAB_MINUTES", "6"))
SEED = int(os.environ.get("DEVCONFIG_LAB_SEED", "1"))
# An emulated avahi-daemon takes minutes for a thousand names.
AGENTS, DEVICES = int(os.environ.get("DEVCONFIG_LAB_AGENTS", "3")), 40
LIMIT = 90
# Avahi asks three times whether anybody has a name before it announces it.
ANNOUNCED = 240
# What an agent that lists all of them may have (product.md), and how much more after everything.
RESIDENT_KIB, GROWTH_KIB = 60 * 1024, 6 * 1024
# Blocks of 64 KiB.
BLOCKS = 256
# A loss by silence is noticed within 15 s.
NOTICED = 15
DISK = "/dev/disk/by-id/usb-QEMU*-0:0"

ANNOUNCER = "/root/announce-agents"
ANNOUNCE = (f"{ANNOUNCER} /etc/avahi/hosts /etc/avahi/services 10.9.0 {AGENTS} {DEVICES} && "
            "systemctl restart avahi-daemon")
SILENCE = "rm -f /etc/avahi/services/sim-*; : > /etc/avahi/hosts; systemctl restart avahi-daemon"

CYCLE = """
end=$(($(date +%s) + {seconds})); cycles=0
while [ $(date +%s) -lt $end ]; do
  devconfig up {identity} > /dev/null && devconfig down {identity} || exit 1
  cycles=$((cycles + 1))
done
echo $cycles
"""


def play(office, report) -> None:
    alpha, beta, gamma = office.alpha, office.beta, office.gamma
    stick = Disk("stick", 64)
    alpha.plug(stick)
    here = {"host": "alpha", "busid": alpha.bus_id(stick)}
    agent.install(office, report)
    with report.step("beta has the program that verifies"):
        tools.install(beta, "verified-io")
    agent.start_agent(report, alpha, beta)
    identity = agent.wait_for_device(beta, **here, remote_state="AVAIL")["id"]
    with report.step(f"gamma announces {AGENTS} machines with {DEVICES} devices each, beta lists them all") as notes:
        office.afterwards(gamma, SILENCE)
        gamma.copy_in(paths.SOURCE.parent / "Tests" / "announce-agents", ANNOUNCER)
        gamma.run(ANNOUNCE, timeout=300)
        end = time.monotonic() + ANNOUNCED
        while (count := len(agent.devices(beta))) < AGENTS * DEVICES:
            assert time.monotonic() < end, f"{count} devices"
            time.sleep(1)
        notes.append(f"{count} devices, the list in {listing_time(beta)} ms")
    with report.step("the agents rest") as notes:
        idle(beta, notes)
    # What the first attachments leave, such as buffers, belongs to a running agent.
    agent.up(beta, identity)
    agent.down(beta, identity)
    before = {machine: footprint(machine) for machine in (alpha, beta)}
    with report.step("beta attaches and detaches, over and over") as notes:
        seconds = int(MINUTES * 20)
        cycles = int(beta.run(CYCLE.format(seconds=seconds, identity=identity), timeout=seconds + 120))
        assert cycles >= seconds / 10, f"{cycles} cycles in {seconds} s"
        notes.append(f"{cycles} cycles in {seconds} s")
        free_again(alpha, stick, here)
        nothing_attached(beta)
    grown(before, report)
    faults(office, stick, identity, here, report)
    with report.step("nothing is left of it on either machine") as notes:
        beta.run(f"devconfig down {identity}", timeout=90)
        free_again(alpha, stick, here)
        nothing_attached(beta)
        for machine in (alpha, beta):
            footprint_now = footprint(machine)
            assert footprint_now["resident"] < RESIDENT_KIB, footprint_now
            notes.append(f"{machine.name}: {footprint_now['resident'] / 1024:.0f} MiB resident")


def faults(office, stick, identity: int, here: dict, report) -> None:
    alpha, beta = office.alpha, office.beta
    choice = random.Random(SEED)
    with report.step("beta keeps alpha's stick and writes, reads and compares all the time"):
        office.afterwards(beta, f"pkill verified-io; devconfig down {identity}")
        assert beta.attempt(f"devconfig up --keep {identity}", timeout=90).status == 0
        # A terminal of its own: it outlives a cut cable.
        beta.run(f"systemd-run --quiet --unit=verified-io --property=StandardOutput=file:/tmp/verified "
                 f"--property=StandardError=file:/tmp/wrong /usr/local/bin/verified-io '{DISK}' {BLOCKS}")
    done = {}
    end = time.monotonic() + MINUTES * 40
    with report.step("faults at random, and the stick is back after each") as notes:
        longest = 0.0
        while time.monotonic() < end:
            fault = choice.choice(FAULTS)
            fault(office, stick)
            longest = max(longest, back(alpha, beta, identity, here))
            done[fault.__name__] = done.get(fault.__name__, 0) + 1
        notes.append(f"{sum(done.values())} faults, the longest absence {longest:.0f} s")
        notes += [f"{count} x {name}" for name, count in sorted(done.items())]
    with report.step("all that was written is there") as notes:
        beta.run("systemctl stop verified-io", timeout=120)
        written, read, absences, wrong = beta.run("cat /tmp/verified").split()
        said = beta.run("cat /tmp/wrong")
        assert wrong == "0" and said == "" and int(read) >= BLOCKS, f"{wrong} wrong blocks: {said}"
        notes.append(f"{written} blocks of 64 KiB written, {read} compared, {absences} absences")


def exporter_killed(office, stick) -> None:
    kill(office.alpha)


def importer_killed(office, stick) -> None:
    kill(office.beta)


def exporter_restarted(office, stick) -> None:
    agent.start_now(office.alpha)


def importer_restarted(office, stick) -> None:
    agent.start_now(office.beta)


def session_killed(office, stick) -> None:
    office.alpha.attempt("pkill -9 -x devconfig-sessi")


def unplugged(office, stick) -> None:
    office.alpha.unplug(stick.name)
    office.alpha.plug(stick.name)


def cable_cut(office, stick) -> None:
    office.beta.cut_network(silently=True)
    time.sleep(NOTICED)
    office.beta.restore_network()


def cable_loose(office, stick) -> None:
    office.beta.cut_network()
    time.sleep(2)
    office.beta.restore_network()


def avahi_restarted(office, stick) -> None:
    office.alpha.run("systemctl restart avahi-daemon", timeout=60)


def detached_by_hand(office, stick) -> None:
    office.beta.attempt("awk 'FNR > 1 && $3 == 6 { print $2 + 0 }' /sys/devices/platform/vhci_hcd.0/status* | "
                        "head -1 > /sys/devices/platform/vhci_hcd.0/detach")


FAULTS = (exporter_killed, importer_killed, exporter_restarted, importer_restarted, session_killed, unplugged, cable_cut,
          cable_loose, avahi_restarted, detached_by_hand)


def back(alpha, beta, identity: int, here: dict) -> float:
    """Seconds until both agree that beta has the stick, and its disk is there."""
    started = time.monotonic()
    while True:
        listed = beta.attempt(f"devconfig list --json | grep -q '\"id\":{identity},.*\"local_state\":\"CONN_DONE\"' && ls {DISK}")
        if listed.status == 0 and agent.matching(agent.devices(alpha), {"busid": here["busid"], "host": "alpha",
                                                                         "remote_state": "INUSE"}):
            return time.monotonic() - started
        waited = time.monotonic() - started
        assert waited < LIMIT, f"not back after {waited:.0f} s: {agent.devices(beta)[:3]}"
        if waited > 5:
            # Somebody who does not want to wait for the next try.
            beta.attempt(f"devconfig up --keep {identity}", timeout=60)
        time.sleep(0.3)


def listing_time(machine) -> int:
    return int(machine.run("s=$(date +%s%N); devconfig list > /dev/null; e=$(date +%s%N); echo $(((e - s) / 1000000))"))


def idle(machine, notes: list) -> None:
    """What the agent takes while nothing happens: memory, and a share of one processor over some time."""
    pid = main_process(machine)
    usage = f"cut -d' ' -f14,15 /proc/{pid}/stat; cut -d' ' -f1 /proc/uptime"
    first = machine.run(f"{usage}; sleep 30; {usage}").split()
    ticks = int(first[3]) + int(first[4]) - int(first[0]) - int(first[1])
    share = ticks / 100 / (float(first[5]) - float(first[2]))
    resident = footprint(machine)["resident"]
    assert resident < RESIDENT_KIB, f"{resident} KiB"
    notes.append(f"{machine.name}'s agent: {resident / 1024:.0f} MiB resident, {share * 100:.1f} % of a processor")


def footprint(machine) -> dict:
    """Open descriptors and memory (KiB) of the agent, and how many processes it has."""
    pid = main_process(machine)
    answer = machine.run(f"ls /proc/{pid}/fd | wc -l; awk '/^VmRSS/ {{ print $2 }}' /proc/{pid}/status; "
                         f"systemctl show --value --property=TasksCurrent {AGENT}").split()
    return {"descriptors": int(answer[0]), "resident": int(answer[1]), "tasks": int(answer[2])}


def grown(before: dict, report) -> None:
    with report.step("the agents have no more descriptors, and hardly more memory") as notes:
        for machine, old in before.items():
            new = footprint(machine)
            notes.append(f"{machine.name}: {old} -> {new}")
            assert new["descriptors"] <= old["descriptors"] + 2, f"{machine.name}: {old} -> {new}"
            assert new["resident"] <= old["resident"] + GROWTH_KIB, f"{machine.name}: {old} -> {new}"
