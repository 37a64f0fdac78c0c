# SPDX-License-Identifier: Apache-2.0
"""The wiring: an office LAN out of UNIX datagram sockets, and a control network for ssh.

QEMU's datagram netdev joins two machines. For the third one, alpha's QEMU is the switch: its LAN adapter
and one wire per other machine meet on a QEMU hub. Every machine has that hub, so a wire can also be
cut behind the adapter, unseen by the guest. Nothing here leaves the host, and mDNS crosses it.
"""

from pathlib import Path

SWITCH = "alpha"
NUMBERS = {"alpha": 1, "beta": 2, "gamma": 3}
ADAPTER = "lan"


def lan_address(name: str) -> str:
    return f"10.9.0.{NUMBERS[name]}"


def wires(name: str) -> list:
    """The netdev identifiers of the wires that end at this machine."""
    return [f"wire-{peer}" for peer in wire_peers(name)]


def wire_peers(name: str) -> list:
    return [peer for peer in NUMBERS if peer != SWITCH] if name == SWITCH else [SWITCH]


def lan_arguments(name: str, directory: Path) -> list:
    number = NUMBERS[name]
    arguments = [
        "-netdev", "hubport,id=lan-port,hubid=0",
        "-device", f"virtio-net-pci,id={ADAPTER},netdev=lan-port,mac=52:54:00:09:00:{number:02x},romfile=",
    ]
    for peer in wire_peers(name):
        arguments += [
            "-netdev", f"dgram,id=wire-{peer},local.type=unix,local.path={directory}/{name}-{peer},"
                       f"remote.type=unix,remote.path={directory}/{peer}-{name}",
            "-netdev", f"hubport,id=port-{peer},hubid=0,netdev=wire-{peer}",
        ]
    return arguments


def control_arguments(name: str, port: int) -> list:
    """A network to the host alone (restrict=on), only so that ssh reaches the guest."""
    return [
        "-netdev", f"user,id=control-net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22",
        "-device", f"virtio-net-pci,netdev=control-net,mac=52:54:00:0c:00:{NUMBERS[name]:02x},romfile=",
    ]
