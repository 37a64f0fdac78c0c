// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CSystemd
public import Logging

/// Writes log events to the systemd journal with their metadata as fields.
///
/// Metadata keys are upper-cased, other characters than letters and digits become underscores, and
/// `DEVCONFIG_` is put in front: `journalctl DEVCONFIG_DEVICE_BUSID=1-1` finds them. MESSAGE is the
/// constant sentence followed by ` key=value` for each pair, so that plain `journalctl` shows the data
/// too. An entry that the journal does not take is lost in silence.
public struct JournalLogHandler: LogHandler {
  /// Whether and what is written; the logger looks.
  public var logLevel: Logger.Level
  /// The metadata of every event.
  public var metadata: Logger.Metadata = [:]
  /// Adds metadata at the moment of an event.
  public var metadataProvider: Logger.MetadataProvider?

  private let label: String
  private let identifier: String
  private let send: @Sendable ([[UInt8]]) -> Void

  /// Writes as `identifier` (SYSLOG_IDENTIFIER), which is the program's name.
  public init(
    label: String, identifier: String, logLevel: Logger.Level = .info,
    metadataProvider: Logger.MetadataProvider? = nil
  ) {
    self.init(
      label: label, identifier: identifier, logLevel: logLevel,
      metadataProvider: metadataProvider, send: JournalLogHandler.sendToJournal)
  }

  /// The same with another place to send entries to.
  init(
    label: String, identifier: String, logLevel: Logger.Level = .info,
    metadataProvider: Logger.MetadataProvider? = nil, send: @escaping @Sendable ([[UInt8]]) -> Void
  ) {
    self.label = label
    self.identifier = identifier
    self.logLevel = logLevel
    self.metadataProvider = metadataProvider
    self.send = send
  }

  /// One value of `metadata`.
  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// Writes one entry.
  public func log(event: LogEvent) {
    let pairs = LogText.pairs(of: event, handler: metadata, provider: metadataProvider)
    send(JournalFields.entry(event, identifier: identifier, label: label, pairs: pairs))
  }

  private static func sendToJournal(_ fields: [[UInt8]]) {
    var bytes = fields.flatMap { $0 }
    // SAFETY: the vector points into `bytes`, which does not move within the closure; the offsets are
    // sums of the lengths it was joined from. sd_journal_sendv copies before it returns.
    unsafe bytes.withUnsafeMutableBytes { buffer in
      var vector: [iovec] = unsafe []
      var offset = 0
      for field in fields {
        let base = unsafe buffer.baseAddress?.advanced(by: offset)
        unsafe vector.append(iovec(iov_base: base, iov_len: field.count))
        offset += field.count
      }
      _ = unsafe sd_journal_sendv(vector, Int32(vector.count))
    }
  }
}
