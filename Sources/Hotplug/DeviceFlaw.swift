// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Why a device of sysfs is no `Device`; the attribute is a path relative to the device.
public enum DeviceFlaw: Error, Sendable, Hashable {
  /// The directory's name is no bus ID.
  case notBusID(String)
  /// The attribute is not there or cannot be read.
  case missing(attribute: String)
  /// The attribute's text is not what the kernel documents; `text` is bounded and printable.
  case malformed(attribute: String, text: String)
}
