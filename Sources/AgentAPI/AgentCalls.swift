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
  /// Give a device a name, or take it back.
  public static let name = "org.devconfig.Agent.Name"
  /// Take a device of this machine back from its user.
  public static let takeBack = "org.devconfig.Agent.TakeBack"
  /// Read the rules of the configuration again.
  public static let reload = "org.devconfig.Agent.Reload"
  /// The machine is about to sleep: give everything back.
  public static let sleep = "org.devconfig.Agent.Sleep"
  /// The machine is awake again.
  public static let wake = "org.devconfig.Agent.Wake"
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

  /// Parameters of `down`.
  public struct DownParameters: Sendable, Codable, Hashable {
    /// As in `UpParameters`.
    public var device: String
    /// True to detach a disk whose file systems are mounted, after writing them.
    public var force: Bool?
    /// Takes both.
    public init(device: String, force: Bool? = nil) {
      self.device = device
      self.force = force
    }
  }

  /// Parameters of `up`.
  public struct UpParameters: Sendable, Codable, Hashable {
    /// ID, name, `host/name`, `vid:pid`, serial or `busid@host`.
    public var device: String
    /// True to have it attached again whenever it is lost, until `down`.
    public var keep: Bool?
    /// Takes both.
    public init(device: String, keep: Bool? = nil) {
      self.device = device
      self.keep = keep
    }
  }

  /// Parameters of `takeBack`.
  public struct TakeBackParameters: Sendable, Codable, Hashable {
    /// As in `UpParameters`.
    public var device: String
    /// True to take back a disk whose file systems its user has mounted, after writing them there, and any
    /// device whose user does not answer.
    public var force: Bool?
    /// Takes both.
    public init(device: String, force: Bool? = nil) {
      self.device = device
      self.force = force
    }
  }

  /// Parameters of `name`.
  public struct NameParameters: Sendable, Codable, Hashable {
    /// As in `UpParameters`.
    public var device: String
    /// The name; `nil` takes back the one that was given.
    public var name: String?
    /// Takes both.
    public init(device: String, name: String?) {
      self.device = device
      self.name = name
    }
  }

  /// Results of `up`, `down`, `takeBack` and `name`.
  public struct Outcome: Sendable, Codable, Hashable {
    /// The device as it now is.
    public var device: DeviceStatus
    /// False where the wished state was there already.
    public var changed: Bool
    /// What people should know of how it went, one sentence each.
    public var notes: [String]?
    /// Takes all parts.
    public init(device: DeviceStatus, changed: Bool, notes: [String]? = nil) {
      self.device = device
      self.changed = changed
      self.notes = notes
    }
  }

  /// Parameters of `status`.
  public struct StatusParameters: Sendable, Codable, Hashable {
    /// As in `UpParameters`; `nil` for all devices of this machine and all that are attached to it.
    public var device: String?
    /// Takes the selector as typed.
    public init(device: String? = nil) { self.device = device }
  }

  /// Results of `status`.
  public struct StatusResults: Sendable, Codable, Hashable {
    /// By ID.
    public var devices: [DeviceReport]
    /// What is wrong with the configuration, whose rules of before are in force; else `nil`.
    public var mistake: String?
    /// The halves of vhci_hcd's controllers; `nil` where the kernel has none.
    public var controllers: [ControllerReport]?
    /// Takes all parts.
    public init(
      devices: [DeviceReport], mistake: String? = nil, controllers: [ControllerReport]? = nil
    ) {
      self.devices = devices
      self.mistake = mistake
      self.controllers = controllers
    }
  }

  /// Results of `reload`.
  public struct ReloadResults: Sendable, Codable, Hashable {
    /// What is wrong with the configuration, whose rules of before are in force; else `nil`.
    public var mistake: String?
    /// Takes it.
    public init(mistake: String?) { self.mistake = mistake }
  }

  /// Results of `sleep`.
  public struct SleepResults: Sendable, Codable, Hashable {
    /// What is attached still, one sentence each: the kernel refuses to sleep with it.
    public var left: [String]
    /// Takes it.
    public init(left: [String]) { self.left = left }
  }

  /// Parameters of `capture`.
  public struct CaptureParameters: Sendable, Codable, Hashable {
    /// As in `UpParameters`.
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
    /// The path of its configuration.
    public var configuration: String
    /// Takes all parts.
    public init(version: String, host: String, agent: String, configuration: String) {
      self.version = version
      self.host = host
      self.agent = agent
      self.configuration = configuration
    }
  }
}
