# SPDX-License-Identifier: Apache-2.0
"""What people, programs and peers do wrong: a clear message, the documented exit code, and the agent goes on."""

import json

from ..devices import Disk
from . import agent
from .common import AGENT

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True

LIMIT = 60


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    stick, other = Disk("stick"), Disk("other")
    alpha.plug(stick)
    alpha.plug(other)
    here = {"host": "alpha", "busid": alpha.bus_id(stick)}
    agent.install(office, report)

    with report.step("no agent runs"):
        told(beta, "devconfig list", 7, "devconfigd does not run", "systemctl start devconfigd")
    agent.start_agent(report, alpha, beta)
    identity = agent.wait_for_device(beta, **here, remote_state="AVAIL")["id"]
    agent.wait_for_device(beta, host="alpha", busid=alpha.bus_id(other))

    with report.step("a device nobody has"):
        told(beta, "devconfig up scanner", 2, "no device is named scanner", "devconfig list")
    with report.step("a name that two devices have: both are shown, none is attached"):
        told(beta, "devconfig up 46f4:0001", 3, "names 2 devices", "LOCAL_STATE")
        assert beta.attempt("lsusb | grep -q 46f4:0001").status != 0, "a device was attached"
    with report.step("a device is found by ID, serial number and busid@host"):
        for name in (str(identity), stick.serial, f"{here['busid']}@alpha"):
            found = json.loads(beta.run(f"devconfig list --json {name}"))["devices"]
            assert [device["id"] for device in found] == [identity], f"{name}: {found}"
    with report.step("a verb that does not exist"):
        told(beta, "devconfig attach 1", 64, "attach", "")
    with report.step("down of a device that is down is a success with a note"):
        told(beta, f"devconfig down {identity}", 0, "is down already", "")
    with report.step("up of a device that is up is a success with a note and the nodes"):
        first = beta.run(f"devconfig up {identity}", timeout=90)
        answer = told(beta, f"devconfig up {identity}", 0, "is up already", "")
        assert answer.stdout == first, answer
        agent.down(beta, identity)
    with report.step("an attached device is still meant by its serial number, though it now shows up here as well"):
        beta.run(f"devconfig up {stick.serial}", timeout=90)
        beta.run(f"devconfig down {stick.serial}", timeout=90)
        agent.wait_for_device(beta, LIMIT, id=identity, local_state="DISCONN_DONE")
    with report.step("garbage on the local socket and on the network: the agents go on"):
        for machine in (alpha, beta):
            machine.run("head -c 200000 /dev/urandom | timeout 20 socat -u - UNIX-CONNECT:/run/devconfig/agent.sock || true")
        beta.run("for n in 1 2 3; do head -c 4000 /dev/urandom | timeout 20 socat -u - TCP:10.9.0.1:3240 || true; done")
        # A wrong version; an operation nobody knows; a bus ID that is a path; a TLS hello.
        for request in (r"\x09\x99\x80\x05\0\0\0\0", r"\x01\x11\x80\x77\0\0\0\0",
                        r"\x01\x11\x80\x03\0\0\0\0../../../../etc/passwd\0\0\0\0\0\0\0\0\0\0\0", r"\x16\x03\x01"):
            beta.run(f"printf '{request}' | timeout 20 socat - TCP:10.9.0.1:3240 | wc -c")
        agent.wait_for_device(beta, LIMIT, id=identity, remote_state="AVAIL")
        for machine in (alpha, beta):
            assert machine.run(f"systemctl show --value --property=NRestarts {AGENT}").strip() == "0"
    with report.step("a malformed announcement is ignored and told to the journal"):
        alpha.run("systemd-run --quiet --unit=bad-announcement "
                  "avahi-publish -s 'a bad one' _usbip._tcp 3240 txtvers=1 busid=../../etc id=x vid=zz")
        beta.wait_until(f"journalctl -u {AGENT} | grep -q 'announcement is malformed.*a bad one'", limit=LIMIT)
        alpha.run("systemctl stop bad-announcement")
        assert "a bad one" not in beta.run("devconfig list")
    with report.step("the kernel has no vhci_hcd"):
        beta.run(f"systemctl stop {AGENT} && modprobe -r vhci_hcd && systemctl start {AGENT}", timeout=90)
        agent.wait_for_device(beta, LIMIT, id=identity, remote_state="AVAIL")
        told(beta, f"devconfig up {identity}", 9, "vhci_hcd", "modprobe vhci-hcd")
        beta.run("modprobe vhci_hcd")
    with report.step("all ports of vhci_hcd are in use"):
        # Every high-speed and SuperSpeed port gets a socket that leads nowhere.
        beta.run(FILL_PORTS, timeout=120)
        told(beta, f"devconfig up {identity}", 10, "ports of vhci_hcd are in use", "devconfig down")
        beta.run("systemctl stop fill-ports; for p in $(seq 0 239); do "
                 "echo $p 2>/dev/null > /sys/devices/platform/vhci_hcd.0/detach; done; true", timeout=120)
        beta.wait_until("! awk '$3 == 6 || $3 == 5' /sys/devices/platform/vhci_hcd.0/status* | grep -q .", limit=LIMIT)
        agent.up(beta, identity)
        agent.down(beta, identity)
    with report.step("the exporter is gone between list and up"):
        alpha.cut_network(silently=True)
        told(beta, f"devconfig up {identity}", 6, "alpha", "")
        alpha.restore_network()
        agent.wait_for_device(beta, LIMIT, id=identity, remote_state="AVAIL")
    with report.step("the device is gone between list and up"):
        alpha.unplug(stick.name)
        told(beta, f"devconfig up {identity}", (2, 6), "", "")
        alpha.plug(stick.name)
    with report.step("TCP port 3240 is taken: nothing is shared, the reason is shown, and it ends with the cause"):
        alpha.run(f"systemctl stop {AGENT}; modprobe usbip-host; systemd-run --quiet --unit=stock-usbipd usbipd")
        office.afterwards(alpha, "systemctl stop stock-usbipd; modprobe -r usbip-host")
        alpha.wait_until("ss -ltn | grep -q :3240")
        agent.start_now(alpha)
        device = agent.wait_for_device(alpha, LIMIT, host="alpha", busid=alpha.bus_id(stick), remote_state="DENIED")
        assert "port 3240 is taken" in device["reason"], device
        alpha.run("systemctl stop stock-usbipd; modprobe -r usbip-host")
        agent.wait_for_device(alpha, LIMIT, host="alpha", busid=alpha.bus_id(stick), remote_state="AVAIL")
    with report.step("the journal has fields that programs can ask for, and systemd knows how the agent is"):
        bus_id = alpha.bus_id(stick)
        assert alpha.run(f"journalctl -u {AGENT} DEVCONFIG_DEVICE_BUSID={bus_id} -o cat").strip(), "no message by field"
        assert "devices" in alpha.run(f"systemctl show --value --property=StatusText {AGENT}")
        assert alpha.run(f"systemctl show --value --property=WatchdogUSec {AGENT}").strip() == "30s"


