// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Glibc
import LinuxHost
import Synchronization
import SystemPackage
import TestSupport
import USBModel

/// One machine of the office in a folder: its kernel a fake, its programs the real ones.
///
/// Its agents live as long as it does.
final class Machine: Sendable {
  /// A program that has ended.
  struct Finished: Sendable {
    var status: Int32
    var data: [String]
    var talk: [String]

    /// The status as one of the documented ones; `nil` for any other.
    var code: ExitCode? { ExitCode(rawValue: status) }
    /// All of standard error as one text.
    var words: String { talk.joined(separator: "\n") }
  }

  let tree: SysfsTree
  private let agents = Mutex<[Program]>([])
  /// The TCP port of its agent.
  let port: UInt16

  /// True where the programs are those of `DEVCONFIG_TEST_PROGRAMS`, a folder with release builds.
  static let areReleasePrograms = getenv("DEVCONFIG_TEST_PROGRAMS") != nil
  /// The folder of the programs: this build's, unless told otherwise.
  static let programs: FilePath = {
    if let other = getenv("DEVCONFIG_TEST_PROGRAMS") { return FilePath(String(cString: other)) }
    let path = FilePath("/proc/self/exe")
    guard let text = path.withCString({ realpath($0, nil) }) else { return "." }
    defer { free(text) }
    return FilePath(String(cString: text)).removingLastComponent()
  }()

  /// True where this process may attach, and become another user.
  static let isRoot = geteuid() == 0
  /// True where a fake kernel can be had too.
  static let mayAttach =
    isRoot
    && programs.appending("libFakeKernelHooks.so").withCString { access($0, R_OK) } == 0

  /// Makes a machine that is off; `peers` are exporters its agent asks.
  init(_ name: String = "beta", peers: [UInt16] = []) throws {
    tree = try SysfsTree()
    port = try Machine.freePort()
    try tree.makeDirectory("var")
    try tree.write("\(name)\n", to: "proc/sys/kernel/hostname")
    try tree.write("6.1.0-56-cloud-amd64\n", to: "proc/sys/kernel/osrelease")
    try tree.write("", to: "proc/self/mountinfo")
    try tree.setSwaps([])
    try configure(peers: peers)
  }

  /// Writes the agent's configuration.
  func configure(peers: [UInt16]) throws {
    let lines = peers.map { "  - 127.0.0.1:\($0)\n" }.joined()
    try tree.write("port: \(port)\npeers:\n\(lines)", to: "etc/devconfig.yaml")
  }

  /// The local socket of the agent.
  var socket: FilePath { tree.run.appending("agent.sock") }

  /// The command line of the agent.
  var agentArguments: [String] {
    [
      "--config", tree.etc.appending("devconfig.yaml").string,
      "--runtime-directory", tree.run.string,
      "--state-directory", tree.root.appending("var").string,
      "--session", Machine.programs.appending("devconfig-session").string,
      "--sysfs", tree.sys.string, "--procfs", tree.proc.string, "--devfs", tree.dev.string,
      "--log-level", "debug",
    ]
  }

  /// No bus and no avahi-daemon: what the office is when both are down.
  static let environment = ["DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent/bus"]

  /// Starts the agent without waiting for anything.
  func launchAgent(
    _ more: [String] = [], kernel: FakeKernel? = nil, user: [String] = []
  ) async throws -> Program {
    let hooks = kernel?.environment(programs: Machine.programs) ?? [:]
    let agent = try await Program(
      Machine.programs.appending("devconfigd"), agentArguments + more,
      environment: Machine.environment.merging(hooks) { $1 }, user: user)
    agents.withLock { $0.append(agent) }
    return agent
  }

  /// Starts the agent and waits until it is ready.
  @discardableResult
  func startAgent(
    _ more: [String] = [], kernel: FakeKernel? = nil, user: [String] = []
  ) async throws -> Program {
    let agent = try await launchAgent(more, kernel: kernel, user: user)
    try await agent.line("the agent is ready")
    return agent
  }

  /// What its agents said, for the message of a test that failed.
  var talk: [String] { agents.withLock { $0 }.flatMap(\.talk) }

  /// Runs `devconfig` to its end.
  func devconfig(_ arguments: String...) async throws -> Finished {
    try await run(Machine.programs.appending("devconfig"), arguments)
  }

  /// Runs a program of this machine to its end.
  func run(_ executable: FilePath, _ arguments: [String]) async throws -> Finished {
    let program = try await Program(
      executable, arguments, environment: ["DEVCONFIG_SOCKET": socket.string])
    let status = try await program.ended()
    return Finished(status: status, data: program.data, talk: program.talk)
  }

  /// All devices as the agent lists them.
  func list() async throws -> [DeviceStatus] {
    try await ask(AgentCalls.list, Nothing(), AgentCalls.ListResults.self).devices
  }

  /// Asks for the list until it satisfies `isMet`; the agent itself sets the pace.
  func list(
    within limit: Duration = .seconds(10), until isMet: ([DeviceStatus]) -> Bool
  ) async throws -> [DeviceStatus] {
    let end = ContinuousClock.now + limit
    while true {
      let devices = try await list()
      if isMet(devices) { return devices }
      guard ContinuousClock.now < end else { throw NotInTime(description: "\(devices) \(talk)") }
      await Task.yield()
    }
  }

  /// One call on the local socket.
  func ask<Parameters: Codable & Sendable, Results: Codable & Sendable>(
    _ method: String, _ parameters: Parameters, _ results: Results.Type
  ) async throws -> Results {
    let request = try Message.encode(Call(method, parameters))
    let reply = try await exchange(request)
    return try Message.decodeReply(results, from: reply).parameters
  }

  /// Sends bytes to the local socket and returns the first message that comes back.
  func exchange(_ bytes: [UInt8]) async throws -> [UInt8] {
    let socket = socket
    return try await BackgroundThread.run {
      let client = try LocalClient.connect(to: socket)
      try client.send(bytes)
      var framer = MessageFramer()
      while true {
        if let message = try framer.next() { return message }
        guard let more = try client.receive(deadline: 20_000) else {
          throw NotInTime(description: "the agent closed the connection")
        }
        try framer.append(more)
      }
    }
  }

  /// A port nobody listens on now, and that the kernel gives nobody meanwhile: it lies below those it
  /// chooses itself (ip(7), ip_local_port_range).
  static func freePort() throws -> UInt16 {
    for _ in 0..<100 {
      let port = UInt16.random(in: 20_000..<32_000)
      if TCPClient.isFree(port) { return port }
    }
    throw NotInTime(description: "no free port")
  }
}
