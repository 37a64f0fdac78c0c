// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// What an exporter asks the agent that has one of its devices, on that agent's TCP port
/// (interfaces/org.devconfig.Importer.varlink).
public enum ImporterCalls {
  /// The interface's name.
  public static let interface = "org.devconfig.Importer"
  /// Give a device back.
  public static let giveBack = "org.devconfig.Importer.GiveBack"

  /// Parameters of `giveBack`.
  public struct GiveBackParameters: Sendable, Codable, Hashable {
    /// The lasting name of the exporter's agent.
    public var exporter: String
    /// The bus ID on the exporter.
    public var busid: String
    /// True to give back a disk with a mounted file system too, after writing it.
    public var force: Bool?
    /// Takes all parts.
    public init(exporter: String, busid: String, force: Bool? = nil) {
      self.exporter = exporter
      self.busid = busid
      self.force = force
    }
  }

  /// Results of `giveBack`.
  public struct GiveBackResults: Sendable, Codable, Hashable {
    /// What people should know of how it went, one sentence each.
    public var notes: [String]
    /// Takes the notes.
    public init(notes: [String]) { self.notes = notes }

    /// Notes that are kept of one answer.
    public static let maximumNotes = 16
  }
}
