// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// The signalling speed of a device; the raw value is the code on the wire.
///
/// Source: `enum usb_device_speed`, include/uapi/linux/usb/ch9.h.
public enum Speed: UInt32, Sendable, Hashable, Codable, CaseIterable {
  case low = 1
  case full = 2
  case high = 3
  case wireless = 4
  case superSpeed = 5
  case superSpeedPlus = 6

  /// Reads the text of the sysfs attribute `speed`, in Mbit/s; `nil` where it is none of the known.
  public init?(sysfs text: some StringProtocol) {
    switch text {
    case "1.5": self = .low
    case "12": self = .full
    case "480": self = .high
    case "5000": self = .superSpeed
    case "10000", "20000": self = .superSpeedPlus
    default: return nil
    }
  }

  /// What to say on the wire: kernels before 6.12 refuse `superSpeedPlus` (vhci_sysfs.c, valid_args).
  public var onWire: Speed { self == .superSpeedPlus ? .superSpeed : self }

  /// True where the importer needs a port of vhci's SuperSpeed hub.
  public var needsSuperSpeedPort: Bool { self == .superSpeed || self == .superSpeedPlus }
}
