# SPDX-License-Identifier: Apache-2.0
"""Devices that do not say who they are: both machines show the names of the hardware database."""

import re

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


def database(machine, gadget, key: str) -> str:
    """What the hardware database of the machine has under this key for a device; empty where it has nothing."""
    modalias = f"usb:v{gadget.vendor_id.upper()}p{gadget.product_id.upper()}:"
    return machine.run(f"systemd-hwdb query {modalias} | sed -n 's/^{key}=//p'").strip()
