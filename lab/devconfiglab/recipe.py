# SPDX-License-Identifier: Apache-2.0
"""What is inside a lab machine. A change of this file, or of lab/guest, makes a new image."""

SUITE = "bookworm"
DISK_SIZE = "3G"

# What the lab needs on the machine it runs on.
HOST_PACKAGES = (
    "qemu-system-x86", "qemu-utils", "mmdebstrap", "e2fsprogs", "openssh-client", "util-linux", "uidmap", "zstd",
    "python3",
)

# What a machine can boot, by the end of the kernel's release; the first one unless a scenario says otherwise.
# The cloud kernel has no USB at all.
KERNELS = ("amd64", "cloud-amd64")

GUEST_PACKAGES = (
    # The kernels of KERNELS.
    "linux-image-amd64", "linux-image-cloud-amd64", "systemd-sysv", "udev", "dbus", "libpam-systemd", "kmod",
    "iproute2", "procps", "login", "passwd", "openssh-server", "busybox-static",
    # What devconfig is linked with.
    "avahi-daemon", "libavahi-client3", "libusb-1.0-0", "libudev1", "libgnutls30", "libseccomp2", "libsystemd0",
    "libstdc++6",
    # The stock USB/IP to compare and to interoperate with.
    "usbip", "usbutils",
    # What scenarios work with.
    "alsa-utils", "avahi-utils", "e2fsprogs", "dosfstools", "iperf3", "iptables", "iputils-ping", "nftables", "socat",
    "strace",
)

# Parts of packages no scenario can use; leaving them out halves the time and the size.
LEFT_OUT = (
    "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*", "/usr/share/bash-completion/*",
    "/usr/share/i18n/*",
) + tuple(f"/lib/modules/*/kernel/{directory}/*" for directory in (
    "drivers/gpu", "drivers/net/ethernet", "drivers/net/wireless", "drivers/net/can", "drivers/infiniband",
    "drivers/iio", "drivers/staging", "drivers/hwmon", "drivers/platform", "drivers/comedi", "drivers/mtd",
    "drivers/isdn", "drivers/bluetooth", "drivers/ata", "drivers/nvme", "drivers/mmc", "drivers/firewire",
    "drivers/media/pci", "drivers/media/dvb-frontends", "drivers/media/tuners", "drivers/media/i2c",
    "drivers/media/rc", "drivers/media/platform", "drivers/scsi/lpfc", "drivers/scsi/qla2xxx", "drivers/scsi/bfa",
    "drivers/scsi/mpt3sas", "drivers/scsi/aic7xxx", "drivers/scsi/megaraid", "drivers/target", "drivers/video",
    "drivers/watchdog", "drivers/input/touchscreen", "sound/soc", "sound/pci", "sound/firewire",
    "fs/xfs", "fs/btrfs", "fs/ocfs2", "fs/f2fs", "fs/gfs2", "fs/nfs", "fs/nfsd", "fs/smb", "fs/ceph", "fs/afs",
    "fs/ubifs", "fs/jfs", "fs/reiserfs", "net/ceph", "net/tipc", "net/sctp", "net/mac80211", "net/bluetooth",
))

# Loaded by the initramfs; what they depend on is found in modules.dep. ext4 asks for crc32c by its
# algorithm name, which only a modprobe could resolve, so it is named here.
INITRAMFS_MODULES = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4")

# Units that cost boot time and mean nothing in a machine that lives for minutes.
MASKED_UNITS = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "e2scrub_reap.service",
    "fstrim.timer", "systemd-tmpfiles-clean.timer", "systemd-journal-flush.service", "systemd-pstore.service",
    "systemd-update-utmp.service", "systemd-update-utmp-runlevel.service", "systemd-random-seed.service",
    "systemd-machine-id-commit.service", "systemd-remount-fs.service", "systemd-networkd.service",
    "systemd-network-generator.service", "systemd-timesyncd.service", "systemd-binfmt.service",
    "getty-static.service", "getty@tty1.service", "serial-getty@ttyS0.service", "dev-hugepages.mount",
    "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "rpcbind.service", "iperf3.service",
    "systemd-ask-password-wall.path", "systemd-ask-password-console.path", "ldconfig.service",
    "systemd-boot-system-token.service",
)

ENABLED_UNITS = {"multi-user.target": ("lab-ready.service",)}

# A person who sits at a machine; the product shows users as user@host.
PERSON = "taka"
