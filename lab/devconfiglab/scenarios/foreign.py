# SPDX-License-Identifier: Apache-2.0
"""Stock USB/IP peers on either side: a stock client at our exporter, our agent at a stock exporter."""

from ..devices import Disk
from . import agent
from .common import read_checksum, stock_attach, stock_detach, stock_exporter, write_checksummed

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True

CONFIGURATION = "/etc/devconfig/devconfig.yaml"
MEBIBYTES = 16


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    stick = Disk("stick")
    alpha.plug(stick)
    bus_id = alpha.bus_id(stick)
    agent.install(office, report)
    agent.start_agent(report, alpha)
    stock_client(alpha, beta, stick, bus_id, report)
    stock_server(office, alpha, beta, stick, bus_id, report)


def stock_client(alpha, beta, stick, bus_id: str, report) -> None:
    here = {"host": "alpha", "busid": bus_id}
    agent.wait_for_device(alpha, **here, remote_state="AVAIL")
    with report.step("the stock client lists the stick of our exporter"):
        listed = beta.wait_until(f"usbip list --remote={alpha.address}")
        assert f"{bus_id}:" in listed and f"{stick.vendor_id}:{stick.product_id}" in listed, listed
    with report.step("the stock client attaches it") as notes:
        node = stock_attach(beta, alpha.address, bus_id, stick)
        notes.append(node)
    with report.step("our exporter shows it in use, by somebody"):
        assert agent.wait_for_device(alpha, **here, remote_state="INUSE")["remote_user"] != "NOBODY"
    with report.step("a second stock client is refused while it is in use"):
        refused = beta.attempt(f"usbip attach --remote={alpha.address} --busid={bus_id}")
        assert refused.status != 0, refused
    with report.step(f"the stock client writes {MEBIBYTES} MB") as notes:
        written = write_checksummed(beta, node, MEBIBYTES)
        notes.append(f"sha256 {written[:12]}…")
    with report.step("after the stock client has gone, the stick is free again"):
        stock_detach(beta, stick)
        agent.wait_for_device(alpha, **here, remote_state="AVAIL", remote_user="NOBODY")
    with report.step("alpha reads what the stock client wrote"):
        assert read_checksum(alpha, alpha.disk_node(stick)) == written, "the checksums differ"


def stock_server(office, alpha, beta, stick, bus_id: str, report) -> None:
    beta.run(f"cp {CONFIGURATION} /run/configuration-before")
    office.afterwards(beta, f"mv /run/configuration-before {CONFIGURATION}; systemctl try-restart devconfigd")
    with stock_exporter(alpha, bus_id):
        with report.step("our agent lists a stock exporter that is named in its configuration"):
            beta.write(CONFIGURATION, f"peers:\n  - {alpha.address}\n")
            agent.start_now(beta)
            device = agent.wait_for_device(beta, limit=60, address=alpha.address, busid=bus_id, remote_state="AVAIL")
        identity = device["id"]
        with report.step("our agent attaches its stick") as notes:
            node = agent.disk_node_in(agent.up(beta, identity))
            notes.append(node)
        with report.step(f"beta writes {MEBIBYTES} MB through our agent to the stock exporter") as notes:
            written = write_checksummed(beta, node, MEBIBYTES)
            notes.append(f"sha256 {written[:12]}…")
        with report.step("our agent gives it back"):
            agent.down(beta, identity)
            beta.wait_until(f"! [ -e {node} ]")
            agent.wait_for_device(beta, limit=60, id=identity, local_state="DISCONN_DONE", remote_state="AVAIL")
    with report.step("alpha reads what beta wrote"):
        assert read_checksum(alpha, alpha.disk_node(stick)) == written, "the checksums differ"
