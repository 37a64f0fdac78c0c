# SPDX-License-Identifier: Apache-2.0
"""What devices are called: by the hardware database where they do not say, by people, and two with one serial number."""

import re

from ..devices import Disk
from ..gadgets import Nameless
from . import agent

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    gadgets = (Nameless("046d", "c31c", 0), Nameless("046d", "fffe", 1), Nameless("fffe", "0001", 2))
    known, of_known_vendor, unknown = gadgets
    with report.step("alpha has three devices without any string") as notes:
        for gadget in gadgets:
            gadget.plug(office, alpha)
        bus_ids = {gadget: alpha.bus_id(gadget) for gadget in gadgets}
        for bus_id in bus_ids.values():
            alpha.run(f"cd /sys/bus/usb/devices/{bus_id} && ! ls manufacturer product serial 2>/dev/null | grep -q .")
        notes += bus_ids.values()
    with report.step("alpha's hardware database knows one of them, the vendor of another, and nothing of the third"
                     ) as notes:
        vendor, model = (database(alpha, known, key) for key in ("ID_VENDOR_FROM_DATABASE", "ID_MODEL_FROM_DATABASE"))
        assert vendor and model, f"it does not know {known.vendor_id}:{known.product_id}"
        assert database(alpha, of_known_vendor, "ID_VENDOR_FROM_DATABASE") == vendor
        assert not database(alpha, of_known_vendor, "ID_MODEL_FROM_DATABASE")
        assert not database(alpha, unknown, "ID_VENDOR_FROM_DATABASE")
        notes += [vendor, model]
    names = {known: f"{vendor} {model}", of_known_vendor: f"{vendor} 046d:fffe", unknown: "USB device fffe:0001"}

    agent.install(office, report)
    agent.start_agent(report, alpha, beta)
    for machine in (alpha, beta):
        with report.step(f"{machine.name} lists them by these names") as notes:
            for gadget in gadgets:
                agent.wait_for_device(machine, host="alpha", busid=bus_ids[gadget], name=names[gadget],
                                      remote_state="AVAIL")
            shown = machine.run("devconfig list")
            for name in names.values():
                assert re.search(rf"^ *\d+  {re.escape(name)}  +alpha ", shown, re.MULTILINE), shown
            notes += names.values()
    with report.step("such a name is enough for up and down, and the attached device has it too"):
        device = agent.wait_for_device(beta, host="alpha", busid=bus_ids[known])
        beta.run(f"devconfig up '{names[known]}'", timeout=90)
        agent.wait_for_device(beta, id=device["id"], name=names[known], local_state="CONN_DONE")
        agent.wait_for_device(beta, host="beta", name=names[known], is_imported=True)
        beta.run(f"devconfig down '{names[known]}'", timeout=90)
        agent.wait_for_device(alpha, host="alpha", busid=bus_ids[known], remote_state="AVAIL", remote_user="NOBODY")
    people(report, alpha, beta, bus_ids[unknown])
    twins(report, alpha, beta)


def people(report, alpha, beta, bus_id: str) -> None:
    with report.step("a name given where the device is plugged in is its name on both machines"):
        alpha.run(f"devconfig name {bus_id}@alpha 'label printer'")
        for machine in (alpha, beta):
            agent.wait_for_device(machine, host="alpha", busid=bus_id, name="label printer",
                                  **({"device_name": "USB device fffe:0001"} if machine is alpha else {}))
    with report.step("a name given on the other machine is its name there, also after a restart"):
        beta.run("devconfig name 'label printer' Stempel; systemctl restart devconfigd", timeout=120)
        agent.wait_for_device(beta, host="alpha", busid=bus_id, name="Stempel", device_name="label printer")
        agent.wait_for_device(alpha, host="alpha", busid=bus_id, name="label printer")
        beta.run("devconfig up stempel", timeout=90)
        agent.wait_for_device(beta, host="alpha", name="Stempel", local_state="CONN_DONE")
        beta.run("devconfig down 'label printer'", timeout=90)
    with report.step("names that mean something else, and names that are taken, are refused"):
        for name in ("3", "alpha/x", "1-2@alpha", "046d:c31c"):
            assert "cannot be named that" in beta.attempt(f"devconfig name Stempel '{name}'").stderr
        other = next(device["id"] for device in agent.devices(beta) if device["name"] != "Stempel")
        assert "already" in beta.attempt(f"devconfig name {other} STEMPEL").stderr
        beta.run("devconfig name --remove stempel")
        agent.wait_for_device(beta, host="alpha", busid=bus_id, name="label printer", device_name=None)


def twins(report, alpha, beta) -> None:
    first, second = Disk("first", 64), Disk("second", 64)
    first.serial = second.serial = "LAB-TWIN"
    with report.step("of two devices with one serial number the first keeps its ID on both machines") as notes:
        alpha.plug(first)
        place = alpha.bus_id(first)
        ids = {machine: agent.wait_for_device(machine, host="alpha", busid=place, remote_state="AVAIL")["id"]
               for machine in (alpha, beta)}
        alpha.plug(second)
        other_place = alpha.wait_until(
            f"grep -lx LAB-TWIN /sys/bus/usb/devices/*/serial | xargs -n 1 dirname | xargs -n 1 basename | "
            f"grep -vx {place}").strip()
        other = agent.wait_for_device(beta, host="alpha", busid=other_place, remote_state="AVAIL")
        for machine in (alpha, beta):
            agent.wait_for_device(machine, host="alpha", busid=place, id=ids[machine], remote_state="AVAIL")
        notes += [place, other_place]
    with report.step("each of them alone is still the same one"):
        alpha.unplug(first.name)
        agent.wait_for_device(beta, host="alpha", busid=place, remote_state="OFFLINE")
        agent.wait_for_device(beta, host="alpha", busid=other_place, id=other["id"], remote_state="AVAIL")
        alpha.plug(first.name)
        for machine in (alpha, beta):
            agent.wait_for_device(machine, host="alpha", busid=place, id=ids[machine], remote_state="AVAIL")


def database(machine, gadget, key: str) -> str:
    """What the hardware database of the machine has under this key for a device; empty where it has nothing."""
    modalias = f"usb:v{gadget.vendor_id.upper()}p{gadget.product_id.upper()}:"
    return machine.run(f"systemd-hwdb query {modalias} | sed -n 's/^{key}=//p'").strip()
