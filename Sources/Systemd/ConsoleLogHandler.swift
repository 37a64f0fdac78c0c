// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Glibc
public import Logging

/// Writes log events to standard error as `level: message key=value`, one line each.
public struct ConsoleLogHandler: LogHandler {
  /// Whether and what is written; the logger looks.
  public var logLevel: Logger.Level
  /// The metadata of every event.
  public var metadata: Logger.Metadata = [:]
  /// Adds metadata at the moment of an event.
  public var metadataProvider: Logger.MetadataProvider?

  private let write: @Sendable ([UInt8]) -> Void

  /// Writes to descriptor 2; lines of several threads do not mix.
  public init(logLevel: Logger.Level = .info, metadataProvider: Logger.MetadataProvider? = nil) {
    self.init(
      logLevel: logLevel, metadataProvider: metadataProvider,
      write: ConsoleLogHandler.writeToStandardError)
  }

  /// The same with another place to write lines to.
  init(
    logLevel: Logger.Level = .info, metadataProvider: Logger.MetadataProvider? = nil,
    write: @escaping @Sendable ([UInt8]) -> Void
  ) {
    self.logLevel = logLevel
    self.metadataProvider = metadataProvider
    self.write = write
  }

  /// One value of `metadata`.
  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// Writes one line.
  public func log(event: LogEvent) {
    let pairs = LogText.pairs(of: event, handler: metadata, provider: metadataProvider)
    let line = LogText.line(message: event.message.description, pairs: pairs)
    write(Array("\(event.level): \(line)\n".utf8))
  }

  private static func writeToStandardError(_ line: [UInt8]) {
    // One call for the line: the kernel does not mix writes of this size to a terminal or pipe.
    // Nobody is left to hear of a failure.
    _ = unsafe Glibc.write(STDERR_FILENO, line, line.count)
  }
}
