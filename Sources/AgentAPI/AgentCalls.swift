// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// The local interface of the agent: what `devconfig` calls (interfaces/org.devconfig.Agent.varlink).
public enum AgentCalls {
  /// The interface's name.
  public static let interface = "org.devconfig.Agent"
  /// All devices and their states.
  public static let list = "org.devconfig.Agent.List"
  /// Attach a device.
  public static let up = "org.devconfig.Agent.Up"
  /// Detach a device.
  public static let down = "org.devconfig.Agent.Down"
  /// Version and host name of the agent.
  public static let about = "org.devconfig.Agent.About"

  /// Results of `list`.
  public struct ListResults: Sendable, Codable, Hashable {
    /// By ID.
    public var devices: [DeviceStatus]
    /// Takes the devices.
    public init(devices: [DeviceStatus]) { self.devices = devices }
  }

  /// Parameters of `up` and `down`.
  public struct Selection: Sendable, Codable, Hashable {
    /// ID, name, `host/name`, `vid:pid`, serial or `busid@host`.
    public var device: String
    /// Takes the selector as typed.
    public init(device: String) { self.device = device }
  }

  /// Results of `up` and `down`.
  public struct Outcome: Sendable, Codable, Hashable {
    /// The device as it now is.
    public var device: DeviceStatus
    /// False where the wished state was there already.
    public var changed: Bool
    /// Takes both.
    public init(device: DeviceStatus, changed: Bool) {
      self.device = device
      self.changed = changed
    }
  }

  /// Results of `about`.
  public struct AboutResults: Sendable, Codable, Hashable {
    /// The agent's version.
    public var version: String
    /// This machine's host name.
    public var host: String
    /// This agent's lasting name on the LAN, 32 hexadecimal digits.
    public var agent: String
    /// Takes all parts.
    public init(version: String, host: String, agent: String) {
      self.version = version
      self.host = host
      self.agent = agent
    }
  }
}
