// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import Attaching
internal import LinuxHost
internal import SystemPackage

/// What is known of the sequence numbers of vhci_hcd, in a file of the runtime directory.
struct SequenceRecord: Sendable, Codable, Hashable {
  /// The numbers used.
  var budget = SequenceBudget()
  /// Controllers whose driver was taken off, to be given back.
  var unbound: Set<Int> = []

  /// Reads what an agent before this one knew; a broken file counts as none.
  static func read(_ file: StateFile) -> SequenceRecord {
    guard let bytes = (try? file.read()) ?? nil else { return SequenceRecord() }
    return (try? Message.decode(SequenceRecord.self, from: bytes)) ?? SequenceRecord()
  }

  /// Throws `AgentError` or `HostError`.
  func write(_ file: StateFile) throws {
    try file.write(Array(try Message.encode(self).dropLast()))
  }
}
