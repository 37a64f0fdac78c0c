// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import USBModel

/// What agents say to each other on TCP port 3240 (interfaces/org.devconfig.Exporter.varlink).
public enum ExporterCalls {
  /// The interface's name.
  public static let interface = "org.devconfig.Exporter"
  /// Import a device; called with `upgrade`: after the reply the connection speaks USB/IP's URB phase.
  public static let importDevice = "org.devconfig.Exporter.Import"

  /// Parameters of `importDevice`.
  public struct ImportParameters: Sendable, Codable, Hashable {
    /// The bus ID on the exporter.
    public var busid: String
    /// What the exporter announced the device by; another device at the same place is refused.
    public var id: String?
    /// The user who wants it.
    public var user: String
    /// The machine that wants it.
    public var host: String
    /// The TCP port on which that machine's agent can be asked to give the device back.
    public var port: UInt16?
    /// Takes all parts.
    public init(
      busid: String, id: String? = nil, user: String, host: String, port: UInt16? = nil
    ) {
      self.busid = busid
      self.id = id
      self.user = user
      self.host = host
      self.port = port
    }
  }

  /// Results of `importDevice`.
  public struct ImportResults: Sendable, Codable, Hashable {
    /// The device as it is handed over.
    public var device: Device
    /// Takes the device.
    public init(device: Device) { self.device = device }
  }
}
