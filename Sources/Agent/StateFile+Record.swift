// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost

/// Records as JSON, for who keeps them in a file.
extension StateFile {
  /// The record in the file; `nil` where there is none that can be understood.
  func record<Record: Decodable>(_ type: Record.Type) -> Record? {
    guard let bytes = (try? read()) ?? nil else { return nil }
    return try? Message.decode(type, from: bytes)
  }

  /// Replaces the record, on disk when this returns; throws `AgentError` or `HostError`.
  func writeRecord(_ record: some Encodable) throws {
    try write(Array(try Message.encode(record).dropLast()))
  }

  /// The same on a thread of its own, named `label`; what went wrong, in words.
  func save(_ record: some Encodable & Sendable, _ label: StaticString) async -> String? {
    await BlockingWork.run(label) { () -> String? in
      do { try writeRecord(record) } catch { return "\(error)" }
      return nil
    }
  }
}
