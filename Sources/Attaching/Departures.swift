// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI

/// Who of those that attached something has left the machine.
///
/// Only who was there once can leave: who attaches over the network, or from a timer, has no desktop to
/// leave. Pure: the agent feeds it.
public struct Departures: Sendable {
  private var present: Set<RemoteUser> = []

  /// Nobody was there yet.
  public init() {}

  /// Takes who has something attached now, and who of them is there; returns who has left since.
  public mutating func look(_ owners: Set<RemoteUser>, there: Set<RemoteUser>) -> Set<RemoteUser> {
    let left = present.intersection(owners).subtracting(there)
    present = owners.intersection(there)
    return left
  }
}
