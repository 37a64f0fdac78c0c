# SPDX-License-Identifier: Apache-2.0
"""USB devices that a machine plays itself: gadgets made with configfs, at high speed on dummy_hcd.

For what QEMU has no device for. They are on a bus of the machine like any other device, and gone when it boots again.
"""

CONFIGFS = "/sys/kernel/config"
# Each carries one gadget.
CONTROLLERS = 3


class Gadget:
    """What is common. `functions` are instances of configfs and their attributes, in the order of their interfaces."""

    vendor_id = ""
    product_id = ""
    # None for a device that does not say who it is.
    product = None
    functions = {}

    def __init__(self, controller: int = 0):
        self.controller = controller

    @property
    def directory(self) -> str:
        return f"{CONFIGFS}/usb_gadget/lab{self.controller}"

    def plug(self, office, machine) -> None:
        """Make it and plug it in; when the scenario is over it is removed."""
        office.afterwards(machine, f"! [ -e {self.directory} ] || {{ {self.removal()}; }}; modprobe -q -r dummy_hcd")
        machine.run(self.making())

    def unplug(self, machine) -> None:
        machine.run(self.removal())

    def turn_into(self, machine, vendor_id: str, product_id: str, product: str) -> None:
        """Unplug it and plug it in again with another identity, as when its firmware is written."""
        machine.run(f"set -e; cd {self.directory}; echo > UDC; echo 0x{vendor_id} > idVendor; "
                    f"echo 0x{product_id} > idProduct; echo '{product}' > strings/0x409/product; "
                    f"echo dummy_udc.{self.controller} > UDC")

    def making(self) -> str:
        lines = ["set -e", f"modprobe dummy_hcd num={CONTROLLERS}", "modprobe libcomposite",
                 f"mountpoint -q {CONFIGFS} || mount -t configfs none {CONFIGFS}",
                 f"mkdir {self.directory}", f"cd {self.directory}", f"echo 0x{self.vendor_id} > idVendor",
                 f"echo 0x{self.product_id} > idProduct", "mkdir configs/c.1"]
        if self.product:
            lines += ["mkdir strings/0x409", "echo devconfig > strings/0x409/manufacturer",
                      f"echo '{self.product}' > strings/0x409/product"]
        for function, attributes in self.functions.items():
            lines.append(f"mkdir functions/{function}")
            for attribute, value in attributes.items():
                data = value if isinstance(value, bytes) else str(value).encode()
                quoted = "".join(f"\\x{byte:02x}" for byte in data)
                lines.append(f"printf '{quoted}' > functions/{function}/{attribute}")
            lines.append(f"ln -s functions/{function} configs/c.1/")
        return "; ".join([*lines, f"echo dummy_udc.{self.controller} > UDC"])

    def removal(self) -> str:
        lines = [f"cd {self.directory}", "echo > UDC"]
        lines += [f"rm configs/c.1/{function}" for function in self.functions]
        lines += ["rmdir configs/c.1", *(f"rmdir functions/{function}" for function in self.functions)]
        if self.product:
            lines.append("rmdir strings/0x409")
        return "; ".join([*lines, "cd ..", f"rmdir {self.directory}"])


class SourceSink(Gadget):
    """The kernel's SourceSink gadget, which usbtest knows by its identity."""

    vendor_id, product_id = "0525", "a4a0"
    product = "SourceSink"
    functions = {"SourceSink.0": {}}


class Nameless(Gadget):
    """A device without any string descriptor."""

    functions = {"SourceSink.0": {}}

    def __init__(self, vendor_id: str, product_id: str, controller: int):
        super().__init__(controller)
        self.vendor_id = vendor_id
        self.product_id = product_id


# A page of the vendor's own, so that no driver takes it for a keyboard: eight bytes in, eight bytes out.
VENDOR_REPORT = bytes.fromhex("0600ff0901a1011500 26ff00750895080901810209019102c0")
REPORT_LENGTH = 8


class Reports(Gadget):
    """A HID device of a vendor's own: /dev/hidg0 here, a hidraw node where it is used."""

    vendor_id, product_id = "0525", "a4ac"
    product = "Reports"
    functions = {"hid.0": {"protocol": 0, "subclass": 0, "report_length": REPORT_LENGTH, "report_desc": VENDOR_REPORT}}
    end = "/dev/hidg0"


class Modem(Gadget):
    """A CDC ACM device: /dev/ttyGS0 here, a ttyACM node where it is used."""

    vendor_id, product_id = "0525", "a4a7"
    product = "Modem"
    functions = {"acm.0": {}}
    end = "/dev/ttyGS0"


class Printer(Gadget):
    """A printer without paper: /dev/g_printer0 here, a usblp node where it is used."""

    vendor_id, product_id = "0525", "a4a8"
    product = "Printer"
    functions = {"printer.0": {"pnp_string": "MFG:devconfig;MDL:lab;CLS:PRINTER;", "q_len": 10}}
    end = "/dev/g_printer0"


class Rehearsal(Gadget):
    """For scripted sessions: a source and sink that knows its data and sends short packets, and HID reports.

    The source sends 700 bytes at a time, a full packet and a short one. The sink halts its endpoint when a byte is not
    the one of the pattern. Reports are for interrupt endpoints that have nothing to say. No driver wants all of it.
    """

    vendor_id, product_id = "1d6b", "0104"
    product = "Rehearsal"
    functions = {"SourceSink.0": {"pattern": 1, "bulk_buflen": 700},
                 "hid.0": {**Reports.functions["hid.0"], "no_out_endpoint": 1}}
    end = Reports.end
