# SPDX-License-Identifier: Apache-2.0
"""What a session process may do to alpha: one device, one connection, and nothing else, even when it goes mad."""

import re
import time

from ..devices import Disk, Keyboard, SerialPort
from . import agent
from .common import AGENT, read_checksum, write_checksummed

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True

USER = "devconfig-session"
# What a session may have open besides its connection, its control socket and the log: one device, and
# objects of the kernel that lead nowhere.
DEVICE = re.compile(r"/dev/bus/usb/\d{3}/\d{3}")
HARMLESS = re.compile(r"/dev/null|anon_inode:\[(eventpoll|eventfd|timerfd|signalfd)\]")
SOCKET = re.compile(r"socket:\[\d+\]")
LIMITS = {"Max core file size": "0", "Max file size": "0", "Max file locks": "0", "Max msgqueue size": "0",
          "Max open files": "24", "Max data size": str(256 << 20)}
# The device has to be free again within this, by the product's word.
FREE_WITHIN = 5


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    stick, keyboard, serial = Disk("stick"), Keyboard("keyboard"), SerialPort("serial")
    for device in (stick, keyboard, serial):
        alpha.plug(device)
    agent.install(office, report)
    agent.start_agent(report, alpha, beta)

    here = {device: {"host": "alpha", "busid": alpha.bus_id(device)} for device in (stick, keyboard, serial)}
    identity = {device: agent.wait_for_device(beta, **here[device], remote_state="AVAIL")["id"] for device in here}
    with report.step("beta attaches a disk, a keyboard and a serial adapter: their drivers bind"):
        node = agent.disk_node_in(agent.up(beta, identity[stick]))
        assert any("/dev/input/event" in name for name in agent.up(beta, identity[keyboard]))
        terminal = terminal_in(agent.up(beta, identity[serial]))
        beta.run(f"stty -F {terminal} 115200")
    with report.step("beta writes a file system and reads the same bytes"):
        written = write_checksummed(beta, node, 16)
    with report.step("another configuration and back: the sandboxed session claims the interfaces anew"):
        path = beta.run(f"udevadm info --query=path --name={terminal}").strip()
        # .../3-1/3-1:1.0/ttyUSB0/tty/ttyUSB0, of which the interface goes away in between.
        device = f"/sys{path.split('/ttyUSB')[0].rsplit('/', 1)[0]}"
        beta.run(f"echo 0 > {device}/bConfigurationValue && sleep 0.2 && echo 1 > {device}/bConfigurationValue")
        beta.wait_until(f"test -e {terminal} && stty -F {terminal} 9600")

    running = sessions(alpha)
    with report.step("each session is nobody, nowhere, with no right and few system calls"):
        assert len(running) == 3, running
        number = alpha.run(f"id -u {USER}").strip()
        for session in running:
            confined(alpha, session, number)
    with report.step("each session has one device, one connection, its control socket and the log open") as notes:
        notes.append(", ".join(sorted(device_of(alpha, session) for session in running)))
        for session in running:
            holds_nothing_else(alpha, session)

    crashed = crash(alpha, beta, here[stick]["busid"], node, report)
    with report.step("the others did not notice"):
        assert set(running) - set(sessions(alpha)) == {crashed}
        for device in (keyboard, serial):
            agent.wait_for_device(beta, id=identity[device], local_state="CONN_DONE")
        beta.run(f"stty -F {terminal} 57600")
    with report.step("attached again, the disk has its bytes"):
        beta.wait_until(f"! [ -e {node} ]")
        node = agent.disk_node_in(agent.up(beta, identity[stick]))
        assert read_checksum(beta, node) == written, "the checksums differ"
    hang(alpha, report)
    with report.step("given back, alpha's own drivers have everything again"):
        agent.start_now(alpha)
        for device in here:
            agent.wait_for_device(alpha, **here[device], remote_state="AVAIL", remote_user="NOBODY")
        assert read_checksum(alpha, alpha.disk_node(stick)) == written, "the checksums differ"
        alpha.wait_until("ls /dev/ttyUSB0")


def terminal_in(nodes: list) -> str:
    found = [node for node in nodes if node.startswith("/dev/ttyUSB")]
    assert len(found) == 1, f"expected one serial line among {nodes}"
    return found[0]


