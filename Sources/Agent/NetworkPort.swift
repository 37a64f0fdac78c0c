// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Attaching
internal import LinuxHost
internal import Logging
internal import Sharing

/// The TCP port, and the session that each connection to it gets.
struct NetworkPort: Sendable {
  /// How often a taken TCP port is tried again.
  static let portInterval = Duration.seconds(10)
  /// The most network connections served at once, and the most of one address.
  static let maximumSessions = 512
  static let maximumSessionsPerAddress = 64

  let number: UInt16
  let inventory: SharedInventory<KernelExportDoor>
  let sessions: SessionHost
  let sleep: MachineSleep
  let giving: GivingBack<KernelAttachDoor>
  let log: Logger

  /// Listens on the TCP port, or says why not; `nil` where another program has it.
  func open() async -> NetworkListener? {
    do {
      let listener = try NetworkListener(port: number)
      await inventory.suspend(nil)
      return listener
    } catch {
      await inventory.suspend("TCP port \(number) is taken by another program")
      log.error(
        "the TCP port cannot be opened, sharing nothing and trying again",
        metadata: [
          "port": "\(number)", "error": "\(error)",
          "hint": "ss -ltnp sport = :\(number) shows who has it",
        ])
      return nil
    }
  }

  /// Serves who connects, until it is cancelled; `first` is what `open` returned.
  func serve(_ first: NetworkListener?) async {
    let gate = Gate(
      limit: NetworkPort.maximumSessions, perKey: NetworkPort.maximumSessionsPerAddress)
    var next = first
    while !Task.isCancelled {
      if let listener = next {
        await sleep.whileAwake {
          await withTaskCancellationHandler {
            await accept(from: listener, gate)
          } onCancel: {
            listener.close()
          }
        }
        listener.close()
      } else {
        try? await Task.sleep(for: NetworkPort.portInterval)
      }
      while await sleep.isAsleep, !Task.isCancelled {
        for await _ in sleep.wakes { break }
      }
      guard !Task.isCancelled else { return }
      next = await open()
    }
  }

  private func accept(from listener: NetworkListener, _ gate: Gate) async {
    await withDiscardingTaskGroup { group in
      for await accepted in listener.connections {
        let address = accepted.peer.host
        guard gate.enter(address) else {
          log.warning(
            "too many connections, refusing one", metadata: ["peer.address": "\(address)"])
          continue
        }
        group.addTask {
          await sessions.serve(accepted.descriptor, peer: accepted.peer, giving: giving)
          gate.leave(address)
        }
      }
    }
  }
}
