// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Logging
import Synchronization
import Testing

@testable import Systemd

private final class Sink: Sendable {
  private let content = Mutex<[[[UInt8]]]>([])

  func take(_ fields: [[UInt8]]) { content.withLock { $0.append(fields) } }

  /// The fields of the last entry by name.
  var last: [String: String] {
    let fields = content.withLock { $0.last ?? [] }
    let pairs = fields.map { field in
      let text = String(decoding: field, as: UTF8.self)
      return (String(text.prefix { $0 != "=" }), String(text.drop { $0 != "=" }.dropFirst()))
    }
    return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
  }
}

private struct Trouble: Error, CustomStringConvertible {
  let description = "no such device"
}

@Suite struct JournalLogHandlerTests {
  private let sink = Sink()

  private func logger(_ provider: Logger.MetadataProvider? = nil) -> Logger {
    Logger(label: "sharing") { [sink] label in
      JournalLogHandler(
        label: label, identifier: "devconfigd", logLevel: .trace, metadataProvider: provider,
        send: sink.take)
    }
  }

  @Test func writesFieldsAndAReadableMessage() {
    logger().notice(
      "device attached",
      metadata: ["device.busid": "1-1", "peer.address": "10.9.0.2", "node-path": "/dev/sd b"],
      file: "Sources/X.swift", function: "attach()", line: 815)
    let fields = sink.last
    #expect(
      fields == [
        "MESSAGE":
          "device attached device.busid=1-1 node-path=\"/dev/sd b\" peer.address=10.9.0.2",
        "PRIORITY": "5", "SYSLOG_IDENTIFIER": "devconfigd", "CODE_FILE": "Sources/X.swift",
        "CODE_LINE": "815", "CODE_FUNC": "attach()", "DEVCONFIG_LOGGER": "sharing",
        "DEVCONFIG_DEVICE_BUSID": "1-1", "DEVCONFIG_PEER_ADDRESS": "10.9.0.2",
        "DEVCONFIG_NODE_PATH": "/dev/sd b",
      ])
  }

  @Test(arguments: [
    (Logger.Level.trace, "7"), (.debug, "7"), (.info, "6"), (.notice, "5"), (.warning, "4"),
    (.error, "3"), (.critical, "2"),
  ])
  func givesTheLevelInSyslogsNumbers(level: Logger.Level, priority: String) {
    logger().log(level: level, "x")
    #expect(sink.last["PRIORITY"] == priority)
  }

  @Test func mergesMetadataWithTheNearestFirst() {
    var logger = logger(Logger.MetadataProvider { ["b": "provider", "c": "provider"] })
    logger[metadataKey: "a"] = "handler"
    logger[metadataKey: "b"] = "handler"
    logger[metadataKey: "c"] = "handler"
    logger.info("x", metadata: ["c": "event"])
    #expect(sink.last["MESSAGE"] == "x a=handler b=provider c=event")
    #expect(sink.last["DEVCONFIG_C"] == "event")
  }

  @Test func carriesAnErrorAndNestedValues() {
    logger().error("export failed", error: Trouble(), metadata: ["list": ["1", "2"]])
    #expect(
      sink.last["MESSAGE"]
        == "export failed error=\"no such device\" list=\"[\\\"1\\\", \\\"2\\\"]\""
        || sink.last["MESSAGE"]?.hasPrefix("export failed error=\"no such device\" list=") == true)
    #expect(sink.last["DEVCONFIG_ERROR"] == "no such device")
  }

  @Test func keepsOneEventOnOneLine() {
    logger().info("a\nb\u{1b}[2J", metadata: ["k\ney": "v\u{0}\"=\tw"])
    #expect(sink.last["MESSAGE"] == "a\\nb\\u{1b}[2J k\\ney=\"v\\u{0}\\\"=\\tw\"")
    // A field may have any bytes; journalctl -o json keeps them.
    #expect(sink.last["DEVCONFIG_K_EY"] == "v\u{0}\"=\tw")
  }

  @Test func boundsEverything() {
    let long = String(repeating: "\u{20AC}", count: 20_000)
    var metadata: Logger.Metadata = [:]
    for number in 0..<200 { metadata["key\(number)\(long.prefix(100))"] = .string(long) }
    logger().info("\(long)", metadata: metadata)
    let fields = sink.last
    #expect(fields.count <= 7 + JournalFields.maximumCount)
    #expect(fields["MESSAGE"].map { $0.utf8.count <= LogText.maximumLineLength } == true)
    #expect(fields["MESSAGE"]?.contains("\u{FFFD}") == false)
    for (name, value) in fields where name != "MESSAGE" {
      #expect(name.utf8.count <= JournalFields.maximumNameLength)
      #expect(value.utf8.count <= JournalFields.maximumValueLength)
    }
  }

  @Test(arguments: [
    ("device.busid", "DEVCONFIG_DEVICE_BUSID"), ("a-b c", "DEVCONFIG_A_B_C"),
    ("é", "DEVCONFIG___"), ("", "DEVCONFIG_"), ("A=b", "DEVCONFIG_A_B"),
  ])
  func namesFieldsAsTheJournalWants(key: String, name: String) {
    #expect(JournalFields.name(of: key) == name)
  }

  @Test func sendsToTheRealJournalOrToNobody() {
    // There may be no journald here: then nothing must happen.
    Logger(label: "test") { JournalLogHandler(label: $0, identifier: "devconfig-tests") }
      .info("a test of devconfig wrote this", metadata: ["test.number": "4711"])
  }
}

@Suite struct ConsoleLogHandlerTests {
  @Test func writesOneLine() {
    let sink = Sink()
    let logger = Logger(label: "x") { _ in ConsoleLogHandler { sink.take([$0]) } }
    logger.warning(
      "retrying in 5 s", metadata: ["peer.address": "10.9.0.2", "device.busid": "1-1"])
    #expect(
      sink.last == [
        "warning: retrying in 5 s device.busid": "1-1 peer.address=10.9.0.2\n"
      ])
    logger.debug("not wanted")
    #expect(sink.last.keys.first?.hasPrefix("warning") == true)
  }
}

@Suite struct LogDestinationTests {
  @Test func goesToTheJournalOnlyWhenItsStreamIsStandardError() {
    #expect(
      LogDestination.choose(journalStream: "8:4711", device: 8, inode: 4711) == .journal)
    #expect(
      LogDestination.choose(journalStream: "8:4712", device: 8, inode: 4711) == .console)
    #expect(LogDestination.choose(journalStream: nil, device: 8, inode: 4711) == .console)
    #expect(LogDestination.choose(journalStream: "", device: 0, inode: 0) == .console)
  }
}
