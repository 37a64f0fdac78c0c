# SPDX-License-Identifier: Apache-2.0
"""What a machine uses itself is never given away: DENIED with a reason, and refused to those who ask anyway."""

from ..devices import Disk, Hub, Keyboard, NetworkAdapter, SerialPort
from ..recipe import PERSON
from . import agent
from .common import sit_down

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    stick, archive, swap = Disk("stick"), Disk("archive"), Disk("swap")
    keyboard, hub, adapter, serial = Keyboard("keyboard"), Hub("hub"), NetworkAdapter("adapter"), SerialPort("serial")
    behind_hub = Disk("behind")
    for device in (stick, archive, swap, keyboard, hub, adapter):
        alpha.plug(device)
    alpha.plug(behind_hub, behind=hub)
    beta.plug(serial)
    agent.install(office, report)
    agent.start_agent(report, alpha, beta)

    denied = {}
    with report.step("alpha works with its own devices"):
        use_disks(office, alpha, archive, swap)
        use_network(office, alpha, adapter)
        sit_down(office, alpha)
        denied = {"mounted disk": alpha.bus_id(archive), "swap disk": alpha.bus_id(swap),
                  "keyboard": alpha.bus_id(keyboard), "hub": alpha.bus_id(hub),
                  "network adapter": alpha.bus_id(adapter)}
    with report.step("alpha imports a serial adapter from beta") as notes:
        remote = agent.wait_for_device(alpha, host="beta", busid=beta.bus_id(serial), remote_state="AVAIL")
        nodes = agent.up(alpha, remote["id"])
        assert any(node.startswith("/dev/ttyUSB") for node in nodes), nodes
        office.afterwards(alpha, f"devconfig down {remote['id']}")
        denied["imported serial adapter"] = imported_bus_id(alpha, serial)
        notes.append(", ".join(nodes))

    for what, bus_id in denied.items():
        with report.step(f"alpha's {what} is DENIED, with a reason") as notes:
            device = agent.wait_for_device(alpha, host="alpha", busid=bus_id, remote_state="DENIED")
            assert device.get("reason"), device
            notes.append(device["reason"])
        with report.step(f"a stock client is refused alpha's {what}"):
            refused_to_stock_client(beta, alpha.address, bus_id)
        with report.step(f"beta's agent is refused alpha's {what}"):
            refused_to_our_agent(beta, bus_id)

    with report.step("alpha's own use was not disturbed"):
        alpha.run("echo still here > /mnt/archive/witness && sync -f /mnt/archive/witness")
        alpha.run(f"swapon --show=NAME --noheadings | grep -q {alpha.disk_node(swap)}")
        alpha.run("systemctl is-active --quiet getty@tty1")
    with report.step("what nobody uses is free: a stick, a stick behind the hub, the disk once it is unmounted"):
        alpha.run("umount /mnt/archive")
        agent.wait_for_device(alpha, host="alpha", busid=denied["mounted disk"], remote_state="AVAIL")
        for free in (stick, behind_hub):
            agent.wait_for_device(alpha, host="alpha", busid=alpha.bus_id(free), remote_state="AVAIL")
    rights(beta, alpha.bus_id(stick), report)


def use_disks(office, alpha, archive, swap) -> None:
    node = alpha.disk_node(archive)
    alpha.run(f"mkfs.ext4 -q -F {node} && mkdir -p /mnt/archive && mount {node} /mnt/archive", timeout=120)
    office.afterwards(alpha, "umount /mnt/archive")
    node = alpha.disk_node(swap)
    alpha.run(f"mkswap {node} && swapon {node}")
    office.afterwards(alpha, f"swapoff {node}")


def use_network(office, alpha, adapter) -> None:
    interface = alpha.wait_until(f"ls /sys/bus/usb/devices/{alpha.bus_id(adapter)}:*/net 2>/dev/null").split()[0]
    alpha.run(f"ip address add 192.0.2.1/24 dev {interface} && ip link set {interface} up")
    alpha.wait_until(f"grep -q 1 /sys/class/net/{interface}/carrier")


def imported_bus_id(machine, device) -> str:
    """The bus ID of a device on the virtual bus."""
    return machine.wait_until(
        f'for d in /sys/devices/platform/vhci_hcd.*/usb*/*-*; do [ "$(cat $d/idVendor 2>/dev/null)" = '
        f'{device.vendor_id} ] && basename $d && exit 0; done; exit 1').strip()


def refused_to_stock_client(beta, address: str, bus_id: str) -> None:
    before = beta.run("usbip port 2>/dev/null")
    refused = beta.attempt(f"usbip attach --remote={address} --busid={bus_id}")
    assert refused.status != 0, refused
    assert beta.run("usbip port 2>/dev/null") == before, "a port of vhci_hcd was taken all the same"


def refused_to_our_agent(beta, bus_id: str) -> None:
    # A device that is kept for good need not be announced, so beta may not even know it.
    refused = beta.attempt(f"devconfig up {bus_id}@alpha", timeout=90)
    assert refused.status in (2, 5), f"expected exit status 2 (unknown) or 5 (denied)\n{refused}"
    assert refused.stdout == "", "stdout is for data"
    assert refused.stderr.strip(), "a refusal has to say why"
    assert beta.attempt("usbip port 2>/dev/null | grep -q alpha").status != 0


def rights(beta, bus_id: str, report) -> None:
    """Who may do what: anybody lists, the group devconfig attaches."""
    identity = agent.wait_for_device(beta, host="alpha", busid=bus_id)["id"]
    with report.step("a person outside the group devconfig may list, but not attach"):
        beta.run(agent.as_user(PERSON, "devconfig list"))
        refused = beta.attempt(agent.as_user(PERSON, f"devconfig up {identity}"))
        assert refused.status == 8, f"expected exit status 8 (not permitted)\n{refused}"
    with report.step("a member of the group attaches, and is shown by name") as notes:
        beta.run(f"usermod --append --groups devconfig {PERSON}")
        agent.up(beta, identity, user=PERSON)
        device = agent.wait_for_device(beta, id=identity, local_state="CONN_DONE")
        assert device["remote_user"] == f"{PERSON}@beta", device
        notes.append(device["remote_user"])
        agent.down(beta, identity)
