// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import USBModel

/// The control socket between a session process and the agent
/// (interfaces/org.devconfig.Session.varlink): the session calls, the agent answers; once a device is
/// handed over the agent calls and the session answers.
///
/// Each message is one packet of a `SOCK_SEQPACKET` pair; descriptors travel beside it.
public enum SessionCalls {
  /// The interface's name.
  public static let interface = "org.devconfig.Session"
  /// What am I to do? The reply brings the network socket as its only descriptor.
  public static let assignment = "org.devconfig.Session.GetAssignment"
  /// Which devices does this machine export? For the plain DEVLIST request.
  public static let exportedDevices = "org.devconfig.Session.ListExportedDevices"
  /// May this peer have this device? The reply brings a claimed usbfs descriptor.
  public static let acquire = "org.devconfig.Session.AcquireDevice"
  /// This peer wants a device of its own back.
  public static let giveBack = "org.devconfig.Session.GiveBack"
  /// The exporter agreed; brings the connected socket as its only descriptor.
  public static let imported = "org.devconfig.Session.DeliverImport"
  /// The exporter's device list.
  public static let listed = "org.devconfig.Session.DeliverDeviceList"
  /// The importer has given the device back.
  public static let gaveBack = "org.devconfig.Session.DeliverReturn"
  /// What I was to do did not work.
  public static let failed = "org.devconfig.Session.ReportFailure"
  /// What have you counted? The agent asks.
  public static let statistics = "org.devconfig.Session.GetStatistics"
  /// Write what goes by to the socket that comes as the only descriptor; the agent asks.
  public static let capture = "org.devconfig.Session.StartCapture"

  /// The descriptor number a session finds its control socket on.
  public static let controlDescriptor: Int32 = 3

  /// What a session is started for.
  public enum Role: String, Sendable, Codable {
    /// Serve one incoming connection (the descriptor is connected).
    case export
    /// Connect to an exporter, import one device and deliver the socket.
    case importDevice
    /// Connect to an exporter that announces nothing and read its device list.
    case listDevices
    /// Connect to an importer and ask it to give a device back.
    case takeBack
  }

  /// Which language to open a connection with.
  public enum Door: String, Sendable, Codable {
    /// USB/IP 1.1.1, for a peer that is not one of our agents.
    case plain
    /// A Varlink call with `upgrade`, for one of our agents.
    case agent
  }

  /// Results of `assignment`.
  public struct Assignment: Sendable, Codable, Hashable {
    /// What to do.
    public var role: Role
    /// The peer in numbers, for messages: `10.9.0.2:51234`.
    public var peer: String
    /// The address to connect to, in numbers; `nil` for an incoming connection.
    public var address: String?
    /// The TCP port to connect to.
    public var port: UInt16?
    /// Which language to open with.
    public var door: Door?
    /// The device to import, or to take back.
    public var busID: String?
    /// What its exporter announced it by.
    public var deviceID: String?
    /// Who imports, as told to the exporter.
    public var user: String?
    /// This machine's name, as told to the exporter.
    public var host: String?
    /// The TCP port of this machine's agent, as told to the exporter.
    public var agentPort: UInt16?
    /// The lasting name of this machine's agent, as told to the importer.
    public var agent: String?
    /// True where the importer is to give a disk back that has a mounted file system.
    public var force: Bool?
    /// Milliseconds until an operation phase that does not end is given up.
    public var deadline: Int

    /// Takes all parts.
    public init(
      role: Role, peer: String, address: String? = nil, port: UInt16? = nil, door: Door? = nil,
      busID: String? = nil, deviceID: String? = nil, user: String? = nil, host: String? = nil,
      agentPort: UInt16? = nil, agent: String? = nil, force: Bool? = nil, deadline: Int
    ) {
      self.role = role
      self.peer = peer
      self.address = address
      self.port = port
      self.door = door
      self.busID = busID
      self.deviceID = deviceID
      self.user = user
      self.host = host
      self.agentPort = agentPort
      self.agent = agent
      self.force = force
      self.deadline = deadline
    }
  }

  /// Results of `exportedDevices`, parameters of `listed`.
  public struct DeviceList: Sendable, Codable, Hashable {
    /// In the exporter's order.
    public var devices: [Device]
    /// Takes the devices.
    public init(devices: [Device]) { self.devices = devices }
  }

  /// Parameters of `acquire`.
  public struct AcquireParameters: Sendable, Codable, Hashable {
    /// The bus ID asked for, exactly as it came (31 bytes at most, already checked).
    public var busID: String
    /// What the peer knows the device by; `nil` for a plain peer.
    public var id: String?
    /// The user the peer claims; `nil` for a plain peer.
    public var user: String?
    /// The host the peer claims; `nil` for a plain peer.
    public var host: String?
    /// The TCP port on which the peer's agent can be asked; `nil` for a plain peer.
    public var port: UInt16?
    /// Takes all parts.
    public init(
      busID: String, id: String? = nil, user: String? = nil, host: String? = nil,
      port: UInt16? = nil
    ) {
      self.busID = busID
      self.id = id
      self.user = user
      self.host = host
      self.port = port
    }
  }

  /// Results of `acquire`, parameters of `imported`.
  public struct Acquired: Sendable, Codable, Hashable {
    /// The device.
    public var device: Device
    /// Takes the device.
    public init(device: Device) { self.device = device }
  }

  /// Parameters of `capture`.
  public struct CaptureParameters: Sendable, Codable, Hashable {
    /// The most bytes of data that are kept of one packet.
    public var snapLength: Int
    /// Takes the length.
    public init(snapLength: Int) { self.snapLength = snapLength }
  }

  /// Parameters of `failed`.
  public struct Failure: Sendable, Codable, Hashable {
    /// The kind of an `AgentError`.
    public var kind: String
    /// Its message.
    public var message: String
    /// Takes an error.
    public init(_ error: AgentError) {
      kind = error.kind.rawValue
      message = error.message
    }
    /// The error again; an unknown kind becomes `failed`.
    public var agentError: AgentError {
      AgentError(AgentError.Kind(rawValue: kind) ?? .failed, message)
    }
  }
}
