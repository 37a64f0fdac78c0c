// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Attaching
import LinuxHost
import Logging
import SharePolicy
import Sharing
import SystemPackage
import Systemd
import TestSupport
import Testing
import USBModel

@testable import Agent

/// The parts of an agent above a fake kernel in a folder, without sockets and sessions.
struct AgentBench {
  let tree: SysfsTree
  let places: Places
  let undo: UndoFile
  let inventory: SharedInventory<KernelExportDoor>
  let attachments: Attachments<KernelAttachDoor>
  let kept: KeptAttachments<KernelAttachDoor>
  let policy: PolicySource
  let catalogue: Catalogue
  let exports = LiveExports(
    held: HeldSessions(
      notice: ServiceNotice(environment: { _ in nil }, processID: 1),
      record: RecordFile(path: "/nonexistent/sessions.json", empty: [:]), log: AgentBench.log))
  let sequences: SequenceWatch
  let sleep: MachineSleep
  let harness: LocalHarness
  static let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  /// The sequence numbers from which on controllers are made anew.
  static let renewal: UInt64 = 10_000
  static let root = PeerCredentials(uid: 0, gid: 0, pid: 1)

  /// Takes a tree that may hold state already, as after a restart.
  init(_ tree: SysfsTree? = nil) throws {
    let tree = try tree ?? SysfsTree()
    self.tree = tree
    try tree.makeDirectory("var")
    try tree.write("6.1.0-56-cloud-amd64\n", to: "proc/sys/kernel/osrelease")
    try tree.write("beta.example.org\n", to: "proc/sys/kernel/hostname")
    var places = Places()
    places.sysfs = tree.sys
    places.procfs = tree.proc
    places.devfs = tree.dev
    places.runtime = tree.run
    places.state = tree.root.appending("var")
    places.session = tree.root.appending("no-session")
    self.places = places
    undo = UndoFile(path: places.undo)
    inventory = SharedInventory(
      door: KernelExportDoor(places: places), policy: SharePolicy(), undo: undo,
      log: AgentBench.log)
    let sessions = SessionHost(
      executable: places.session, confinement: try SessionConfinement(places: places),
      inventory: inventory, exports: exports, hostName: "beta", port: 3240, log: AgentBench.log)
    sequences = SequenceWatch(
      places: places, renewal: AgentBench.renewal, log: AgentBench.log)
    attachments = Attachments(
      door: KernelAttachDoor(places: places, sessions: sessions, sequences: sequences), undo: undo,
      book: AttachedFile(path: places.attached), log: AgentBench.log)
    kept = KeptAttachments(
      attachments: attachments, book: KeptFile(path: places.kept), log: AgentBench.log)
    catalogue = Catalogue(
      agent: "beta-agent", hostName: "beta", port: 3240, places: places, inventory: inventory,
      attachments: attachments, kept: kept, log: AgentBench.log)
    places.configuration = tree.root.appending("devconfig.yaml")
    policy = PolicySource(
      path: places.configuration, started: Configuration(), inventory: inventory,
      log: AgentBench.log)
    sleep = MachineSleep(
      inventory: inventory, attachments: attachments, kept: kept, catalogue: catalogue,
      log: AgentBench.log)
    harness = LocalHarness(
      catalogue: catalogue, attachments: attachments, kept: kept, exports: exports,
      policy: policy, sequences: sequences, sleep: sleep,
      taking: TakingBack(
        agent: "beta-agent", inventory: inventory, exports: exports, sessions: sessions,
        log: AgentBench.log),
      about: AgentCalls.AboutResults(
        version: Product.version, host: "beta", agent: "beta-agent", configuration: "/etc/c"),
      log: AgentBench.log)
  }

  /// A device that alpha announces.
  static func remote(
    _ name: String = "Optical Storage", id: String = "04bb:0147/0A1B2C",
    agent: String = "alpha-agent"
  ) -> RemoteDevice {
    RemoteDevice(
      key: LocalKeys.key(agent: agent, identity: id),
      exporter: Exporter(host: "alpha", addresses: ["10.9.0.1"], port: 3240, agent: agent),
      busID: "1-1", name: name, vendorID: "04bb", productID: "0147", serial: "0A1B2C",
      state: .available)
  }

  /// The reply to a call of `peer` as text, its NUL checked and taken off.
  func reply(_ message: String, from peer: PeerCredentials = root) async throws -> String {
    let bytes = await harness.answer(Array(message.utf8), peer: peer).bytes
    #expect(bytes.last == 0)
    return String(decoding: bytes.dropLast(), as: UTF8.self)
  }

  /// The error in the reply to a call.
  func error(
    _ method: String, _ device: String, from peer: PeerCredentials = root
  ) async throws -> AgentError {
    let call = try Message.encode(Call(method, AgentCalls.UpParameters(device: device))).dropLast()
    let bytes = await harness.answer(Array(call), peer: peer).bytes.dropLast()
    return try #require(throws: AgentError.self) {
      _ = try Message.decodeReply(AgentCalls.Outcome.self, from: bytes)
    }
  }

  /// The outcome of a call.
  func outcome(_ method: String, _ device: String) async throws -> AgentCalls.Outcome {
    let call = try Message.encode(Call(method, AgentCalls.UpParameters(device: device))).dropLast()
    let bytes = await harness.answer(Array(call), peer: AgentBench.root).bytes.dropLast()
    return try Message.decodeReply(AgentCalls.Outcome.self, from: bytes).parameters
  }
}
