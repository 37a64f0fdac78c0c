// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Why the descriptors of a device could not be read; offsets count bytes from the start.
public enum DescriptorError: Error, Sendable, Hashable {
  /// More bytes than any device can have.
  case tooLong(count: Int)
  /// The bytes end within the descriptor that starts at `offset`.
  case truncated(offset: Int)
  /// The bLength at `offset` is too small for its descriptor.
  case invalidLength(offset: Int, length: UInt8)
  /// Another descriptor type was due at `offset`.
  case unexpectedType(offset: Int, type: UInt8)
}
