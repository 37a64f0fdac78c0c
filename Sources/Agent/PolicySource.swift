// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Logging
internal import SharePolicy
internal import Sharing
internal import SystemPackage

/// The rules in force, and the file they come from, which may be read again at any time.
actor PolicySource {
  private let path: FilePath
  private let inventory: SharedInventory<KernelExportDoor>
  private let log: Logger
  /// What the agent was started with.
  private let started: Configuration
  /// What is wrong with the file as it was read last; the rules of before are in force then.
  private(set) var mistake: String?

  init(
    path: FilePath, started: Configuration, inventory: SharedInventory<KernelExportDoor>,
    log: Logger
  ) {
    self.path = path
    self.started = started
    self.inventory = inventory
    self.log = log
  }

  /// Reads the file again; one with a mistake changes nothing.
  func reload() async {
    do throws(StartError) {
      let configuration = try Configuration.read(path)
      mistake = nil
      await inventory.follow(SharePolicy(rules: configuration.rules))
      log.notice("the rules were read again", metadata: ["rules": "\(configuration.rules.count)"])
      if configuration.port != started.port || configuration.peers != started.peers {
        log.warning("port and peers stay as they are until the agent is restarted")
      }
    } catch {
      mistake = error.reason
      log.error(
        "the configuration has a mistake, keeping the rules of before",
        metadata: ["reason": "\(error.reason)"])
    }
  }
}
