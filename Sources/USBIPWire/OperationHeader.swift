// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// struct op_common (tools/usb/usbip/src/usbip_network.h), 8 bytes, big-endian.
struct OperationHeader {
  let version: UInt16
  let code: UInt16
  let status: UInt32

  /// Reads the first 8 bytes; `nil` where there are fewer.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= OperationCode.headerLength else { return nil }
    (version, code, status) = bytes.withUnsafeBytes { header in
      (header.word(at: 0), header.word(at: 2), header.doubleWord(at: 4))
    }
  }
}
