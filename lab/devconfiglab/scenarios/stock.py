# SPDX-License-Identifier: Apache-2.0
"""Debian's own usbip between the two machines: proves the lab, needs nothing of ours."""

import re

from ..devices import Disk
from .common import read_checksum, stock_attach, stock_detach, stock_exporter, write_checksummed

# Proves the lab, not devconfig: played by its name when the lab itself is in doubt.
IN_ALL = False
MACHINES = ("alpha", "beta")
NEEDS_STAGE = False


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    stick = Disk("stick")
    alpha.plug(stick)

    with report.step("alpha sees the stick that was plugged in") as notes:
        bus_id = alpha.bus_id(stick)
        notes += [f"bus id {bus_id}", alpha.disk_node(stick)]
    with report.step("the LAN carries TCP and multicast DNS between alpha and beta") as notes:
        alpha.run("systemd-run --quiet --unit=lab-iperf iperf3 --server --one-off")
        alpha.wait_until("ss -ltn | grep -q :5201")
        measured = beta.run(f"iperf3 --client {alpha.address} --time 2 --format M")
        notes.append(re.search(r"([\d.]+) MBytes/sec\s+receiver", measured).group(1) + " MB/s")
        beta.wait_until("avahi-resolve-host-name -4 alpha.local 2>&1 | grep -q 10.9.0.1")

    with stock_exporter(alpha, bus_id):
        with report.step("beta lists the stick on alpha"):
            listed = beta.wait_until(f"usbip list --remote={alpha.address}")
            assert f"{bus_id}:" in listed, listed
        with report.step("beta attaches it") as notes:
            node = stock_attach(beta, alpha.address, bus_id, stick)
            notes.append(node)
        with report.step("beta writes 16 MB of random bytes to it") as notes:
            written = write_checksummed(beta, node, 16)
            notes.append(f"sha256 {written[:12]}…")
        with report.step("beta detaches it"):
            stock_detach(beta, stick)

    with report.step("alpha has its stick back and reads the same bytes"):
        assert read_checksum(alpha, alpha.disk_node(stick)) == written, "the checksums differ"
