# SPDX-License-Identifier: Apache-2.0
"""The USB devices a scenario can plug into a machine. Everything is plugged through the monitor, also before boot."""

from pathlib import Path


class Device:
    """One emulated USB device. `name` is its identifier in QEMU and for unplug and plug."""

    vendor_id = ""
    product_id = ""
    # The controller it is plugged into: SuperSpeed or high speed, or high speed at most.
    controller = "usb"

    def __init__(self, name: str):
        self.name = name
        # Given when it is plugged for the first time, and kept: people use the same socket again.
        self.socket = None

    def prepare(self, talk, directory: Path) -> None:
        """Make what the device needs behind it. Called once, before it is plugged for the first time."""

    def properties(self) -> dict:
        raise NotImplementedError

    def complete(self, talk) -> None:
        """What has to be done each time it was plugged in."""

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


class UasDisk(Disk):
    """The same disk behind USB Attached SCSI, at high speed: faster, UAS wants streams, which vhci_hcd does not have."""

    vendor_id, product_id = "46f4", "0003"

    controller = "usb2"

    def properties(self) -> dict:
        # Nobody looks at it before the disk is in.
        return {"driver": "usb-uas", "serial": self.serial, "attached": False}

    def complete(self, talk) -> None:
        talk.execute("device_add", driver="scsi-hd", id=f"{self.name}-disk", bus=f"{self.name}.0", drive=self.name,
                     serial=self.serial)
        talk.execute("qom-set", path=f"/machine/peripheral/{self.name}", property="attached", value=True)


class NullDisk(Device):
    """A disk that takes everything, keeps nothing and reads as zeros: as fast as an emulated one can be."""

    vendor_id, product_id = "46f4", "0001"

    def __init__(self, name: str):
        super().__init__(name)
        self.serial = f"LAB-{name.upper()}"

    def prepare(self, talk, directory: Path) -> None:
        talk.execute("blockdev-add", driver="null-co", **{"node-name": self.name, "read-zeroes": True, "size": 4 << 30})

    def properties(self) -> dict:
        return {"driver": "usb-storage", "drive": self.name, "serial": self.serial}

    def discard(self, talk) -> None:
        talk.execute("blockdev-del", **{"node-name": self.name})


class Keyboard(Device):
    vendor_id, product_id = "0627", "0001"

    def __init__(self, name: str):
        super().__init__(name)
        self.serial = f"LAB-{name.upper()}"

    def properties(self) -> dict:
        return {"driver": "usb-kbd", "serial": self.serial}


class Tablet(Device):
    # The serial number tells it from the keyboard.
    vendor_id, product_id = "0627", "0001"

    def __init__(self, name: str):
        super().__init__(name)
        self.serial = f"LAB-{name.upper()}"

    def properties(self) -> dict:
        return {"driver": "usb-tablet", "serial": self.serial}


class Loudspeaker(Device):
    """A USB loudspeaker; what it plays is in a file in the run directory, complete when it was unplugged."""

    vendor_id, product_id = "46f4", "0002"
    # In bytes. What a starved emulator delivers late comes in a burst, and the default of 32 ms would drop some of it.
    BUFFER = 192 * 2000

    def __init__(self, name: str):
        super().__init__(name)
        self.recording = None

    def prepare(self, talk, directory: Path) -> None:
        self.recording = directory / "sound.wav"

    def properties(self) -> dict:
        return {"driver": "usb-audio", "audiodev": "sound", "buffer": self.BUFFER}


class CardReader(Device):
    """A smart-card reader without a card."""

    vendor_id, product_id = "08e6", "4433"

    def properties(self) -> dict:
        return {"driver": "usb-ccid"}


class MediaPlayer(Device):
    """An MTP device with one file, `content`, on it."""

    vendor_id, product_id = "46f4", "0004"

    def __init__(self, name: str, content: bytes):
        super().__init__(name)
        self.content = content
        self.root = None

    def prepare(self, talk, directory: Path) -> None:
        self.root = directory / f"{self.name}.files"
        self.root.mkdir(exist_ok=True)
        (self.root / "song.bin").write_bytes(self.content)

    def properties(self) -> dict:
        return {"driver": "usb-mtp", "rootdir": str(self.root)}


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
    """A USB Ethernet adapter; at the other end of its cable is nothing but a host that answers to pings."""

    vendor_id, product_id = "0525", "a4a2"
    NETWORK = "192.0.2.0/24"
    ADDRESS = "192.0.2.15/24"
    PEER = "192.0.2.2"

    def prepare(self, talk, directory: Path) -> None:
        talk.execute("netdev_add", type="user", id=f"{self.name}-net", restrict=True, net=self.NETWORK)

    def properties(self) -> dict:
        return {"driver": "usb-net", "netdev": f"{self.name}-net"}

    def discard(self, talk) -> None:
        talk.execute("netdev_del", id=f"{self.name}-net")
