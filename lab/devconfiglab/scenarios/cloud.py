# SPDX-License-Identifier: Apache-2.0
"""A machine with Debian's cloud kernel, which has no USB: it lists, and says what to install."""

from ..devices import Disk
from . import agent
from .common import AGENT
from .mistakes import told

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True

LIMIT = 60
CLOUD = "cloud-amd64"


def play(office, report) -> None:
    office.needs_power_switch()
    alpha, beta = office.alpha, office.beta
    stick = Disk("stick")
    alpha.plug(stick)
    here = {"host": "alpha", "busid": alpha.bus_id(stick)}
    # Before the kernel is changed: this one does not know the file system the stage comes by.
    agent.install(office, report)
    agent.start_agent(report, alpha)

    with report.step("beta boots the cloud kernel") as notes:
        beta.boot_kernel(CLOUD)
        release = beta.run("uname -r").strip()
        assert release.endswith(CLOUD), release
        beta.run("! [ -e /sys/bus/usb ] && ! modprobe --dry-run vhci-hcd 2>/dev/null")
        notes.append(release)
    agent.start_agent(report, beta)
    with report.step("beta lists alpha's stick, found by Avahi"):
        identity = agent.wait_for_device(beta, LIMIT, **here, remote_state="AVAIL")["id"]
        assert "QEMU USB HARDDRIVE" in told(beta, "devconfig list", 0, "", "").stdout
        assert "local_state  : DISCONN_DONE" in told(beta, f"devconfig list --long {identity}", 0, "", "").stdout
    process = beta.run(f"systemctl show --value --property=MainPID {AGENT}").strip()
    with report.step("up says which package to install") as notes:
        answer = told(beta, f"devconfig up {identity}", 9, f"the cloud kernel {release} has no USB",
                      "apt install linux-image-amd64")
        assert "vhci_hcd" in answer.stderr and not answer.stdout, answer
        notes += answer.stderr.strip().splitlines()
    with report.step("the stick was not taken from alpha, and both still list it"):
        for machine in (alpha, beta):
            agent.wait_for_device(machine, LIMIT, **here, remote_state="AVAIL", remote_user="NOBODY")
        assert alpha.disk_node(stick), "alpha's kernel has no disk"
    with report.step("the agent stays up"):
        assert beta.run(f"systemctl is-active {AGENT}").strip() == "active"
        assert beta.run(f"systemctl show --value --property=NRestarts {AGENT}").strip() == "0"
        assert beta.run(f"systemctl show --value --property=MainPID {AGENT}").strip() == process
        assert "devices" in beta.run(f"systemctl show --value --property=StatusText {AGENT}")
    with report.step("beta boots the stock kernel again, as it was told, and the stick attaches"):
        beta.boot_kernel("amd64")
        agent.start_now(beta)
        agent.wait_for_device(beta, LIMIT, **here, id=identity, remote_state="AVAIL")
        agent.up(beta, identity)
        agent.down(beta, identity)
