// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import Testing

/// The bus that `Tests/mock-udev` made for this process.
final class MockUdev {
  /// True where the tests run under `Tests/mock-udev`.
  static var isThere: Bool { place != nil }

  private let orders: Int32
  private let answers: Int32

  init() throws {
    let place = try #require(MockUdev.place)
    orders = open("\(place)/orders", O_WRONLY)
    answers = open("\(place)/answers", O_RDONLY)
    try #require(orders >= 0 && answers >= 0)
  }

  deinit {
    close(orders)
    close(answers)
  }

  /// Gives one order of `Tests/mock-udev` and waits until it is done.
  func order(_ text: String) throws {
    let line = Array("\(text)\n".utf8)
    try #require(write(orders, line, line.count) == line.count)
    var answer: [UInt8] = []
    var byte: UInt8 = 0
    while read(answers, &byte, 1) == 1, byte != UInt8(ascii: "\n") { answer.append(byte) }
    #expect(String(decoding: answer, as: UTF8.self) == "done", "\(text)")
  }

  private static var place: String? {
    getenv("DEVCONFIG_MOCK_UDEV").map { String(cString: $0) }
  }
}
