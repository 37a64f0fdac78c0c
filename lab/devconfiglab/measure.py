# SPDX-License-Identifier: Apache-2.0
"""Measuring one exporter beside another: attach, run lab/tools/urb-bench, detach, and do so in turns."""

import os
import statistics
from pathlib import Path

from .scenarios import agent

BENCH = "/usr/local/bin/urb-bench"
LOOPBACK = "127.0.0.1"
# The exporter's end of a pair of virtual Ethernet adapters; the other end is in a network name space of its own.
VETH, IMPORTER_SPACE = "10.77.0.1", "importer"
MAKE_VETH = (f"ip netns add {IMPORTER_SPACE} && ip link add lab0 type veth peer name lab1 netns {IMPORTER_SPACE} && "
             f"ip address add {VETH}/24 dev lab0 && ip link set lab0 up && "
             f"ip -n {IMPORTER_SPACE} address add 10.77.0.2/24 dev lab1 && ip -n {IMPORTER_SPACE} link set lab1 up")
REMOVE_VETH = f"ip link del lab0; ip netns del {IMPORTER_SPACE}"
STOCK_PORT = 3241
# A shell function; prints the usbfs nodes of the attached devices of one vendor that have their interfaces.
NODES = """nodes() { for d in /sys/devices/platform/vhci_hcd.*/usb*/*-*; do
[ "$(cat $d/idVendor 2>/dev/null)" = $1 ] && [ "$(cat $d/bConfigurationValue)" = 1 ] && [ -d "$d/${d##*/}:1.0" ] &&
printf "/dev/bus/usb/%03d/%03d\\n" "$(cat $d/busnum)" "$(cat $d/devnum)"; done; }; nodes"""


class Devconfig:
    """Our exporter. It runs all the time; a device is free again when its session has ended."""

    name = "devconfig"
    port = 3240
    # The kernel keeps 15 letters of a name.
    processes = ("devconfig-sessi",)

    def offer(self, machine, bus_ids: list) -> None:
        for bus_id in bus_ids:
            agent.wait_for_device(machine, limit=60, busid=bus_id, remote_state="AVAIL")

    def withdraw(self, machine, bus_ids: list) -> None:
        machine.wait_until("! pgrep -x devconfig-sessi", limit=60)


class Candidate(Devconfig):
    """Our exporter with another session program, to see what a change of it does."""

    PROGRAM = "/usr/libexec/devconfig/devconfig-session"

    def __init__(self, name: str, program: Path):
        self.name = name
        self.program = program
        self.there = False

    def offer(self, machine, bus_ids: list) -> None:
        if not self.there:
            machine.copy_in(self.program, f"{self.PROGRAM}-{self.name}")
            self.there = True
        # The agent starts what is there when a connection comes.
        machine.run(f"rm -f {self.PROGRAM}.new; ln {self.PROGRAM}-{self.name} {self.PROGRAM}.new && rm -f {self.PROGRAM} && mv {self.PROGRAM}.new {self.PROGRAM}")
        super().offer(machine, bus_ids)


class UsbipHost:
    """The kernel's exporter, with Debian's usbipd on a port of its own."""

    name = "usbip-host"
    port = STOCK_PORT
    processes = ("stub_rx", "stub_tx")

    def offer(self, machine, bus_ids: list) -> None:
        machine.run("; ".join(f"usbip bind --busid={bus_id} >/dev/null || exit 1" for bus_id in bus_ids), timeout=120)

    def withdraw(self, machine, bus_ids: list) -> None:
        machine.run("; ".join(f"usbip unbind --busid={bus_id} >/dev/null || exit 1" for bus_id in bus_ids),
                    timeout=120)


def exporters() -> list:
    """Ours and the kernel's; or the session programs of DEVCONFIG_BENCH_SESSIONS="NAME=PATH …" and the kernel's."""
    chosen = [part.partition("=") for part in os.environ.get("DEVCONFIG_BENCH_SESSIONS", "").split()]
    return [*([Candidate(name, Path(path)) for name, _, path in chosen] or [Devconfig()]), UsbipHost()]


def bus_ids(machine, device, count: int) -> list:
    """The bus IDs of all devices of one kind that are plugged in, once there are as many."""
    return machine.wait_until(
        f'n=0; for d in /sys/bus/usb/devices/*; do [ "$(cat $d/idVendor 2>/dev/null)" = {device.vendor_id} ] && '
        f'[ "$(cat $d/idProduct)" = {device.product_id} ] && n=$((n + 1)) && basename $d; done; [ $n = {count} ]').split()


