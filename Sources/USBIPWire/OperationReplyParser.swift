// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import USBModel

/// Reads the reply of an exporter, in pieces of any size.
public struct OperationReplyParser: Sendable {
  /// A whole reply.
  public enum Parsed: Sendable, Hashable {
    /// The devices of OP_REP_DEVLIST; a record no importer could use is left out.
    case deviceList([Device])
    /// The device of OP_REP_IMPORT; what follows on the connection is the URB phase.
    case imported(Device)
    /// The exporter said no; nothing follows.
    case refused(OperationStatus)
  }

  private enum Stage {
    case header
    case deviceCount
    case device
    case interfaces(Device?, count: Int)
    case importedDevice
    case done
    case failed(WireError)
  }

  private let expected: OperationCode
  private var bytes: [UInt8] = []
  /// The first byte not taken yet; moved instead of the bytes, which a long list would make slow.
  private var position = 0
  private var stage = Stage.header
  private var devices: [Device] = []
  private var devicesLeft = 0

  /// Waits for the reply to a request of this kind.
  public init(expecting code: OperationCode) { expected = code }

  /// Takes bytes from the exporter, best no more than `missingBytes`.
  public mutating func append(_ more: some Collection<UInt8>) {
    bytes.removeFirst(position)
    position = 0
    bytes.append(contentsOf: more)
  }

  /// How many bytes may be read now without reading past the reply; 0 when it is whole.
  ///
  /// An importer must not read further: the next byte belongs to the kernel's driver.
  public var missingBytes: Int { max(0, needed - available) }

  /// The bytes behind the reply, as far as they were read; empty before it is whole.
  public var remainder: [UInt8] {
    if case .done = stage { Array(bytes[position...]) } else { [] }
  }

  /// The reply, once; `nil` while more bytes are needed, and after it has been given.
  ///
  /// Throws `unsupportedVersion`, `unexpectedOperation`, `tooManyDevices`, and for an import
  /// `unnameableDevice` or `unknownSpeed`; and does so again when called again.
  public mutating func next() throws(WireError) -> Parsed? {
    if case .failed(let error) = stage { throw error }
    do throws(WireError) {
      while needed > 0, available >= needed {
        if let parsed = try step() {
          stage = .done
          return parsed
        }
      }
      return nil
    } catch {
      stage = .failed(error)
      throw error
    }
  }

  /// The bytes not taken yet.
  private var available: Int { bytes.count - position }

  /// The bytes of the part that is read next.
  private var needed: Int {
    switch stage {
    case .header: OperationCode.headerLength
    case .deviceCount: 4
    case .device, .importedDevice: OperationDevice.length
    case .interfaces(_, let count): count * OperationDevice.interfaceLength
    case .done, .failed: 0
    }
  }

  private mutating func take(_ count: Int) -> [UInt8] {
    defer { position += count }
    return Array(bytes[position..<position + count])
  }

  /// Reads one part, of which all bytes are there.
  private mutating func step() throws(WireError) -> Parsed? {
    let part = take(needed)
    switch stage {
    case .header:
      return try readHeader(part)
    case .deviceCount:
      let count = part.withUnsafeBytes { $0.doubleWord(at: 0) }
      guard count <= WireLimits.maximumListedDevices else { throw .tooManyDevices(count) }
      devicesLeft = Int(count)
      return listOrNextDevice()
    case .device:
      let interfaces = Int(part[OperationDevice.length - 1])
      let device = try? decode(part)
      guard interfaces > 0 else { return finish(device) }
      stage = .interfaces(device, count: interfaces)
    case .interfaces(var device, let count):
      device?.interfaces = (0..<count).map { index in
        let start = index * OperationDevice.interfaceLength
        return Interface(
          number: UInt8(truncatingIfNeeded: index),
          classCode: ClassCode(part[start], part[start + 1], part[start + 2]))
      }
      return finish(device)
    case .importedDevice:
      return .imported(try decode(part))
    case .done, .failed:
      break
    }
    return nil
  }

  private mutating func readHeader(_ part: [UInt8]) throws(WireError) -> Parsed? {
    guard let header = OperationHeader(part) else { return nil }
    guard header.version == OperationCode.version else {
      throw .unsupportedVersion(header.version)
    }
    guard header.code == expected.rawValue else { throw .unexpectedOperation(header.code) }
    guard header.status == OperationStatus.ok.rawValue else {
      return .refused(OperationStatus(rawValue: header.status) ?? .unexpected)
    }
    stage = expected == .deviceList ? .deviceCount : .importedDevice
    return nil
  }

  private mutating func finish(_ device: Device?) -> Parsed? {
    if let device { devices.append(device) }
    devicesLeft -= 1
    return listOrNextDevice()
  }

  private mutating func listOrNextDevice() -> Parsed? {
    guard devicesLeft > 0 else { return .deviceList(devices) }
    stage = .device
    return nil
  }

  private func decode(_ record: [UInt8]) throws(WireError) -> Device {
    // SAFETY: the pointer stays within the closure.
    try record.span.withUnsafeBytes { bytes throws(WireError) in try OperationDevice.decode(bytes) }
  }
}
