# SPDX-License-Identifier: Apache-2.0
"""One emulated office machine: its QEMU process, its devices, its shell."""

import re
import subprocess
import time
from pathlib import Path

from . import network, recipe
from .errors import LabError, NotReached
from .monitor import Monitor
from .remote import RemoteShell, ssh_options

READY_LINE = "devconfig-lab: ready"
# USB sockets of a machine, and of a hub in QEMU.
SOCKETS = 8
KERNEL_TROUBLE = re.compile(r"BUG:|Oops|general protection|WARNING: CPU|Kernel panic|refcount_t:|UBSAN|hung_task|"
                            r"blocked for more than")


def has_hardware_virtualisation() -> bool:
    """A /dev/kvm node alone proves nothing: without the processor flags a guest may hang in it."""
    flags = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return bool(flags and {"vmx", "svm"} & set(flags.group(1).split()) and Path("/dev/kvm").exists())


class Machine:
    """Use it from a scenario: run, wait_until, plug, unplug, cut_network, power_off_hard, …"""

    def __init__(self, name: str, image, run_directory: Path, processors: int = 1, memory_mib: int = 768):
        self.name = name
        self.image = image
        self.processors = processors
        # One of recipe.KERNELS, for the next time it is switched on.
        self.kernel = recipe.KERNELS[0]
        self.memory_mib = memory_mib
        self.run_directory = run_directory
        self.directory = run_directory / name
        self.share = run_directory / "share"
        self.results = self.directory / "results"
        self.console = self.directory / "console.log"
        self.monitor = Monitor(self.directory / "monitor")
        self.address = network.lan_address(name)
        self.port = None
        self.shell = None
        # Plugged or unplugged, all devices this machine knows, by name; and which of them are plugged now.
        self.devices = {}
        self.plugged = []
        # What the scenarios' common steps have already done here since this disk was fresh.
        self.done = set()
        self._process = None

    # -- power ---------------------------------------------------------------------------------------------

    def power_on(self) -> None:
        """Start QEMU; `wait_until_up` waits for the guest."""
        for directory in (self.directory, self.share, self.results):
            directory.mkdir(exist_ok=True)
        overlay = self.directory / "disk.qcow2"
        if not overlay.exists():
            # An overlay and not snapshot=on: what was written has to survive a power cut.
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", self.image.disk, overlay],
                           check=True)
        self.console.write_text("")
        log = open(self.directory / "qemu.log", "w")
        # The kernel ends QEMU with this process, even when this one is killed outright. Own session: Ctrl-C is
        # for the lab, which takes its machines down itself.
        self._process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *self._command(overlay)],
                                         stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        log.close()
        self._wait_for_monitor()
        self.port = self._control_port()
        self.shell = self._new_shell()
        # Before the guest's kernel looks: devices that were plugged stay plugged over a power cut.
        again, self.plugged = self.plugged, []
        for name in again:
            with self.monitor.conversation() as talk:
                self.devices[name].prepare(talk, self.directory)
            self.plug(self.devices[name])

    def wait_until_up(self, limit: float = 300, boots: int = 1) -> None:
        """Wait for the guest's own word, then open the shared ssh connection."""
        end = time.monotonic() + limit
        while self.console.read_bytes().count(READY_LINE.encode()) < boots:
            if not self.is_on():
                raise LabError(f"QEMU of {self.name} ended:\n{(self.directory / 'qemu.log').read_text()}"
                               f"{self.console_tail()}")
            if time.monotonic() > end:
                raise NotReached(f"{self.name} did not boot within {limit:.0f} s:\n{self.console_tail()}")
            time.sleep(0.2)
        # On a busy host a machine that is ready needs another minute for a first login.
        self.shell.connect(limit=max(120, end - time.monotonic()))

    def is_on(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def is_reachable(self) -> bool:
        return self.shell is not None and (self._process is None or self.is_on())

    def adopt(self, port: int) -> None:
        """Use a machine another process runs: everything but its power switch."""
        self.port = port
        self.shell = self._new_shell()

    def power_off_hard(self) -> None:
        """Pull the mains plug."""
        if self.shell:
            self.shell.close()
            self.shell = None
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def boot_again(self, limit: float = 300) -> None:
        """Switch on after power_off_hard: same disk, same devices."""
        self.power_on()
        self.wait_until_up(limit)

    def reboot(self, limit: float = 300) -> None:
        """The guest shuts down in order and starts again."""
        boots = self.console.read_bytes().count(READY_LINE.encode())
        self.shell.attempt("systemctl reboot")
        self.shell.close()
        self.wait_until_up(limit, boots + 1)

    def boot_kernel(self, flavour: str, limit: float = 300) -> None:
        """Switch off and boot another kernel of the image, with the same disk and devices."""
        self.run("sync", timeout=120)
        self.power_off_hard()
        self.kernel = flavour
        self.boot_again(limit)

    # -- the shell -----------------------------------------------------------------------------------------

    def run(self, command: str, timeout: float = 60) -> str:
        """Run a command that has to succeed; return its stdout."""
        return self.shell.run(command, timeout)

    def attempt(self, command: str, timeout: float = 60):
        """Run a command that may fail; return status, stdout and stderr."""
        return self.shell.attempt(command, timeout)

    def start(self, command: str, timeout: float = 60) -> subprocess.Popen:
        return self.shell.start(command, timeout)

    def wait_until(self, command: str, limit: float = 30) -> str:
        """Wait until a command succeeds; return its stdout."""
        return self.shell.wait_until(command, limit)

    def write(self, target: str, text: str) -> None:
        self.shell.write(target, text)

    def copy_in(self, source: Path, target: str) -> None:
        self.shell.copy_in(source, target)

    def copy_out(self, source: str, target: Path) -> None:
        self.shell.copy_out(source, target)

    def journal(self, arguments: str = "") -> str:
        return self.run(f"journalctl --no-pager -o short-precise {arguments}")

    def kernel_trouble(self) -> list:
        """Lines of the kernel log that a healthy run does not have."""
        return [line for line in self.run("dmesg").splitlines() if KERNEL_TROUBLE.search(line)]

    # -- the desk: plugs and cables ------------------------------------------------------------------------

    def plug(self, device, behind=None) -> None:
        """Plug in a device, perhaps behind a hub, or one that was unplugged (by its name): in its old socket."""
        if isinstance(device, str):
            device = self.devices[device]
        with self.monitor.conversation() as talk:
            if device.name not in self.devices:
                device.socket = self._free_socket(device.controller, behind)
                device.prepare(talk, self.directory)
                self.devices[device.name] = device
            talk.execute("device_add", id=device.name, bus=f"{device.controller}.0", port=device.socket,
                         **device.properties())
            device.complete(talk)
        self.plugged.append(device.name)

    def move(self, name: str, behind=None) -> None:
        """Plug in a device that was unplugged, in another socket."""
        device = self.devices[name]
        device.socket = self._free_socket(device.controller, behind)
        self.plug(device)

    def _free_socket(self, controller: str, hub) -> str:
        prefix = f"{hub.socket}." if hub else ""
        taken = {device.socket for device in self.devices.values() if device.controller == controller}
        return next(socket for socket in (f"{prefix}{number}" for number in range(1, SOCKETS + 1))
                    if socket not in taken)

    def unplug(self, name: str) -> None:
        """Pull a device out without a word to the guest; a hub with all that is behind it."""
        with self.monitor.conversation() as talk:
            talk.execute("device_del", id=name)
            talk.wait_for("DEVICE_DELETED", 30, device=name)
        hub = self.devices[name]
        self.plugged = [other for other in self.plugged
                        if other != name and not (self.devices[other].controller == hub.controller
                                                  and self.devices[other].socket.startswith(f"{hub.socket}."))]

    def remove(self, name: str) -> None:
        """Unplug a device for good, with what is behind it."""
        if name in self.plugged:
            self.unplug(name)
        device = self.devices.pop(name)
        with self.monitor.conversation() as talk:
            device.discard(talk)
        (self.directory / f"{name}.raw").unlink(missing_ok=True)

    def cut_network(self, silently: bool = False) -> None:
        """Pull the LAN cable; silently: somewhere behind the wall, the adapter does not notice."""
        self._set_link(silently, False)

    def restore_network(self) -> None:
        self._set_link(True, True)
        self._set_link(False, True)

    def _set_link(self, behind_the_wall: bool, up: bool) -> None:
        for name in network.wires(self.name) if behind_the_wall else [network.ADAPTER]:
            self.monitor.execute("set_link", name=name, up=up)

    def bus_id(self, device) -> str:
        """The kernel's name of a plugged device, such as 1-1: the identifier everybody uses on the wire."""
        serial = getattr(device, "serial", None)
        by_serial = f'[ "$(cat $d/serial 2>/dev/null)" = "{serial}" ] &&' if serial else ""
        return self.wait_until(
            f'for d in /sys/bus/usb/devices/*; do [ "$(cat $d/idVendor 2>/dev/null)" = {device.vendor_id} ] && '
            f'[ "$(cat $d/idProduct)" = {device.product_id} ] && {by_serial} '
            f'case "$(readlink -f $d)" in *vhci_hcd*) ;; *) basename $d; exit 0;; esac; done; exit 1').strip()

    def disk_node(self, device) -> str:
        """The block device of a plugged disk, such as /dev/sda."""
        return self.wait_until(f"readlink -e /dev/disk/by-id/usb-*_{device.serial}-0:0").strip()

    def _new_shell(self) -> RemoteShell:
        control_path = self.directory / "ssh"
        return RemoteShell(self.name, ssh_options(self.image, self.port, control_path), control_path)

    # -- QEMU ----------------------------------------------------------------------------------------------

    def console_tail(self, lines: int = 25) -> str:
        text = self.console.read_text(errors="replace") if self.console.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def _command(self, overlay: Path) -> list:
        accelerator = ["-accel", "kvm", "-cpu", "host"] if has_hardware_virtualisation() else \
            ["-accel", "tcg,thread=multi,tb-size=256", "-cpu", "max"]
        command_line = " ".join((
            # The kernel doubts an emulated TSC and reads the HPET instead: a trip into QEMU for every look at the clock.
            "tsc=reliable clocksource=tsc",
            "console=ttyS0 loglevel=4 quiet net.ifnames=0 mitigations=off audit=0 nowatchdog panic=0",
            "systemd.show_status=false systemd.getty_auto=no systemd.gpt_auto=no fsck.mode=skip",
            f"systemd.hostname={self.name} systemd.machine_id={network.NUMBERS[self.name]:032x}"))
        return [
            "qemu-system-x86_64", "-name", self.name, "-machine", "q35,i8042=off", *accelerator,
            "-smp", str(self.processors), "-m", str(self.memory_mib), "-nodefaults", "-no-user-config",
            # Only the command line takes an audio back end: this one plays to nobody, in time.
            "-audiodev", "none,id=silence", "-display", "none", "-vga", "none",
            "-kernel", str(self.image.kernel(self.kernel)), "-initrd", str(self.image.initrd(self.kernel)),
            "-append", command_line,
            "-drive", f"file={overlay},format=qcow2,if=virtio,cache=writeback",
            "-qmp", f"unix:{self.monitor.path},server=on,wait=off", "-serial", f"file:{self.console}",
            "-device", "virtio-rng-pci", "-device", f"qemu-xhci,id=usb,p2={SOCKETS},p3={SOCKETS}",
            "-device", "qemu-xhci,id=usb2,p2=2,p3=0",
            # Only the command line takes an audio back end; it opens its file when a device plays.
            "-audiodev", f"wav,id=sound,path={self.directory}/sound.wav,out.frequency=48000,out.format=s16",
            "-virtfs", f"local,path={self.share},mount_tag=share,security_model=none,readonly=on,multidevs=remap",
            "-virtfs", f"local,path={self.results},mount_tag=results,security_model=none",
            *network.lan_arguments(self.name, self.run_directory), *network.control_arguments(self.name, 0),
        ]

    def _wait_for_monitor(self) -> None:
        end = time.monotonic() + 30
        while True:
            try:
                self.monitor.execute("query-status")
                return
            except LabError:
                if not self.is_on():
                    raise LabError(f"QEMU of {self.name} did not start:\n"
                                   f"{(self.directory / 'qemu.log').read_text()}") from None
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def _control_port(self) -> int:
        """QEMU was given port 0 and chose a free one itself, so two labs cannot collide."""
        found = re.search(r"TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)", self.monitor.human("info usernet"))
        if not found:
            raise LabError(f"QEMU of {self.name} forwards no port")
        return int(found.group(1))
