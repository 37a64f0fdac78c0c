// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Statuses of a URB on the wire: Linux errno numbers, negative.
///
/// Source: Documentation/driver-api/usb/error-codes.rst, include/uapi/asm-generic/errno.h.
public enum URBStatus {
  /// Done; a short IN transfer too.
  public static let success: Int32 = 0
  /// ENOENT: killed by the local kernel, or no such endpoint.
  public static let noEntry: Int32 = -2
  /// ENOMEM.
  public static let outOfMemory: Int32 = -12
  /// EXDEV: an isochronous packet was not done.
  public static let notDone: Int32 = -18
  /// ENODEV: the device is gone.
  public static let noDevice: Int32 = -19
  /// EINVAL.
  public static let invalid: Int32 = -22
  /// EPIPE: the endpoint stalled, or the request is refused.
  public static let stall: Int32 = -32
  /// EPROTO: an error on the bus.
  public static let protocolError: Int32 = -71
  /// EOVERFLOW: the device sent more than asked for.
  public static let babble: Int32 = -75
  /// ECONNRESET: unlinked; in RET_UNLINK it means that the unlink won.
  public static let connectionReset: Int32 = -104
  /// ESHUTDOWN: the endpoint or the device was disabled meanwhile.
  public static let shutdown: Int32 = -108
  /// EREMOTEIO: short although SHORT_NOT_OK.
  public static let shortTransfer: Int32 = -121
}
