// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import TestSupport
import Testing

/// 100,000 mutations of recorded sessions.
///
/// One mutation is one recording after one to six random changes, played from its first byte to the
/// end of its session: 96,000 against a URB phase behind a successful import, 4,000 against the whole
/// session, operation phase included. Each has a device of its own in memory and a pair of connected
/// sockets. After each the session has ended, the device has every transfer back and every slot is
/// free; an importer stricter than vhci_hcd reads the answers. Over all of them memory and
/// descriptors stay as they are.
///
/// The number of a mutation decides everything about it. A failure tells it; to play it again, and
/// others than the usual ones:
///
///     DEVCONFIG_MUTATIONS=81234 swift test --filter MutationTests
///     DEVCONFIG_MUTATIONS=100000-2100000 swift test --filter MutationTests
@Suite("Hostile peers: mutations", .timeLimit(.minutes(5)))
struct MutationTests {
  /// Threads that share the work.
  private static let parts = 2
  /// Of so many mutations one is of a whole connection.
  private static let wholeEvery: UInt64 = 25
  /// After so many of them a part has all that it keeps for good.
  private static let warm = 5000

  /// A mutation that went wrong.
  private struct Failure: Error, CustomStringConvertible {
    var number: UInt64
    var reason: String
    var description: String { "mutation \(number): \(reason); DEVCONFIG_MUTATIONS=\(number)" }
  }

  /// In one process of its own: a test that waits for one keeps others from running.
  @Test("every mutation ends its session and leaves nothing")
  func mutations() async throws {
    let note = try MutationNote()
    let result = await #expect(processExitsWith: .success) { [path = note.path as String] in
      try await MutationTests.play(noting: path)
    }
    if result == nil {
      let (last, words) = note.read(MutationTests.parts)
      Issue.record("the last ones were DEVCONFIG_MUTATIONS=\(last)\n\(words)")
    }
  }

  private static func play(noting path: String) async throws {
    // Other tests count seconds.
    _ = nice(10)
    ProcessFootprint.keepNothingLarge()
    let numbers = chosen()
    let first = numbers.prefix(parts * warm)
    try await play(first, path)
    let (memory, descriptors) = (ProcessFootprint.memory(), ProcessFootprint.descriptors())
    let tally = try await play(numbers.dropFirst(first.count), path)
    alarm(0)
    guard numbers.count >= 100_000 else { return }
    let growth = ProcessFootprint.memory() - memory
    try #require(growth < 8 << 20, "\(growth) bytes more after \(numbers.count) mutations")
    let isClean = ProcessFootprint.settles(at: descriptors)
    try #require(isClean, "\(descriptors) descriptors, then \(ProcessFootprint.descriptors())")
    // Mutations that all end the same way would prove little.
    for end in ["peerClosed", "truncated", "violation", "deviceGone", "answered"] {
      try #require(tally[end, default: 0] >= 20, "\(tally)")
    }
  }

  @discardableResult
  private static func play(
    _ numbers: Range<UInt64>, _ path: String
  ) async throws -> [String: Int] {
    try await withThrowingTaskGroup(of: [String: Int].self) { group in
      for part in 0..<parts {
        group.addTask {
          try await BackgroundThread.run { try play(numbers, part, MutationNote(path)) }
        }
      }
      return try await group.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
    }
  }

  private static func play(
    _ numbers: Range<UInt64>, _ part: Int, _ note: borrowing MutationNote
  ) throws -> [String: Int] {
    var player = try MutationPlayer()
    for (played, number) in numbers.lazy.filter({ Int($0 % UInt64(parts)) == part }).enumerated() {
      note.write(number, part)
      // A session that never ends ends the process.
      if played.isMultiple(of: 500) { alarm(60) }
      let reason =
        number / UInt64(parts) % wholeEvery == 0
        ? try player.playConnection(number) : try player.playURBPhase(number)
      if let reason { throw Failure(number: number, reason: reason) }
    }
    return player.tally
  }

  private static func chosen() -> Range<UInt64> {
    guard let text = getenv("DEVCONFIG_MUTATIONS").map({ String(cString: $0) }) else {
      return 0..<100_000
    }
    let ends = text.split(separator: "-").compactMap { UInt64($0) }
    guard let first = ends.first, let last = ends.last, first <= last else { return 0..<0 }
    return first..<last + 1
  }
}

/// A number of each part, and the last words, of a process, however that ends.
private struct MutationNote: ~Copyable {
  /// Bytes of the number.
  private static let size = MemoryLayout<UInt64>.size
  /// Behind as many numbers as there may be parts.
  private static let textOffset = 16 * size

  let path: String
  private let descriptor: Int32
  private let isOwner: Bool

  /// A new one; its file goes with it.
  init() throws {
    var template = Array("/tmp/devconfig-mutation.XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw LoopbackPeer.Failure.broken(errno) }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    isOwner = true
  }

  /// For this process, which a trap may end: what it says to standard error is kept behind the number.
  init(_ path: String) throws {
    self.path = path
    descriptor = open(path, O_RDWR | O_CLOEXEC)
    isOwner = false
    lseek(descriptor, MutationNote.textOffset, SEEK_SET)
    dup2(descriptor, STDERR_FILENO)
  }

  deinit {
    close(descriptor)
    if isOwner { unlink(path) }
  }

  func write(_ number: UInt64, _ part: Int) {
    var number = number
    _ = pwrite(descriptor, &number, MutationNote.size, off_t(part * MutationNote.size))
  }

  func read(_ parts: Int) -> (numbers: [UInt64], words: String) {
    var numbers = [UInt64](repeating: 0, count: parts)
    _ = pread(descriptor, &numbers, parts * MutationNote.size, 0)
    var words = [UInt8](repeating: 0, count: 4096)
    let count = pread(descriptor, &words, words.count, off_t(MutationNote.textOffset))
    return (numbers, String(decoding: words.prefix(max(0, count)), as: UTF8.self))
  }
}
