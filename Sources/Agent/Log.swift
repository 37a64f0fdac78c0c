// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Logging
internal import Systemd

/// Where the agent's messages go.
enum Log {
  /// The journal with its fields when systemd started us, else lines on standard error.
  static func make(level: String) -> Logger {
    let destination = LogDestination.current
    var log = Logger(label: "devconfigd") { label in
      destination.handler(label: label, identifier: "devconfigd")
    }
    log.logLevel = Logger.Level(rawValue: level) ?? .info
    return log
  }
}
