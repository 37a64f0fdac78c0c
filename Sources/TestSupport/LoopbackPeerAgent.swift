// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
private import Glibc
public import LinuxHost
public import SessionControl
private import Synchronization
private import SystemPackage

/// An agent that takes what an import session delivers and answers every call with success.
public final class LoopbackPeerAgent: Sendable {
  /// One call of the session, and the descriptor beside it.
  public struct Delivery: Sendable {
    /// The method.
    public let method: String
    /// The whole message.
    public let message: [UInt8]
    /// The descriptor.
    public let descriptor: SharedDescriptor?
  }

  private let deliveries = Mutex<[Delivery]>([])
  private let ends: (agent: SharedDescriptor, session: SharedDescriptor)

  /// Starts to answer; throws `HostError` where there is no descriptor left.
  public init() throws(HostError) {
    var numbers: [Int32] = [-1, -1]
    let type = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, type, 0, &numbers) == 0 else {
      throw HostError("make socket pair", "", Errno(rawValue: errno))
    }
    ends = (
      SharedDescriptor(OwnedDescriptor(adopting: numbers[0])),
      SharedDescriptor(OwnedDescriptor(adopting: numbers[1]))
    )
    BackgroundThread.start { self.serve() }
  }

  deinit {
    _ = shutdown(ends.agent.rawValue, Int32(SHUT_RDWR))
  }

  /// The session's side of the control socket; throws `HostError` with `EMFILE`.
  public func link() throws(HostError) -> AgentLink {
    AgentLink(ControlSocket(adopting: try ends.session.duplicate()))
  }

  /// What was delivered so far, in order.
  public var received: [Delivery] { deliveries.withLock { $0 } }

  private func serve() {
    do {
      let control = ControlSocket(adopting: try ends.agent.duplicate())
      while let message = try control.receive(deadline: nil) {
        let content = Array(message.bytes.dropLast())
        let head = try Message.decode(CallHead.self, from: content)
        deliveries.withLock {
          $0.append(
            Delivery(
              method: head.method, message: content, descriptor: message.descriptors.first))
        }
        try control.send(try Message.encode(Reply(Nothing())))
      }
    } catch {
      return
    }
  }
}
