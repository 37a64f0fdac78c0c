// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// One line of `devconfig list`: a device of this machine or of an exporter, and its states.
public struct DeviceStatus: Sendable, Hashable, Codable {
  /// The small number this machine gave the device, once.
  public var id: Int
  /// The name for people: the one they gave it, or else its own.
  public var name: String
  /// Its own name, where people gave it another; else `nil`.
  public var deviceName: String?
  /// The exporter's host name.
  public var host: String
  /// The exporter's address in numbers; empty while unknown.
  public var address: String
  /// The exporter's TCP port.
  public var port: UInt16
  /// The bus ID on the exporter.
  public var busID: String
  /// idVendor, four hexadecimal digits.
  public var vendorID: String
  /// idProduct, four hexadecimal digits.
  public var productID: String
  /// iSerialNumber, where known.
  public var serial: String?
  /// What this machine has done with it.
  public var localState: LocalState
  /// What its exporter says of it.
  public var remoteState: RemoteState
  /// Who holds it.
  public var remoteUser: RemoteUser
  /// The virtual bus.
  public var remoteModule: RemoteModule
  /// Why it is DENIED, OFFLINE or CONN_RETRY, or in whose place it is attached, in words for people.
  public var reason: String?
  /// What decided that a device of this machine is shared or not: `built in`, `rule 2, line 14`, or
  /// `no rule`; `nil` for others.
  public var rule: String?
  /// True for a device that is attached again whenever it is lost; else `nil`.
  public var isKept: Bool?
  /// Seconds until a kept device is tried again; 0 while it is being tried, `nil` unless CONN_RETRY.
  public var nextTry: Int?
  /// The ID of the kept device in whose place it is attached, or to be; else `nil`.
  public var standsInFor: Int?
  /// The local device nodes while attached, such as `/dev/sdb`.
  public var nodes: [String]
  /// True when this machine is the exporter.
  public var isLocal: Bool
  /// True for what an attached device looks like on the machine that attached it; else `nil`.
  public var isImported: Bool?

  /// Takes all parts.
  public init(
    id: Int, name: String, deviceName: String? = nil, host: String, address: String, port: UInt16,
    busID: String, vendorID: String, productID: String, serial: String? = nil,
    localState: LocalState,
    remoteState: RemoteState, remoteUser: RemoteUser = .nobody,
    remoteModule: RemoteModule = .usbip, reason: String? = nil, rule: String? = nil,
    isKept: Bool? = nil, nextTry: Int? = nil, standsInFor: Int? = nil,
    nodes: [String] = [], isLocal: Bool, isImported: Bool? = nil
  ) {
    self.id = id
    self.name = name
    self.deviceName = deviceName
    self.host = host
    self.address = address
    self.port = port
    self.busID = busID
    self.vendorID = vendorID
    self.productID = productID
    self.serial = serial
    self.localState = localState
    self.remoteState = remoteState
    self.remoteUser = remoteUser
    self.remoteModule = remoteModule
    self.reason = reason
    self.rule = rule
    self.isKept = isKept
    self.nextTry = nextTry
    self.standsInFor = standsInFor
    self.nodes = nodes
    self.isLocal = isLocal
    self.isImported = isImported
  }

  /// The names in JSON, a versioned contract.
  enum CodingKeys: String, CodingKey {
    case id, name, host, address, port, serial, reason, rule, nodes
    case deviceName = "device_name"
    case isKept = "is_kept"
    case nextTry = "next_try_s"
    case standsInFor = "stands_in_for"
    case busID = "busid"
    case vendorID = "vendor_id"
    case productID = "product_id"
    case localState = "local_state"
    case remoteState = "remote_state"
    case remoteUser = "remote_user"
    case remoteModule = "remote_module"
    case isLocal = "is_local"
    case isImported = "is_imported"
  }
}
