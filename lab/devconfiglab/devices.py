# SPDX-License-Identifier: Apache-2.0
"""The USB devices a scenario can plug into a machine. Everything is plugged through the monitor, also before boot."""

from pathlib import Path


class Device:
    """One emulated USB device. `name` is its identifier in QEMU and for unplug and plug."""

    vendor_id = ""
    product_id = ""

    def __init__(self, name: str):
        self.name = name
        # Given when it is plugged for the first time, and kept: people use the same socket again.
        self.socket = None

    def prepare(self, talk, directory: Path) -> None:
        """Make what the device needs behind it. Called once, before it is plugged for the first time."""

    def properties(self) -> dict:
        raise NotImplementedError

    def discard(self, talk) -> None:
        """Remove what prepare made, after the device was unplugged for good."""


class Disk(Device):
    """A USB stick: QEMU QEMU USB HARDDRIVE, sparse, not partitioned, empty."""

    vendor_id, product_id = "46f4", "0001"

    def __init__(self, name: str, size_mib: int = 256):
        super().__init__(name)
        self.size_mib = size_mib
        self.serial = f"LAB-{name.upper()}"

    def prepare(self, talk, directory: Path) -> None:
        path = directory / f"{self.name}.raw"
        # A machine that boots again finds its disks as it left them.
        if not path.exists():
            with open(path, "wb") as file:
                file.truncate(self.size_mib << 20)
        talk.execute("blockdev-add", driver="raw", **{"node-name": self.name},
                     file={"driver": "file", "filename": str(path)})

    def properties(self) -> dict:
        return {"driver": "usb-storage", "drive": self.name, "serial": self.serial}

    def discard(self, talk) -> None:
        talk.execute("blockdev-del", **{"node-name": self.name})


class Keyboard(Device):
    vendor_id, product_id = "0627", "0001"

    def properties(self) -> dict:
        return {"driver": "usb-kbd"}


class Hub(Device):
    vendor_id, product_id = "0409", "55aa"

    def properties(self) -> dict:
        return {"driver": "usb-hub"}


class SerialPort(Device):
    """An FTDI-like serial adapter. Its other end is a socket in the run directory."""

    vendor_id, product_id = "0403", "6001"

    def __init__(self, name: str):
        super().__init__(name)
        self.cable = None

    def prepare(self, talk, directory: Path) -> None:
        self.cable = directory / f"{self.name}.serial"
        talk.execute("chardev-add", id=self.name, backend={"type": "socket", "data": {
            "addr": {"type": "unix", "data": {"path": str(self.cable)}}, "server": True, "wait": False}})

    def properties(self) -> dict:
        return {"driver": "usb-serial", "chardev": self.name, "always-plugged": True,
                "serial": f"LAB-{self.name.upper()}"}

    def discard(self, talk) -> None:
        talk.execute("chardev-remove", id=self.name)


class NetworkAdapter(Device):
    """A USB Ethernet adapter with nothing but a cable in it."""

    vendor_id, product_id = "0525", "a4a2"

    def prepare(self, talk, directory: Path) -> None:
        talk.execute("netdev_add", type="user", id=f"{self.name}-net", restrict=True)

    def properties(self) -> dict:
        return {"driver": "usb-net", "netdev": f"{self.name}-net"}

    def discard(self, talk) -> None:
        talk.execute("netdev_del", id=f"{self.name}-net")
