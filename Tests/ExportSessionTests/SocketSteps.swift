// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc

/// Writes everything, blocking; gives up silently where the connection ends.
func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) {
  var sent = 0
  while sent < bytes.count {
    let result = bytes[sent...].withUnsafeBytes {
      send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
    guard result > 0 else { return }
    sent += result
  }
}
