// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Why a TXT record is not one of ours, or cannot be made; texts are bounded and printable.
public enum TXTError: Error, Sendable, Hashable {
  /// `txtvers` is a number of a later devconfig.
  case unsupportedVersion(String)
  /// The key is not there.
  case missing(key: String)
  /// The value is not what the key stands for.
  case malformed(key: String, value: String)
  /// The value has more bytes than the key may have, and must not be cut.
  case valueTooLong(key: String, bytes: Int)
  /// The whole record has more than `TXTRecord.maximumLength` bytes.
  case recordTooLong(bytes: Int)
}