def sessions(machine) -> list:
    """The process IDs of the agent's sessions."""
    return machine.run(f"pgrep -P $(systemctl show --value --property=MainPID {AGENT})").split()


def descriptors(machine, session: str) -> dict:
    listed = machine.run(f"cd /proc/{session}/fd && for n in *; do echo $n $(readlink $n); done")
    return dict(line.split(" ", 1) for line in listed.splitlines())


def device_of(machine, session: str) -> str:
    found = [target for target in descriptors(machine, session).values() if DEVICE.fullmatch(target)]
    assert len(found) == 1, f"session {session} has {found}"
    return found[0]


def confined(machine, session: str, user: str) -> None:
    status = dict(line.split(":", 1) for line in machine.run(f"cat /proc/{session}/status").splitlines())
    assert set(status["Uid"].split()) == {user}, status["Uid"]
    assert len(set(status["Gid"].split())) == 1 and "0" not in status["Gid"].split(), status["Gid"]
    assert not status["Groups"].split(), status["Groups"]
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name], 16) == 0, f"{name} {status[name]}"
    assert (status["NoNewPrivs"].strip(), status["Seccomp"].strip()) == ("1", "2"), status
    assert machine.run(f"readlink /proc/{session}/root").strip() == "/run/devconfig/empty"
    assert not machine.run(f"ls -A /proc/{session}/root/"), "its root directory is not empty"
    limits = machine.run(f"cat /proc/{session}/limits")
    for name, value in LIMITS.items():
        assert re.search(rf"^{name} +{value} +{value} ", limits, re.MULTILINE), f"{name} is not {value}:\n{limits}"


def holds_nothing_else(machine, session: str) -> None:
    open_here = descriptors(machine, session)
    rest = [target for target in open_here.values() if not HARMLESS.fullmatch(target)]
    devices = [target for target in rest if DEVICE.fullmatch(target)]
    sockets = [target for target in rest if SOCKET.fullmatch(target)]
    assert len(devices) == 1 and len(set(sockets)) == 3 and len(devices) + len(sockets) == len(rest), open_here
    # The log of the journal, the control socket, and what is neither: the connection.
    assert SOCKET.fullmatch(open_here["2"]) and SOCKET.fullmatch(open_here["3"]), open_here


def crash(alpha, beta, bus_id: str, node: str, report) -> str:
    """The session of alpha's disk crashes while beta reads from it; returns its process ID."""
    with report.step("the disk's session crashes in the middle of a transfer: the disk is free again") as notes:
        usb = alpha.run(f"cd /sys/bus/usb/devices/{bus_id} && printf /dev/bus/usb/%03d/%03d $(cat busnum) $(cat devnum)")
        session = next(pid for pid in sessions(alpha) if device_of(alpha, pid) == usb)
        beta.run(f"systemd-run --quiet --collect --unit=reader dd if={node} of=/dev/null bs=1M iflag=direct")
        beta.wait_until("systemctl is-active reader")
        # One loop in the guest: asking through ssh each time would measure ssh.
        taken = alpha.run(
            f"kill -SEGV {session}; started=$(date +%s%N); "
            f"until devconfig list --json {bus_id}@alpha | grep -q '\"remote_state\" *: *\"AVAIL\"'; "
            "do sleep 0.1; done; echo $(( ($(date +%s%N) - started) / 1000000 ))", timeout=60)
        notes.append(f"{int(taken)} ms")
        assert int(taken) <= FREE_WITHIN * 1000, f"it took {taken} ms"
    with report.step("the journal says what happened"):
        alpha.wait_until(f"journalctl -u {AGENT} | grep -q 'a session was ended by a signal.*signal 11'")
    return session


def hang(alpha, report) -> None:
    with report.step("a session that hangs is killed when the agent stops") as notes:
        alpha.run(f"kill -STOP {sessions(alpha)[0]}")
        started = time.monotonic()
        alpha.run(f"systemctl stop {AGENT}", timeout=90)
        notes.append(f"{time.monotonic() - started:.0f} s")
        assert alpha.run(f"systemctl show --value --property=Result {AGENT}").strip() == "success"
        assert alpha.attempt("pgrep devconfig-sess").status != 0, "a session is left"