def told(machine, command: str, status, message: str, hint: str):
    """Run a command that shall end with this status and say this on standard error."""
    answer = machine.attempt(command, timeout=120)
    wanted = status if isinstance(status, tuple) else (status,)
    assert answer.status in wanted, f"exit status {wanted} expected: {answer}"
    assert message in answer.stderr and hint in answer.stderr, f"{message!r} and {hint!r} expected: {answer}"
    return answer


# Speaks to nobody: the other end of each socket stays open and silent until the unit is stopped. The
# image has no Python; Perl is part of every Debian.
FILL_PORTS = r"""cat > /run/fill-ports.pl <<'END'
use Socket;
my @kept;
for my $port (0 .. 239) {
    socketpair(my $ours, my $kernels, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die $!;
    push @kept, $ours;
    my $speed = $port % 30 >= 15 ? 5 : 3;
    open(my $attach, ">", "/sys/devices/platform/vhci_hcd.0/attach") or die $!;
    syswrite($attach, join(" ", $port, fileno($kernels), 65537 + $port, $speed)) or die "$port: $!";
}
open(my $done, ">", "/run/fill-ports.done");
close($done);
sleep 600;
END
rm -f /run/fill-ports.done; systemd-run --quiet --unit=fill-ports perl /run/fill-ports.pl
until [ -e /run/fill-ports.done ]; do systemctl is-active --quiet fill-ports || exit 1; sleep 0.2; done"""
