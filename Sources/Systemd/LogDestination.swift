// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Glibc
public import Logging

/// Where this process's log goes.
public enum LogDestination: Sendable, Hashable {
  /// The systemd journal, with fields.
  case journal
  /// Standard error.
  case console

  /// The journal when standard error is connected to it, or else the console.
  ///
  /// The service manager says device and inode of its stream in JOURNAL_STREAM; a child whose
  /// standard error leads elsewhere inherits the variable too, so the numbers are compared
  /// (systemd.exec(5)).
  public static var current: LogDestination {
    var status = stat()
    guard let value = unsafe getenv("JOURNAL_STREAM"), unsafe fstat(STDERR_FILENO, &status) == 0
    else { return .console }
    // SAFETY: ends with NUL; copied before anything could change the environment.
    return unsafe choose(
      journalStream: String(cString: value), device: UInt64(status.st_dev),
      inode: UInt64(status.st_ino))
  }

  /// The decision, from the variable's text and the numbers of standard error.
  static func choose(journalStream: String?, device: UInt64, inode: UInt64) -> LogDestination {
    journalStream == "\(device):\(inode)" ? .journal : .console
  }

  /// A handler for `LoggingSystem.bootstrap`; `identifier` is the program's name.
  public func handler(
    label: String, identifier: String, logLevel: Logger.Level = .info,
    metadataProvider: Logger.MetadataProvider? = nil
  ) -> any LogHandler {
    switch self {
    case .journal:
      JournalLogHandler(
        label: label, identifier: identifier, logLevel: logLevel,
        metadataProvider: metadataProvider)
    case .console:
      ConsoleLogHandler(logLevel: logLevel, metadataProvider: metadataProvider)
    }
  }
}
