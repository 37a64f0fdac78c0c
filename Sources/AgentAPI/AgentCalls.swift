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
  /// What devices in use do, and where they are.
  public static let status = "org.devconfig.Agent.Status"
  /// Record what goes between a device of this machine and its user.
  public static let capture = "org.devconfig.Agent.Capture"
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

  /// Parameters of `status`.
  public struct StatusParameters: Sendable, Codable, Hashable {
    /// As in `Selection`; `nil` for all devices of this machine and all that are attached to it.
    public var device: String?
    /// Takes the selector as typed.
    public init(device: String? = nil) { self.device = device }
  }

  /// Results of `status`.
  public struct StatusResults: Sendable, Codable, Hashable {
    /// By ID.
    public var devices: [DeviceReport]
    /// Takes the reports.
    public init(devices: [DeviceReport]) { self.devices = devices }
  }

  /// Parameters of `capture`.
  public struct CaptureParameters: Sendable, Codable, Hashable {
    /// As in `Selection`.
    public var device: String
    /// The most bytes of data kept of one packet; `nil` for `defaultSnapLength`.
    public var snapLength: Int?
    /// Takes both.
    public init(device: String, snapLength: Int? = nil) {
      self.device = device
      self.snapLength = snapLength
    }

    enum CodingKeys: String, CodingKey {
      case device
      case snapLength = "snap_length"
    }
  }

  /// Bytes of data kept of one captured packet, unless told otherwise.
  public static let defaultSnapLength = 65_536
  /// The most that can be told: with its headers a packet stays below what Wireshark opens (256 KiB).
  public static let maximumSnapLength = 245_760

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
