// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import USBModel

/// Reads the one request of a connection, in pieces of any size.
public struct OperationRequestParser: Sendable {
  private var bytes: [UInt8] = []
  private var isDone = false

  /// Starts with no bytes.
  public init() {}

  /// Takes bytes from the client.
  ///
  /// Throws `pipelinedTooMuch` beyond a request and `WireLimits.maximumPipelinedBytes`.
  public mutating func append(_ more: some Collection<UInt8>) throws(WireError) {
    let room = OperationRequestParser.importLength + WireLimits.maximumPipelinedBytes - bytes.count
    guard more.count <= room else { throw .pipelinedTooMuch(count: bytes.count + more.count) }
    bytes.append(contentsOf: more)
  }

  /// The request, once; `nil` while more bytes are needed, and after it has been given.
  ///
  /// Throws `unsupportedVersion`, `unexpectedOperation` or `requestStatus`, and does so again
  /// when called again.
  public mutating func next() throws(WireError) -> OperationRequest? {
    guard !isDone, let code = try code() else { return nil }
    guard code == .importDevice else {
      finish(OperationCode.headerLength)
      return .deviceList
    }
    guard bytes.count >= OperationRequestParser.importLength else { return nil }
    let busID = bytes.withUnsafeBytes { all in
      // SAFETY: the slice lies within the count checked above and does not leave the closure.
      OperationDevice.busID(
        UnsafeRawBufferPointer(
          rebasing: all[OperationCode.headerLength..<OperationRequestParser.importLength]))
    }
    finish(OperationRequestParser.importLength)
    guard let busID else { return .importUnnameable }
    return .importDevice(busID)
  }

  /// The bytes behind the request, which belong to the URB phase; empty before it was given.
  public var remainder: [UInt8] { isDone ? bytes : [] }

  /// How many bytes may be read now without reading past the request.
  public var missingBytes: Int {
    guard !isDone else { return 0 }
    guard bytes.count >= OperationCode.headerLength else {
      return OperationCode.headerLength - bytes.count
    }
    guard (try? code()) == .importDevice else { return 0 }
    return max(0, OperationRequestParser.importLength - bytes.count)
  }

  /// op_common and a bus ID of 32 bytes.
  private static let importLength = OperationCode.headerLength + OperationDevice.busIDLength

  private func code() throws(WireError) -> OperationCode? {
    guard let header = OperationHeader(bytes) else { return nil }
    guard header.version == OperationCode.version else {
      throw .unsupportedVersion(header.version)
    }
    guard header.code & OperationCode.requestBit != 0,
      let code = OperationCode(rawValue: header.code & ~OperationCode.requestBit)
    else { throw .unexpectedOperation(header.code) }
    guard header.status == 0 else { throw .requestStatus(header.status) }
    return code
  }

  private mutating func finish(_ count: Int) {
    bytes.removeFirst(count)
    isDone = true
  }
}
