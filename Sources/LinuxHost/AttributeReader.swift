// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import SystemPackage

/// Reads numbers from one directory of sysfs.
///
/// Each function throws `HostError` with the attribute's path: the kernel's code where it cannot be
/// read, `EBADMSG` where its text is no such number.
struct AttributeReader {
  let sysfs: Sysfs
  let directory: FilePath

  func text(_ name: String) throws(HostError) -> String {
    try sysfs.text(directory.appending(name))
  }

  /// An optional text: `nil` where it is absent, unreadable or empty.
  func optionalText(_ name: String) -> String? {
    guard let text = try? text(name), !text.isEmpty else { return nil }
    return text
  }

  func decimal<Number: FixedWidthInteger>(_ name: String) throws(HostError) -> Number {
    try number(name, radix: 10)
  }

  func hexadecimal<Number: FixedWidthInteger>(_ name: String) throws(HostError) -> Number {
    try number(name, radix: 16)
  }

  /// The error for an attribute whose text is not what it should be.
  func malformed(_ name: String) -> HostError {
    HostError("understand", sysfs.absolute(directory.appending(name)).string, .badMessage)
  }

  private func number<Number: FixedWidthInteger>(
    _ name: String, radix: Int
  ) throws(HostError) -> Number {
    let text = try text(name)
    guard text.allSatisfy(\.isASCIIHexDigit), let number = Number(text, radix: radix) else {
      throw malformed(name)
    }
    return number
  }
}

extension Character {
  /// True for 0–9, a–f and A–F; `FixedWidthInteger.init(_:radix:)` would take a sign as well.
  fileprivate var isASCIIHexDigit: Bool { isASCII && isHexDigit }
}
