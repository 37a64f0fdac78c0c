// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import Attaching
internal import LinuxHost
internal import SystemPackage

/// The kept devices in a file of the state directory.
actor KeptFile: KeptBook {
  private let file: StateFile
  private let executor = BlockingExecutor("kept")

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  init(path: FilePath) {
    file = StateFile(path: path, limit: Message.maximumLength)
  }

  func read() -> KeptDevices {
    guard let bytes = (try? file.read()) ?? nil else { return KeptDevices() }
    return (try? Message.decode(KeptDevices.self, from: bytes)) ?? KeptDevices()
  }

  func write(_ kept: KeptDevices) throws(AgentError) {
    let bytes = Array(try Message.encode(kept).dropLast())
    do throws(HostError) {
      try file.write(bytes)
    } catch {
      throw AgentError(
        .failed, "what is kept cannot be written down (\(error))",
        hint: "make room in \(file.path.removingLastComponent())")
    }
  }
}
