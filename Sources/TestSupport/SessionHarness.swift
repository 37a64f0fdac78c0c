// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import ExportSession
private import Glibc
public import LinuxHost
internal import SessionControl
private import Synchronization
private import SystemPackage
public import USBModel

/// An export session on a thread of its own, between a test's peer and a scripted agent.
public final class SessionHarness: Sendable {
  /// What the agent answers to AcquireDevice.
  public enum AcquireAnswer: Sendable {
    case device(Device)
    case error(AgentError)
  }

  /// Two connected ends.
  public struct Pair: ~Copyable, Sendable {
    /// The test's end.
    public let test: OwnedDescriptor
    /// The session's end.
    public let session: OwnedDescriptor
  }

  /// The device behind the session.
  public let device: VirtualDevice
  /// What the session asked for with AcquireDevice.
  public var acquired: [SessionCalls.AcquireParameters] { state.withLock { $0.acquired } }

  /// What the session asked for with GiveBack.
  public var asked: [ImporterCalls.GiveBackParameters] { state.withLock { $0.asked } }
  /// What the agent answers to that, unless it answers with an error.
  public static let notes = ["/mnt: everything is written"]

  private struct State {
    var asked: [ImporterCalls.GiveBackParameters] = []
    var acquired: [SessionCalls.AcquireParameters] = []
    var end: SessionEnd?
    /// The other ends of what was passed as the device's node.
    var nodes: [SharedDescriptor] = []
    /// Answers of the session that nobody has taken.
    var replies: [[UInt8]] = []
  }

  private let state = Mutex(State())
  private let ended: EventCounter
  private let termination: EventCounter
  private let controlClosed: EventCounter
  private let answered: EventCounter
  private let agent: SharedDescriptor
  private let answer: AcquireAnswer
  private let listed: [Device]

  /// Starts a session on `connection`; it ends by itself or with `terminate`.
  public init(
    connection: consuming OwnedDescriptor,
    answer: AcquireAnswer = .device(VirtualDevice.description()), listed: [Device] = [],
    deadline: Int = 8000, limits: URBPhaseLimits = URBPhaseLimits()
  ) throws(HostError) {
    device = try VirtualDevice()
    ended = try EventCounter()
    termination = try EventCounter()
    controlClosed = try EventCounter()
    answered = try EventCounter()
    self.answer = answer
    self.listed = listed
    let control = try SessionHarness.pair(type: Int32(SOCK_SEQPACKET.rawValue))
    let socket = SharedDescriptor(connection)
    let session = try control.session.duplicate()
    agent = SharedDescriptor(try control.test.duplicate())
    let link = SharedDescriptor(session)
    BackgroundThread.start { self.serveAgent() }
    BackgroundThread.start { self.serve(socket, link, deadline, limits) }
  }

  /// A connected pair of stream sockets.
  public static func connection() throws(HostError) -> Pair {
    try pair(type: Int32(SOCK_STREAM.rawValue))
  }

  /// Why the session ended; waits for it.
  ///
  /// Throws `HostError` with `ETIMEDOUT`.
  public func end() throws(HostError) -> SessionEnd {
    try BackgroundThread.wait(for: ended.rawValue)
    guard let end = state.withLock({ $0.end }) else {
      throw HostError("wait for end", "", .timedOut)
    }
    return end
  }

  /// Waits until the session has closed its control socket and the device's node.
  ///
  /// Throws `HostError` with `ETIMEDOUT` where it keeps one of them.
  public func expectNothingLeft() throws(HostError) {
    try BackgroundThread.wait(for: controlClosed.rawValue)
    for node in state.withLock({ $0.nodes }) { try BackgroundThread.wait(for: node.rawValue) }
  }

  /// Asks the session what an agent asks, and waits for its answer, one question at a time.
  ///
  /// Throws `HostError` with `ETIMEDOUT`, and what the session answers.
  public func ask<Parameters: Codable & Sendable, Results: Codable & Sendable>(
    _ method: String, _ parameters: Parameters, _ results: Results.Type,
    descriptor: SharedDescriptor? = nil
  ) throws -> Results {
    try send(
      Message.encode(Call(method, parameters)),
      descriptors: [descriptor].compactMap { $0?.rawValue })
    return try Message.decodeReply(results, from: try reply()).parameters
  }

