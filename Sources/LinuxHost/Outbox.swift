// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
private import Glibc
private import Synchronization
internal import SystemPackage

/// What is to be sent on a stream socket, in order, by one writer that never blocks.
final class Outbox: Sendable {
  private struct Message {
    let number: UInt64
    let bytes: [UInt8]
    /// Travels beside the first byte.
    let descriptor: SharedDescriptor?
    var sent = 0
    let sender: CheckedContinuation<Result<Void, HostError>, Never>
  }

  private struct State {
    var messages: [Message] = []
    var nextNumber: UInt64 = 0
    var failure: HostError?
  }

  private let events: DescriptorEvents
  private let subject: String
  private let deadline: Int
  private let state = Mutex(State())

  /// Writes to the descriptor of `events`; a message not accepted within `deadline` ms fails all.
  init(events: DescriptorEvents, subject: String, deadline: Int) {
    self.events = events
    self.subject = subject
    self.deadline = deadline
  }

  /// Returns when the kernel has all of `bytes`, and a duplicate of `descriptor` beside them;
  /// cancelling the task does not cut a message short.
  func send(_ bytes: [UInt8], descriptor: SharedDescriptor? = nil) async throws(HostError) {
    try await withCheckedContinuation {
      (sender: CheckedContinuation<Result<Void, HostError>, Never>) in
      let (number, failure) = state.withLock { state -> (UInt64, HostError?) in
        guard state.failure == nil else { return (0, state.failure) }
        let number = state.nextNumber
        state.nextNumber &+= 1
        state.messages.append(
          Message(number: number, bytes: bytes, descriptor: descriptor, sender: sender))
        return (number, nil)
      }
      if let failure {
        sender.resume(returning: .failure(failure))
        return
      }
      flush()
      guard isWaiting(number) else { return }
      events.after(milliseconds: deadline) { [weak self] in
        guard let self, isWaiting(number) else { return }
        fail(.timedOut)
      }
    }.get()
  }

  /// Writes what the socket takes now; called when it is writable.
  func flush() {
    var done: [CheckedContinuation<Result<Void, HostError>, Never>] = []
    var broken: Errno?
    state.withLock { state in
      while broken == nil, let message = state.messages.first {
        if message.sent == message.bytes.count {
          done.append(state.messages.removeFirst().sender)
          continue
        }
        let result = events.withDescriptor { Outbox.send(message, on: $0) }
        switch result ?? .failure(.badFileDescriptor) {
        case .success(let count): state.messages[0].sent += count
        case .failure(.resourceTemporarilyUnavailable):
          events.setWriting(true)
          return
        case .failure(let code): broken = code
        }
      }
      if state.messages.isEmpty { events.setWriting(false) }
    }
    for sender in done { sender.resume(returning: .success(())) }
    if let broken { fail(broken) }
  }

  /// Sends what is left of a message, as much as the socket takes.
  private static func send(_ message: Message, on socket: Int32) -> Result<Int, Errno> {
    let descriptors = message.sent == 0 ? [message.descriptor].compactMap { $0?.rawValue } : []
    return unsafe message.bytes.withUnsafeBytes { buffer in
      let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[message.sent...])
      guard let start = rest.baseAddress else { return .success(0) }
      return retryingOnInterrupt {
        // SAFETY: sendmsg reads `count` bytes of the rest of the message, and the descriptors' array.
        unsafe clinux_send_message(
          socket, start, rest.count, descriptors, descriptors.count, Int32(MSG_DONTWAIT))
      }
    }
  }

  /// Fails every message that waits and every later one.
  func fail(_ code: Errno) {
    let error = HostError("send to", subject, code)
    let messages = state.withLock { state in
      state.failure = state.failure ?? error
      defer { state.messages = [] }
      return state.messages
    }
    events.setWriting(false)
    for message in messages { message.sender.resume(returning: .failure(error)) }
  }

  private func isWaiting(_ number: UInt64) -> Bool {
    state.withLock { state in state.messages.contains { $0.number == number } }
  }
}
