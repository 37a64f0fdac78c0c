// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
public import LinuxHost
private import Synchronization
private import SystemPackage
public import USBIPWire
public import USBModel

/// A USB/IP exporter on the loopback interface that answers as it is told.
public final class ScriptedExporter: Sendable {
  /// What it does with one request.
  public enum Answer: Sendable {
    /// Sends bytes and closes.
    case reply([UInt8])
    /// Sends bytes and keeps the connection open, as before a URB phase.
    case open([UInt8])
  }

  /// What it saw.
  public enum Event: Sendable, Hashable {
    /// The device list was asked for.
    case listed
    /// A device was asked for.
    case asked(String)
    /// The other side ended a connection that was kept open.
    case closed
  }

  /// What happened, in order.
  public let log = EventLog<Event>()
  /// The TCP port.
  public let port: UInt16

  private let listener: SharedDescriptor
  private let answers: @Sendable (OperationRequest) -> Answer
  private let connections = Mutex<[Int32]>([])

  /// Listens on a port the kernel chooses; throws `HostError`.
  public init(answers: @escaping @Sendable (OperationRequest) -> Answer) throws(HostError) {
    self.answers = answers
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { throw HostError("make socket", "", Errno(rawValue: errno)) }
    let listener = SharedDescriptor(OwnedDescriptor(adopting: number))
    self.listener = listener
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { whole in
      whole.withMemoryRebound(to: sockaddr.self, capacity: 1) { start in
        bind(number, start, length) == 0 && listen(number, 16) == 0
          && getsockname(number, start, &length) == 0
      }
    }
    guard isBound else { throw HostError("listen", "", Errno(rawValue: errno)) }
    port = UInt16(bigEndian: address.sin_port)
    BackgroundThread.start { [weak self] in
      while true {
        let connection = accept(listener.rawValue, nil, nil)
        guard connection >= 0, let self else { return }
        _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
        self.connections.withLock { $0.append(connection) }
        BackgroundThread.start { [weak self] in self?.serve(connection) }
      }
    }
  }

  /// Exports `devices` as a stock exporter does, to everybody who asks.
  public convenience init(_ devices: [Device]) throws(HostError) {
    try self.init { request in
      switch request {
      case .deviceList:
        return .reply(OperationReply.deviceList(devices))
      case .importDevice(let busID):
        guard let device = devices.first(where: { $0.busID == busID }) else {
          return .reply(OperationReply.failure(.importDevice, .noDevice))
        }
        return .open(OperationReply.importReply(device))
      case .importUnnameable:
        return .reply(OperationReply.failure(.importDevice, .noDevice))
      }
    }
  }

  deinit { stop() }

  /// Ends all connections and answers nobody any more.
  public func stop() {
    _ = shutdown(listener.rawValue, Int32(SHUT_RDWR))
    connections.withLock { connections in
      for connection in connections { _ = shutdown(connection, Int32(SHUT_RDWR)) }
    }
  }

  private func serve(_ connection: Int32) {
    defer {
      connections.withLock { $0.removeAll { $0 == connection } }
      close(connection)
    }
    guard let request = receive(connection) else { return }
    switch request {
    case .deviceList: log.record(.listed)
    case .importDevice(let busID): log.record(.asked(busID.description))
    case .importUnnameable: log.record(.asked(""))
    }
    switch answers(request) {
    case .reply(let bytes):
      send(bytes, on: connection)
    case .open(let bytes):
      send(bytes, on: connection)
      var byte: UInt8 = 0
      while recv(connection, &byte, 1, 0) > 0 {}
      log.record(.closed)
    }
  }

  private func receive(_ connection: Int32) -> OperationRequest? {
    var parser = OperationRequestParser()
    var buffer = [UInt8](repeating: 0, count: 64)
    while true {
      let count = recv(connection, &buffer, buffer.count, 0)
      guard count > 0, (try? parser.append(buffer.prefix(count))) != nil else { return nil }
      guard let request = try? parser.next() else { continue }
      return request
    }
  }

  private func send(_ bytes: [UInt8], on connection: Int32) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { buffer in
        Glibc.send(connection, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
}
