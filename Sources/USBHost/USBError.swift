// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// What libusb says when a call fails (`enum libusb_error`, libusb.h of 1.0.26).
public enum USBError: Error, Hashable, Sendable, CustomStringConvertible {
  /// -1: the kernel refused for a reason libusb does not tell apart.
  case inputOutput
  /// -2: a number out of range, as an interface above 31.
  case invalidParameter
  /// -3: no right to use the descriptor, which must be open for reading and writing.
  case access
  /// -4: the device is unplugged.
  case noDevice
  /// -5: no such interface, endpoint, configuration or driver.
  case notFound
  /// -6: another driver or program has the interface, or one is claimed that must not be.
  case busy
  /// -7.
  case timeout
  /// -8.
  case overflow
  /// -9: the device stalled the request.
  case pipe
  /// -10: a signal came.
  case interrupted
  /// -11.
  case noMemory
  /// -12: not on this system.
  case notSupported
  /// Everything else, with the number.
  case other(Int32)

  /// The case for a number of libusb.
  public static func code(_ number: Int32) -> USBError {
    known.first { $0.number == number }?.error ?? .other(number)
  }

  /// libusb's number, negative.
  public var code: Int32 {
    if case .other(let number) = self { return number }
    return USBError.known.first { $0.error == self }?.number ?? -99
  }

  /// libusb's name, such as `LIBUSB_ERROR_BUSY`.
  public var description: String {
    if case .other(let number) = self { return "LIBUSB_ERROR_OTHER (\(number))" }
    return USBError.known.first { $0.error == self }?.name ?? "LIBUSB_ERROR_OTHER"
  }

  /// The negative errno that says the same to a peer; `-EIO` where there is none.
  ///
  /// Source of the numbers: asm-generic/errno-base.h and errno.h, as the wire has them.
  public var negativeErrno: Int32 {
    switch self {
    case .inputOutput, .other: return -5
    case .invalidParameter: return -22
    case .access: return -13
    case .noDevice: return -19
    case .notFound: return -2
    case .busy: return -16
    case .timeout: return -110
    case .overflow: return -75
    case .pipe: return -32
    case .interrupted: return -4
    case .noMemory: return -12
    case .notSupported: return -38
    }
  }

  private static let known: [(number: Int32, error: USBError, name: String)] = [
    (-1, .inputOutput, "LIBUSB_ERROR_IO"),
    (-2, .invalidParameter, "LIBUSB_ERROR_INVALID_PARAM"),
    (-3, .access, "LIBUSB_ERROR_ACCESS"),
    (-4, .noDevice, "LIBUSB_ERROR_NO_DEVICE"),
    (-5, .notFound, "LIBUSB_ERROR_NOT_FOUND"),
    (-6, .busy, "LIBUSB_ERROR_BUSY"),
    (-7, .timeout, "LIBUSB_ERROR_TIMEOUT"),
    (-8, .overflow, "LIBUSB_ERROR_OVERFLOW"),
    (-9, .pipe, "LIBUSB_ERROR_PIPE"),
    (-10, .interrupted, "LIBUSB_ERROR_INTERRUPTED"),
    (-11, .noMemory, "LIBUSB_ERROR_NO_MEM"),
    (-12, .notSupported, "LIBUSB_ERROR_NOT_SUPPORTED"),
  ]
}
