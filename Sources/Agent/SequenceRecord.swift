// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Attaching

/// What is known of the sequence numbers of vhci_hcd, in a file of the runtime directory.
struct SequenceRecord: Sendable, Codable, Hashable {
  /// The numbers used.
  var budget = SequenceBudget()
  /// Controllers whose driver was taken off, to be given back.
  var unbound: Set<Int> = []
}
