// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// What a peer may ask for at most; everything a peer controls is bounded by one of these.
public enum WireLimits {
  /// Bytes of one transfer.
  ///
  /// Linux class drivers stay below 1 MiB; testers and scanners ask for more.
  public static let maximumTransferLength = 16 << 20
  /// Packets of one isochronous URB (USBIP_MAX_ISO_PACKETS, drivers/usb/usbip/usbip_common.h).
  public static let maximumPackets = 1024
  /// URBs of one device that await completion; at the limit the session stops reading.
  public static let maximumOutstandingURBs = 512
  /// Bytes of the buffers of those URBs; at the limit the session stops reading.
  public static let maximumOutstandingBytes = 64 << 20
  /// Further unlinks of URBs that are being unlinked already; at the limit the session stops reading.
  public static let maximumRepeatedUnlinks = 256
  /// Unlinks that wait for their submit to arrive; further ones are answered as those of unknown
  /// submits.
  ///
  /// A driver that kills its URBs right after it queued them makes vhci_hcd send so many at once.
  public static let maximumEarlyUnlinks = 64
  /// Devices in one list: more than a machine with every bus and hub full has.
  public static let maximumListedDevices = 4096
  /// Bytes a client may send behind its request without waiting for the reply.
  public static let maximumPipelinedBytes = 64 << 10
  /// Milliseconds for the operation phase, connect to reply; a peer needs one round trip or two.
  public static let operationDeadline = 8000
}
