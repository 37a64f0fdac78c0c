// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Attaching
import Synchronization
import TestSupport
import USBModel

/// The life of one agent, counted in steps that change the world; killed, it changes nothing any more.
final class Life: Sendable {
  private let left: Mutex<Int>
  /// What every step of a dead agent throws.
  static let over = AgentError(.failed, "killed")

  /// Ends before the step after `steps`.
  init(steps: Int) { left = Mutex(steps) }

  /// True once a step was asked for that it did not live to see.
  var isOver: Bool { left.withLock { $0 < 0 } }

  /// Takes one step, or dies.
  func step() throws(AgentError) {
    let isAlive = left.withLock { left in
      if left >= 0 { left -= 1 }
      return left >= 0
    }
    guard isAlive else { throw Life.over }
  }
}

/// A kernel and a network as one agent reaches them while it lives.
struct MortalDoor: AttachDoor {
  let life: Life
  let door: FakeAttachDoor

  func importDevice(
    _ device: RemoteDevice, as user: RemoteUser
  ) async throws(AgentError) -> (device: Device, socket: FakeSocket) {
    try life.step()
    return try await door.importDevice(device, as: user)
  }

  func freePorts(for speed: Speed) async throws(AgentError) -> [Int] {
    try await door.freePorts(for: speed)
  }

  func attach(
    _ device: Device, socket: FakeSocket, port: Int
  ) async throws(AgentError) -> Bool {
    try life.step()
    return try await door.attach(device, socket: socket, port: port)
  }

  func detach(port: Int) async throws(AgentError) {
    try life.step()
    try await door.detach(port: port)
  }

  func observe(port: Int) async -> LocalObservation? { await door.observe(port: port) }

  func isUsed(port: Int) async -> Bool {
    // What a dead agent would wait for, it has.
    if life.isOver { return false }
    return await door.isUsed(port: port)
  }
}

/// The two books as one agent writes them while it lives.
struct MortalBooks: UndoBook, AttachmentBook {
  let life: Life
  let undo: MemoryUndoBook
  let book: MemoryAttachmentBook

  func change(_ edit: @Sendable (inout UndoRecord) -> Void) async throws(AgentError) {
    try life.step()
    try await undo.change(edit)
  }

  func change(
    _ edit: @Sendable (inout [Int: AttachedDevice]) -> Void
  ) async throws(AgentError) {
    try life.step()
    try await book.change(edit)
  }
}
