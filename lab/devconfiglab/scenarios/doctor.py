# SPDX-License-Identifier: Apache-2.0
"""`devconfig doctor` and `devconfig watch`: the right command where something is missing, and every change as it comes."""

import json

from ..devices import SerialPort
from ..recipe import PERSON
from . import agent

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True

# What is taken away, and for each thing that is missed then the word for it and the command that brings it back.
# D-Bus starts avahi-daemon again for an agent that runs.
BROKEN = (
    ("systemctl stop devconfigd avahi-daemon.socket avahi-daemon",
     [("devconfigd", "systemctl enable --now devconfigd"), ("avahi", "systemctl enable --now avahi-daemon")]),
    ("modprobe -r vhci-hcd", [("vhci_hcd", "modprobe vhci-hcd")]),
)

# A packet filter as people write it: whom this machine asks may answer, and ssh comes in.
OFFICE = """\
table inet office {
    set wanted { type inet_service; elements = { 22, 80, 443 } }
    chain in {
        type filter hook input priority 0; policy drop;
        ct state vmap { established : accept, related : accept, invalid : drop }
        iif lo accept
        meta l4proto ipv6-icmp accept
        tcp dport @wanted jump known
        counter log prefix "dropped: " drop
    }
    chain known {
        tcp flags & (fin | syn | rst | ack) == syn accept
    }
}
"""


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    serial = SerialPort("serial")
    alpha.plug(serial)
    agent.install(office, report)
    agent.start_agent(report, alpha, beta)
    agent.wait_for_device(beta, host="alpha", busid=alpha.bus_id(serial), remote_state="AVAIL")
    with report.step("beta has nothing that does not work, and reaches alpha") as notes:
        findings, status = examine(beta)
        assert status == 0 and not troubles(findings), findings
        # The package has raised the kernel's 16 MiB.
        memory = [(finding["rank"], finding["text"]) for finding in findings if finding["subject"] == "usbfs"]
        assert memory == [("good", "all transfers together may take 256 MiB")], memory
        reached = [finding for finding in findings if finding["subject"].startswith("alpha (")]
        assert len(reached) == 1 and "it answers within" in reached[0]["text"], findings
        notes.append(reached[0]["text"])
    watched(office, report, beta, serial_of(beta))
    for command, missed in BROKEN:
        with report.step(f"after {command} it says what is missed: {', '.join(subject for subject, _ in missed)}"):
            beta.run(command, timeout=60)
            findings, status = examine(beta)
            assert status == 1, findings
            assert [(found["subject"], found["mend"]) for found in troubles(findings)] == missed, findings
        with report.step(f"what it says mends it: {', '.join(mend for _, mend in missed)}"):
            for _, mend in missed:
                beta.run(mend, timeout=120)
            beta.wait_until("devconfig doctor", limit=30)
    firewalled(office, report, alpha, beta)
    with report.step("a machine that cannot be reached is named"):
        alpha.cut_network(silently=True)
        findings, status = examine(beta)
        alpha.restore_network()
        assert status == 1 and [found["subject"].split(" ")[0] for found in troubles(findings)] == ["alpha"], findings


def firewalled(office, report, alpha, beta) -> None:
    """A packet filter on beta that lets nobody in: seen, named, mended, and each time as alpha sees it."""
    knock = f"timeout 5 bash -c '</dev/tcp/{beta.address}/3240'"
    office.afterwards(beta, "nft delete table inet office 2>/dev/null; iptables -P INPUT ACCEPT; iptables -F")
    with report.step("a packet filter that lets nobody in is named, with its chain and the rules that open it") as notes:
        assert alpha.attempt(knock).status == 0
        beta.write("/run/office.nft", OFFICE)
        beta.run("nft -f /run/office.nft")
        assert alpha.attempt(knock).status != 0
        findings, status = examine(beta)
        found = [(finding["subject"], finding["mend"]) for finding in troubles(findings)
                 if finding["subject"] == "firewall"]
        assert status == 1 and found == [
            ("firewall", "nft insert rule inet office in tcp dport 3240 accept"),
            ("firewall", "nft insert rule inet office in udp dport 5353 accept"),
        ], findings
        notes.append(troubles(findings)[0]["text"])
    with report.step("who is not root is told that only root can see that"):
        said = json.loads(beta.attempt(agent.as_user(PERSON, "devconfig doctor --json")).stdout)["findings"]
        told = [finding for finding in said if finding["subject"] == "firewall"]
        assert [(finding["rank"], finding["mend"]) for finding in told] == [("notice", "as root: devconfig doctor")], said
    with report.step("the rules it names let alpha in"):
        for _, mend in found:
            beta.run(mend)
        assert alpha.attempt(knock).status == 0
        findings, _ = examine(beta)
        assert [finding["rank"] for finding in findings if finding["subject"] == "firewall"] == ["good"], findings
        beta.run("nft delete table inet office")
    with report.step("rules of iptables are seen too: one for port 22 alone does not let alpha in") as notes:
        beta.run("iptables -A INPUT -i lo -j ACCEPT; iptables -A INPUT -p tcp --dport 22 -j ACCEPT; "
                 "iptables -A INPUT -i control -j ACCEPT; iptables -P INPUT DROP")
        assert alpha.attempt(knock).status != 0
        findings, _ = examine(beta)
        found = [finding for finding in findings if finding["subject"] == "firewall"]
        assert [finding["mend"] for finding in found] == [
            "iptables -I INPUT -p tcp --dport 3240 -j ACCEPT", "iptables -I INPUT -p udp --dport 5353 -j ACCEPT",
        ], findings
        for finding in found:
            beta.run(finding["mend"])
        assert alpha.attempt(knock).status == 0
        assert not [finding for finding in examine(beta)[0] if finding["subject"] == "firewall"
                    and finding["rank"] != "good"]
        notes.append(found[0]["text"])
        beta.run("iptables -P INPUT ACCEPT; iptables -F")


def serial_of(machine) -> int:
    return agent.wait_for_device(machine, host="alpha", remote_state="AVAIL")["id"]


def watched(office, report, machine, identity: int) -> None:
    with report.step("watch tells of each change, and of an agent that is restarted meanwhile") as notes:
        office.afterwards(machine, "systemctl stop lab-watch 2>/dev/null; rm -f /root/watched")
        machine.run("systemd-run --quiet --unit=lab-watch sh -c 'exec devconfig watch > /root/watched'")
        machine.wait_until("grep -q DISCONN_DONE /root/watched")
        agent.up(machine, identity)
        machine.wait_until("grep -q '\"CONN_DONE\"' /root/watched")
        agent.down(machine, identity)
        machine.run("systemctl restart devconfigd", timeout=120)
        machine.wait_until("tail -n 1 /root/watched | grep -q '\"remote_state\":\"AVAIL\"'")
        lines = [json.loads(line) for line in machine.run("systemctl stop lab-watch; cat /root/watched").splitlines()]
        states = [{device["id"]: device["local_state"] for device in line["devices"]}.get(identity) for line in lines]
        seen = [state for state, before in zip(states, [None, *states]) if state and state != before]
        assert seen[0] == "DISCONN_DONE" and "CONN_DONE" in seen and seen[-1] == "DISCONN_DONE", seen
        notes.append(", ".join(seen))


def examine(machine) -> tuple:
    answer = machine.attempt("devconfig doctor --json")
    document = json.loads(answer.stdout)
    assert document["schema"] == "devconfig-doctor/1", document
    return document["findings"], answer.status


def troubles(findings: list) -> list:
    return [finding for finding in findings if finding["rank"] == "trouble"]
