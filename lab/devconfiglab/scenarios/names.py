# SPDX-License-Identifier: Apache-2.0
"""Devices that do not say who they are: both machines show the names of the hardware database."""

import re

from . import agent

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True

FUNCTION = "SourceSink.0"


class Nameless:
    """A gadget without any string descriptor, on a controller of dummy_hcd of its own."""

    def __init__(self, vendor_id: str, product_id: str):
        self.vendor_id = vendor_id
        self.product_id = product_id

    def plug(self, office, machine, controller: int) -> None:
        directory = f"/sys/kernel/config/usb_gadget/nameless{controller}"
        office.afterwards(machine, f"cd {directory} && echo > UDC; rm configs/c.1/{FUNCTION}; "
                                   f"rmdir configs/c.1 functions/{FUNCTION}; rmdir {directory}")
        machine.run(f"set -e; mkdir {directory}; cd {directory}; echo 0x{self.vendor_id} > idVendor; "
                    f"echo 0x{self.product_id} > idProduct; mkdir configs/c.1 functions/{FUNCTION}; "
                    f"ln -s functions/{FUNCTION} configs/c.1/; echo dummy_udc.{controller} > UDC")


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    known, of_known_vendor, unknown = Nameless("046d", "c31c"), Nameless("046d", "fffe"), Nameless("fffe", "0001")
    gadgets = (known, of_known_vendor, unknown)
    with report.step("alpha has three devices without any string") as notes:
        office.afterwards(alpha, "modprobe -r dummy_hcd")
        alpha.run(f"modprobe dummy_hcd num={len(gadgets)}; modprobe libcomposite; "
                  "mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config")
        for controller, gadget in enumerate(gadgets):
            gadget.plug(office, alpha, controller)
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
