// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux

/// How much of anything from outside this module takes in, and how long it waits.
public enum HostLimits {
  /// Bytes of one text attribute; sysfs gives one page (Documentation/filesystems/sysfs.rst).
  public static let attributeLength = 4096
  /// Bytes of `descriptors`: a device descriptor and 8 configurations of 64 KiB at the very most.
  public static let descriptorsLength = 18 + 8 * 65535
  /// Bytes of a table in /proc; 8 MiB are about 40,000 mounts.
  public static let tableLength = 8 << 20
  /// Bytes of `comm` of a process (TASK_COMM_LEN is 16 with its NUL).
  public static let processNameLength = 64
  /// Entries of one directory; a directory with more is read no further.
  public static let directoryEntries = 65536
  /// Directories below one device that are looked at; a real device has tens.
  public static let deviceDirectories = 4096
  /// How deep a device's directories are followed; block devices behind a hub are 12 deep.
  public static let deviceDepth = 24
  /// Block devices on top of each other (partition, md, LUKS, LVM, …) that are followed.
  public static let holderDepth = 16
  /// Controllers of vhci_hcd whose status is read (`NR_HCS` is 128 at most, drivers/usb/usbip/Kconfig).
  public static let controllers = 128

  /// Bytes that wait unread on a local connection before reading stops.
  public static let unreadBytes = 1 << 20
  /// Bytes one read of a local connection takes at most.
  public static let chunkLength = 64 << 10
  /// Chunks that are read in one go before other work of the connection has its turn.
  static let chunksPerTurn = 16
  /// Accepted connections that wait to be taken before accepting stops.
  public static let waitingConnections = 64
  /// Milliseconds a peer may take to accept what is sent to it.
  public static let writeDeadline = 10_000
  /// Milliseconds without accepting after the process or the system ran out of descriptors.
  public static let acceptPause = 500
  /// Bytes of one control message.
  public static let controlMessageLength = 256 << 10
  /// Descriptors beside one control message.
  public static let controlDescriptors = Int(CLINUX_MAXIMUM_DESCRIPTORS)
  /// Control messages that wait to be taken before reading stops.
  public static let waitingControlMessages = 16
  /// Bytes of a capture that wait for its reader; the kernel doubles it for its bookkeeping.
  public static let captureBufferLength = 4 << 20
  /// Supplementary groups of a peer; the kernel's NGROUPS_MAX.
  public static let groups = 65536
  /// Bytes of a user's entry in the user database.
  public static let userEntryLength = 1 << 20
}
