// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// bDescriptorType and least bLength (USB 2.0, table 9-5; USB 3.2, table 9-6).
enum DescriptorType {
  static let device: UInt8 = 0x01
  static let deviceSize: UInt8 = 18
  static let configuration: UInt8 = 0x02
  static let configurationSize: UInt8 = 9
  static let interface: UInt8 = 0x04
  static let interfaceSize: UInt8 = 9
  static let endpoint: UInt8 = 0x05
  static let endpointSize: UInt8 = 7
  static let companion: UInt8 = 0x30
  static let companionSize: UInt8 = 6
  static let isochronousCompanion: UInt8 = 0x31
  static let isochronousCompanionSize: UInt8 = 8
}

/// One pass over the descriptors behind the device descriptor.
struct DescriptorWalk {
  let bytes: [UInt8]
  var offset: Int

  /// Where the configuration being read says it ends.
  private var declaredEnd = 0
  private var found: [ConfigurationDescriptor] = []
  /// False after an interface descriptor that is too short: its endpoints belong to nobody.
  private var hasInterface = false
  /// False after an endpoint descriptor that was skipped: its companions belong to nobody.
  private var hasEndpoint = false

  init(bytes: [UInt8], offset: Int) {
    self.bytes = bytes
    self.offset = offset
  }

  /// Reads to the end of the bytes.
  mutating func configurations() throws(DescriptorError) -> [ConfigurationDescriptor] {
    while offset < bytes.count {
      let length = bytes[offset]
      if length == 0, let end = endOfHole() {
        offset = end
        continue
      }
      guard length >= 2 else { throw .invalidLength(offset: offset, length: length) }
      guard Int(length) <= bytes.count - offset else { throw .truncated(offset: offset) }
      try read(length: length, type: bytes[offset + 1])
      offset += Int(length)
    }
    return found
  }

  /// Where the bytes go on after a part that the device never delivered; `nil` where none begins here.
  private func endOfHole() -> Int? {
    guard declaredEnd > offset, declaredEnd <= bytes.count,
      bytes[offset..<declaredEnd].allSatisfy({ $0 == 0 })
    else { return nil }
    return declaredEnd
  }

  private mutating func read(length: UInt8, type: UInt8) throws(DescriptorError) {
    switch type {
    case DescriptorType.configuration:
      guard length >= DescriptorType.configurationSize else {
        throw .invalidLength(offset: offset, length: length)
      }
      declaredEnd = offset + Int(bytes.word(at: offset + 2))
      hasInterface = false
      hasEndpoint = false
      found.append(
        ConfigurationDescriptor(value: bytes[offset + 5], attributes: bytes[offset + 7]))
    case _ where found.isEmpty:
      throw .unexpectedType(offset: offset, type: type)
    case DescriptorType.interface:
      hasInterface = length >= DescriptorType.interfaceSize
      hasEndpoint = false
      if hasInterface { readInterface() }
    case DescriptorType.endpoint:
      hasEndpoint =
        hasInterface && length >= DescriptorType.endpointSize && bytes[offset + 2] & 0x0F != 0
      if hasEndpoint { readEndpoint() }
    case DescriptorType.companion where length >= DescriptorType.companionSize && hasEndpoint:
      changeLastEndpoint { [bytes, offset] in
        $0.maximumBurst = bytes[offset + 2]
        $0.companionAttributes = bytes[offset + 3]
      }
    case DescriptorType.isochronousCompanion
    where length >= DescriptorType.isochronousCompanionSize && hasEndpoint:
      changeLastEndpoint { [bytes, offset] in
        $0.bytesPerInterval =
          UInt32(bytes.word(at: offset + 4)) | UInt32(bytes.word(at: offset + 6)) << 16
      }
    default:
      break
    }
  }

  private mutating func readInterface() {
    let interface = InterfaceDescriptor(
      number: bytes[offset + 2], alternate: bytes[offset + 3],
      classCode: ClassCode(bytes[offset + 5], bytes[offset + 6], bytes[offset + 7]))
    found[found.count - 1].interfaces.append(interface)
  }

  private mutating func readEndpoint() {
    let endpoint = EndpointDescriptor(
      address: bytes[offset + 2], attributes: bytes[offset + 3],
      maximumPacketSize: bytes.word(at: offset + 4), interval: bytes[offset + 6])
    let last = found[found.count - 1].interfaces.count - 1
    found[found.count - 1].interfaces[last].endpoints.append(endpoint)
  }

  private mutating func changeLastEndpoint(_ change: (inout EndpointDescriptor) -> Void) {
    let interface = found[found.count - 1].interfaces.count - 1
    let endpoint = found[found.count - 1].interfaces[interface].endpoints.count - 1
    change(&found[found.count - 1].interfaces[interface].endpoints[endpoint])
  }
}

extension [UInt8] {
  /// The little-endian word at `offset`, which must lie within the bytes.
  func word(at offset: Int) -> UInt16 {
    UInt16(self[offset]) | UInt16(self[offset + 1]) << 8
  }
}
