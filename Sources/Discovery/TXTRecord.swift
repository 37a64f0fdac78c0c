// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import USBModel

/// What an exporter says of one shared device in the TXT record of its service instance.
///
/// Anybody on the LAN can write one: it is a hint for lists, and nothing is granted by it.
public struct TXTRecord: Sendable, Hashable {
  /// The exporter's word on the device; the raw value is the text on the wire.
  public enum State: String, Sendable, Hashable, CaseIterable {
    /// Free for anybody who may use it.
    case available = "AVAIL"
    /// Somebody has it.
    case inUse = "INUSE"
    /// Its exporter keeps it, for `reason`.
    case denied = "DENIED"
  }

  /// The longest record in bytes, lengths included: one Ethernet frame (RFC 6763, 6.2).
  public static let maximumLength = 1300
  /// The longest `id` in bytes: what fits a DNS string of 255 bytes behind `id=`.
  public static let maximumIDLength = 252
  /// The longest `agent` in bytes.
  public static let maximumAgentLength = 128
  /// The longest `user` in bytes.
  public static let maximumUserLength = 128
  /// The longest `name` in bytes: what fits a DNS string of 255 bytes behind `name=`.
  public static let maximumNameLength = 250
  /// The longest `reason` in bytes: what fits a DNS string of 255 bytes behind `reason=`.
  public static let maximumReasonLength = 248

  /// The bus ID on the exporter.
  public let busID: BusID
  /// What stays the same over a replug (`Device.identity`).
  public let id: String
  /// idVendor and idProduct.
  public let vendorProduct: VendorProduct
  /// Class of the device descriptor.
  public let classCode: ClassCode
  /// Free, taken or kept.
  public let state: State
  /// Who holds it: `user@host`, or `NOBODY`.
  public let user: String
  /// Which agent says so: the name by which it knows its own announcements again.
  public let agent: String
  /// The name for people.
  public let name: String
  /// Why it is DENIED, for people.
  public let reason: String?

  /// Checks and bounds the parts.
  ///
  /// `user`, `name` and `reason` lose what is not printable and what is beyond their limit. `id` and
  /// `agent` must be printable, not empty and within theirs: throws `.malformed` or `.valueTooLong`.
  /// An empty `user` becomes `NOBODY`, an empty `name` the two numbers, an empty `reason` `nil`.
  public init(
    busID: BusID, id: String, vendorProduct: VendorProduct, classCode: ClassCode, state: State,
    user: String, agent: String, name: String, reason: String? = nil
  ) throws(TXTError) {
    self.busID = busID
    self.id = try TXTRecord.identifier(id, key: Key.id, limit: TXTRecord.maximumIDLength)
    self.vendorProduct = vendorProduct
    self.classCode = classCode
    self.state = state
    let keptUser = PrintableText.kept(user, limit: TXTRecord.maximumUserLength)
    self.user = keptUser.isEmpty ? "NOBODY" : keptUser
    self.agent = try TXTRecord.identifier(
      agent, key: Key.agent, limit: TXTRecord.maximumAgentLength)
    let keptName = PrintableText.kept(name, limit: TXTRecord.maximumNameLength)
    self.name = keptName.isEmpty ? "USB device \(vendorProduct)" : keptName
    let keptReason = PrintableText.kept(reason ?? "", limit: TXTRecord.maximumReasonLength)
    self.reason = keptReason.isEmpty ? nil : keptReason
  }

  /// The keys on the wire.
  enum Key {
    static let version = "txtvers"
    static let busID = "busid"
    static let id = "id"
    static let vendor = "vid"
    static let product = "pid"
    static let classCode = "class"
    static let state = "state"
    static let user = "user"
    static let agent = "agent"
    static let name = "name"
    static let reason = "reason"
  }

  private static func identifier(
    _ text: String, key: String, limit: Int
  ) throws(TXTError) -> String {
    guard text.utf8.count <= limit else {
      throw .valueTooLong(key: key, bytes: text.utf8.count)
    }
    guard !text.isEmpty, PrintableText.kept(text, limit: limit) == text else {
      throw .malformed(key: key, value: PrintableText.kept(text, limit: limit))
    }
    return text
  }
}