  /// Sends the session any packet on its control socket; throws `HostError`.
  public func send(_ bytes: [UInt8], descriptors: [Int32] = []) throws(HostError) {
    try ControlSocket(adopting: try agent.duplicate()).send(bytes, descriptors: descriptors)
  }

  /// The next answer of the session, without its NUL; throws `HostError` with `ETIMEDOUT`.
  public func reply() throws(HostError) -> [UInt8] {
    while true {
      let next = state.withLock { $0.replies.isEmpty ? nil : $0.replies.removeFirst() }
      if let next { return next }
      try BackgroundThread.wait(for: answered.rawValue)
      answered.drain()
    }
  }

  /// Does what SIGTERM does.
  public func terminate() { termination.signal() }

  /// Closes the agent's end of the control socket.
  public func closeAgent() { _ = shutdown(agent.rawValue, Int32(SHUT_RDWR)) }

  private func serve(
    _ socket: SharedDescriptor, _ link: SharedDescriptor, _ deadline: Int, _ limits: URBPhaseLimits
  ) {
    let assignment = SessionCalls.Assignment(role: .export, peer: "test", deadline: deadline)
    let end: SessionEnd
    do throws(HostError) {
      let control = ControlSocket(adopting: try link.duplicate())
      end = ExportSession.run(
        assignment, connection: try socket.duplicate(), agent: AgentLink(control),
        termination: termination.rawValue, limits: limits
      ) { (_, _) throws(SessionEnd) in device }
    } catch {
      end = .hostFailed(error.code.rawValue)
    }
    state.withLock { $0.end = end }
    ended.signal()
  }

  private func serveAgent() {
    defer { controlClosed.signal() }
    do throws(HostError) {
      let control = ControlSocket(adopting: try agent.duplicate())
      while let message = try control.receive(deadline: nil) {
        let body = Array(message.bytes.dropLast())
        guard (try? Message.decode(CallHead.self, from: body)) != nil else {
          state.withLock { $0.replies.append(body) }
          answered.signal()
          continue
        }
        let (reply, descriptor) = answer(to: body)
        try control.send(reply, descriptors: descriptor.map { [$0.rawValue] } ?? [])
      }
    } catch {
      return
    }
  }

  private func answer(to message: [UInt8]) -> ([UInt8], SharedDescriptor?) {
    do throws(AgentError) {
      let head = try Message.decode(CallHead.self, from: message)
      switch head.method {
      case SessionCalls.exportedDevices:
        return (try Message.encode(Reply(SessionCalls.DeviceList(devices: listed))), nil)
      case SessionCalls.acquire:
        let call = try Message.decode(Call<SessionCalls.AcquireParameters>.self, from: message)
        state.withLock { $0.acquired.append(call.parameters) }
        switch answer {
        case .device(let device):
          return (try Message.encode(Reply(SessionCalls.Acquired(device: device))), makeNode())
        case .error(let error):
          throw error
        }
      case SessionCalls.giveBack:
        let call = try Message.decode(Call<ImporterCalls.GiveBackParameters>.self, from: message)
        state.withLock { $0.asked.append(call.parameters) }
        if case .error(let error) = answer { throw error }
        return (try Message.encode(Reply(ImporterCalls.GiveBackResults(notes: Self.notes))), nil)
      default:
        throw AgentError(.failed, "unknown method")
      }
    } catch {
      let reply = ErrorReply(error, interface: SessionCalls.interface)
      return ((try? Message.encode(reply)) ?? [], nil)
    }
  }

  /// Stands for the device's node; its other end tells whether the session closed it.
  private func makeNode() -> SharedDescriptor? {
    guard let pair = try? SessionHarness.connection(),
      let test = try? pair.test.duplicate(), let session = try? pair.session.duplicate()
    else { return nil }
    let kept = SharedDescriptor(test)
    state.withLock { $0.nodes.append(kept) }
    return SharedDescriptor(session)
  }

  private static func pair(type: Int32) throws(HostError) -> Pair {
    var numbers: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, type | Int32(SOCK_CLOEXEC.rawValue), 0, &numbers) == 0 else {
      throw HostError("make socket pair", "", Errno(rawValue: errno))
    }
    return Pair(
      test: OwnedDescriptor(adopting: numbers[0]), session: OwnedDescriptor(adopting: numbers[1]))
  }
}
