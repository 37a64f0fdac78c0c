# SPDX-License-Identifier: Apache-2.0
"""What an administrator's rules do: some devices kept, one shared with one person, changed while it is in use."""

from ..devices import Disk, SerialPort
from ..recipe import PERSON
from . import agent

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True

FILE = "/etc/devconfig/devconfig.yaml"
DENIED = 5


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    disk, serial = Disk("disk", 64), SerialPort("serial")
    for device in (disk, serial):
        alpha.plug(device)
    agent.install(office, report)
    office.afterwards(alpha, f"cp /root/devconfig.yaml {FILE}")
    alpha.run(f"cp {FILE} /root/devconfig.yaml")
    beta.run(f"usermod -aG devconfig {PERSON}")
    office.afterwards(beta, f"gpasswd -d {PERSON} devconfig")
    agent.start_agent(report, alpha, beta)
    disk_id, serial_id = alpha.bus_id(disk), alpha.bus_id(serial)
    with report.step("without rules everything is shared"):
        for bus_id in (disk_id, serial_id):
            agent.wait_for_device(alpha, host="alpha", busid=bus_id, remote_state="AVAIL", rule="no rule")
            agent.wait_for_device(beta, host="alpha", busid=bus_id, remote_state="AVAIL")
    with report.step(f"rules: disks for {PERSON} alone, the adapter in its socket for nobody") as notes:
        follow(alpha, f"rules:\n  - allow: {{class: storage, user: {PERSON}, host: beta}}\n"
                      f"  - deny: {{class: storage}}\n  - deny: {{port: {serial_id}}}\n")
        agent.wait_for_device(alpha, host="alpha", busid=serial_id, remote_state="DENIED", rule="rule 3, line 4")
        kept = agent.wait_for_device(beta, host="alpha", busid=serial_id, remote_state="DENIED")
        wanted = agent.wait_for_device(beta, host="alpha", busid=disk_id, remote_state="AVAIL")
        notes.append(kept["reason"])
    with report.step("others are told with whom it is shared") as notes:
        refused = beta.attempt(f"devconfig up {wanted['id']}")
        assert refused.status == DENIED, refused
        assert f"only {PERSON} on beta may have it (rule 2, line 3)" in refused.stderr, refused.stderr
        assert beta.attempt(f"devconfig up {kept['id']}").status == DENIED
        notes.append(refused.stderr.splitlines()[0])
    with report.step(f"{PERSON} gets it, and keeps it when the rules change"):
        agent.up(beta, wanted["id"], PERSON)
        follow(alpha, "rules:\n  - deny: all\n")
        agent.wait_for_device(alpha, host="alpha", busid=disk_id, remote_state="INUSE", rule="rule 1, line 2",
                              remote_user=f"{PERSON}@beta")
        agent.down(beta, wanted["id"])
        agent.wait_for_device(beta, host="alpha", busid=disk_id, remote_state="DENIED")
    with report.step("a mistake leaves the rules in force, and is shown") as notes:
        alpha.write(FILE, "rules:\n  - deny: {class: toaster}\n")
        alpha.run("systemctl reload devconfigd")
        alpha.wait_until("devconfig status 2>&1 >/dev/null | grep -q 'line 2: class: '")
        agent.wait_for_device(alpha, host="alpha", busid=disk_id, remote_state="DENIED", rule="rule 1, line 2")
        notes.append(alpha.run("devconfig status 2>&1 >/dev/null").splitlines()[0])
    with report.step("share and unshare write rules, which take effect at once") as notes:
        follow(alpha, "# ours\nrules:\n  - deny: all  # all of it\n")
        own = agent.wait_for_device(alpha, host="alpha", busid=disk_id, remote_state="DENIED")["id"]
        alpha.run(f"devconfig share {own}")
        agent.wait_for_device(beta, host="alpha", busid=disk_id, remote_state="AVAIL")
        agent.up(beta, wanted["id"])
        said = alpha.attempt(f"devconfig unshare {own}")
        assert said.status == 0 and "root@beta has" in said.stderr, said
        agent.down(beta, wanted["id"])
        agent.wait_for_device(beta, host="alpha", busid=disk_id, remote_state="DENIED")
        text = alpha.run(f"cat {FILE}")
        assert text.startswith("# ours\nrules:\n  - deny: {vendor:") and text.endswith("  - deny: all  # all of it\n"), text
        assert text.count("\n") == 4 and alpha.run(f"stat -c %a {FILE}").strip() == "644", text
        refused = alpha.attempt(agent.as_user(PERSON, f"devconfig share {own}"))
        assert "only root" in refused.stderr and alpha.run(f"cat {FILE}") == text, refused
        notes.append(text.splitlines()[2].strip())
    with report.step("with the rules gone everything is shared again"):
        follow(alpha, "")
        for bus_id in (disk_id, serial_id):
            agent.wait_for_device(beta, host="alpha", busid=bus_id, remote_state="AVAIL")


def follow(machine, text: str) -> None:
    machine.write(FILE, text)
    machine.run("systemctl reload devconfigd")
