// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// The vendor and product numbers of a device, spelled `046d:c31c`.
public struct VendorProduct: Sendable, Hashable, Codable, CustomStringConvertible {
  /// idVendor of the device descriptor.
  public var vendor: UInt16
  /// idProduct of the device descriptor.
  public var product: UInt16

  /// Takes both numbers in host byte order.
  public init(vendor: UInt16, product: UInt16) {
    self.vendor = vendor
    self.product = product
  }

  /// Reads two groups of four hexadecimal digits joined by a colon; `nil` for anything else.
  public init?(_ text: some StringProtocol) {
    let halves = text.split(separator: ":", omittingEmptySubsequences: false)
    guard halves.count == 2,
      let vendor = VendorProduct.number(halves[0]), let product = VendorProduct.number(halves[1])
    else { return nil }
    self.init(vendor: vendor, product: product)
  }

  /// Both numbers, four lower-case hexadecimal digits each.
  public var description: String { "\(VendorProduct.hex(vendor)):\(VendorProduct.hex(product))" }

  /// Four lower-case hexadecimal digits.
  public static func hex(_ value: UInt16) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 4 - digits.count) + digits
  }

  /// Reads exactly four hexadecimal digits; `nil` for anything else (signs included).
  public static func number(_ text: some StringProtocol) -> UInt16? {
    guard text.utf8.count == 4, text.allSatisfy(\.isHexDigit) else { return nil }
    return UInt16(text, radix: 16)
  }
}
