// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// What a session has counted since it began to serve its device.
public struct SessionStatistics: Sendable, Codable, Hashable {
  /// Endpoints of a device: 16 in each direction.
  public static let maximumEndpoints = 32

  /// A capture that runs.
  public struct Capture: Sendable, Codable, Hashable {
    /// Packets handed over.
    public var recorded: UInt64
    /// Packets left out because the reader was too slow.
    public var dropped: UInt64
    /// Takes both.
    public init(recorded: UInt64, dropped: UInt64) {
      self.recorded = recorded
      self.dropped = dropped
    }
  }

  /// Microseconds since the session began.
  public var elapsed: UInt64
  /// URBs answered without the device: its endpoint does not exist, or cannot do that.
  public var refused: UInt64
  /// URBs the importer took back.
  public var unlinks: UInt64
  /// The endpoints that have done something.
  public var endpoints: [EndpointCounters]
  /// The capture that runs; `nil` where none does.
  public var capture: Capture?

  /// Takes all parts.
  public init(
    elapsed: UInt64, refused: UInt64 = 0, unlinks: UInt64 = 0, endpoints: [EndpointCounters] = [],
    capture: Capture? = nil
  ) {
    self.elapsed = elapsed
    self.refused = refused
    self.unlinks = unlinks
    self.endpoints = endpoints
    self.capture = capture
  }

  /// The same after a look at every limit; throws `AgentError` (`protocolMismatch`).
  public func checked() throws(AgentError) -> SessionStatistics {
    let addresses = Set(endpoints.map(\.address))
    guard endpoints.count <= SessionStatistics.maximumEndpoints,
      addresses.count == endpoints.count, endpoints.allSatisfy(\.isSound)
    else { throw AgentError(.protocolMismatch, "what the session counts makes no sense") }
    return self
  }

  /// The names in JSON, a versioned contract.
  enum CodingKeys: String, CodingKey {
    case refused, unlinks, endpoints, capture
    case elapsed = "elapsed_us"
  }
}
