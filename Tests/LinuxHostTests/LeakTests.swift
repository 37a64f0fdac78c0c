// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import LinuxHost
import SystemPackage
import TestSupport
import Testing

/// Runs in processes of their own: counting descriptors makes no sense while other tests run.
@Suite(.timeLimit(.minutes(2))) struct LeakTests {
  /// One round with everything that owns a descriptor, and with errors on the way.
  private static func round(_ directory: FilePath) async throws {
    let path = directory.appending("agent.sock")
    let listener = try LocalListener(path: path)
    var connections = listener.connections.makeAsyncIterator()
    let client = try LocalClient.connect(to: path)
    let agent = try #require(await connections.next())
    try await agent.send([1])
    #expect(try client.receive(deadline: 5000) == [1])
    // This one nobody takes.
    let waiting = try LocalClient.connect(to: path)
    #expect(throws: HostError.self) { _ = try LocalListener(path: path) }
    listener.close()
    withExtendedLifetime(waiting) {}

    let network = try NetworkListener(port: 0)
    #expect(throws: HostError.self) { _ = try NetworkListener(port: network.port) }
    network.close()

    let pair = try ControlChannel.pair()
    let channel = pair.agent
    let process = try SessionProcess.start(executable: "/bin/true", control: pair.takeSession())
    try? channel.send([1], descriptors: [0, 1, 2])
    #expect(await process.ended() == .exited(0))
    for await _ in channel.incoming {}

    let other = try ControlChannel.pair()
    let otherChannel = other.agent
    do throws(HostError) {
      _ = try SessionProcess.start(executable: "/nonexistent", control: other.takeSession())
    } catch {
      #expect(error.code == .noSuchFileOrDirectory)
    }
    #expect(await otherChannel.incoming.first { _ in true } == nil)

    let dropped = try ControlChannel.pair()
    let session = ControlSocket(adopting: dropped.takeSession())
    #expect(try session.receive(deadline: 5000) == nil)

    let changes = try HostChanges(procfs: "/proc")
    changes.stop()
    for await _ in changes.changes {}

    let file = StateFile(path: directory.appending("state"), limit: 2)
    try file.write([1, 2, 3])
    #expect(throws: HostError.self) { try file.read() }
    _ = OpenNodes(procfs: "/proc", devfs: "/dev")
    _ = USBTree(sysfs: Sysfs(root: "/sys")).devices()
  }

  @Test func `twenty rounds leave no descriptor behind`() async {
    await #expect(processExitsWith: .success) {
      let directory = try SysfsTree.temporaryDirectory()
      defer { SysfsTree.removeAll(directory) }
      // The first rounds make what Dispatch keeps for good, waiting makes its timer.
      for _ in 0..<3 { try await LeakTests.round(directory) }
      try await Task.sleep(for: .milliseconds(1))
      let before = OpenDescriptors.count()
      for _ in 0..<20 { try await LeakTests.round(directory) }
      // Dispatch opens one or two of its own when the machine is busy; a leak would be 20 at least.
      let isClean = await OpenDescriptors.eventually { OpenDescriptors.count() < before + 10 }
      try #require(isClean, "\(before) before, \(OpenDescriptors.count()) after")
    }
  }
}