def attach(machine, exporter, bus_ids: list, device, address: str = LOOPBACK) -> list:
    """Attach with the stock client; return the usbfs nodes of the devices that came with it, all of one kind."""
    space = f"ip netns exec {IMPORTER_SPACE} " if address == VETH else ""
    before = machine.run(f"{NODES} {device.vendor_id}; true").split()
    commands = [f"for try in 1 2 3 4 5 6 7 8; do {space}usbip --tcp-port {exporter.port} attach --remote={address} "
                f"--busid={bus_id} 2>/dev/null && break; sleep 0.5; done" for bus_id in bus_ids]
    machine.run("; ".join(commands), timeout=180)
    count = len(before) + len(bus_ids)
    after = machine.wait_until(f'nodes=$({NODES} {device.vendor_id}); set -- $nodes; [ $# = {count} ] && echo "$nodes"',
                               limit=90).split()
    return [node for node in after if node not in before]


def detach(machine) -> None:
    machine.run("for port in $(usbip port 2>/dev/null | sed -n 's/^Port \\([0-9]*\\):.*/\\1/p'); do "
                "usbip detach --port=$port >/dev/null 2>&1; done", timeout=120)
    machine.wait_until("! ls -d /sys/devices/platform/vhci_hcd.*/usb*/*-[0-9]* 2>/dev/null | grep -v ':' | grep -q .",
                       limit=60)


def endpoints(machine, node: str) -> str:
    """The numbers of the first bulk endpoints of interface 0, IN and OUT, as urb-bench takes them."""
    bus, number = (int(part) for part in node.split("/")[-2:])
    return machine.run(
        "for d in /sys/devices/platform/vhci_hcd.*/usb*/*-*; do "
        f'[ "$(cat $d/busnum 2>/dev/null)" = {bus} ] && [ "$(cat $d/devnum)" = {number} ] && cd $d/${{d##*/}}:1.0 && '
        'for first in 8 0; do for e in ep_$first*; do [ "$(cat $e/type)" = Bulk ] && '
        'printf "%d " $((0x${e#ep_} & 15)) && break; done; done; done; true').strip()


def stream(machine, exporter, node: str, kind: str, direction: str, depth: int, milliseconds: int,
           length: int = 131072) -> tuple:
    """Mebibytes a second, and the exporter's processor time in microseconds for each mebibyte."""
    command = (f"{BENCH} stream {node} {kind} {direction} {endpoints(machine, node)} {length} {depth} {milliseconds} "
               f"{' '.join(exporter.processes)}")
    return rates(machine.run(command, timeout=120))


def rates(output: str) -> tuple:
    volume, microseconds, processor = (int(word) for word in output.split())
    mebibytes = volume / (1 << 20)
    return mebibytes / (microseconds / 1e6), processor / mebibytes


def streams(machine, exporter, nodes: list, direction: str, depth: int, milliseconds: int) -> tuple:
    """Mebibytes a second of all devices together, all of them asked at the same time; and the exporter's processor time
    in microseconds for each mebibyte."""
    ends = endpoints(machine, nodes[0])
    # One of the streams looks at the processes, which have all sessions.
    processes = [exporter.processes] + [("devconfig-none",)] * (len(nodes) - 1)
    commands = " ".join(f"{BENCH} stream {node} plain {direction} {ends} 131072 {depth} {milliseconds} "
                        f"{' '.join(names)} &" for node, names in zip(nodes, processes))
    output = machine.run(f"{commands} wait", timeout=180)
    results = [[int(word) for word in line.split()] for line in output.splitlines()]
    assert len(results) == len(nodes), f"{len(results)} of {len(nodes)} streams ended:\n{output}"
    volumes, times, processor = zip(*results)
    rate = sum(volume / time for volume, time in zip(volumes, times))
    return rate * 1e6 / (1 << 20), sum(processor) / (sum(volumes) / (1 << 20))


def latencies(machine, node: str, kind: str, direction: str, length: int = 64, count: int = 2000) -> tuple:
    """Microseconds of a short URB: the median, and what 99 of 100 stay below."""
    output = machine.run(f"{BENCH} latency {node} {kind} {direction} {endpoints(machine, node)} {length} {count}",
                         timeout=120)
    times = sorted(int(line) / 1000 for line in output.split())
    return statistics.median(times), times[int(len(times) * 0.99)]


def imports(machine, exporter, bus_id: str, count: int) -> float:
    """Milliseconds from connect to the whole import reply, the median."""
    output = machine.run(f"{BENCH} import {LOOPBACK} {exporter.port} {bus_id} {count}", timeout=180)
    return statistics.median(int(line) / 1000 for line in output.split())


def idle_memory(machine) -> float:
    """Mebibytes of private memory of the newest session, which has nothing to do."""
    return int(machine.run("awk '/^RssAnon/ {print $2}' /proc/$(pgrep -nx devconfig-sessi)/status")) / 1024
