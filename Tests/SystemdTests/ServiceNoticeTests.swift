// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import Testing

@testable import Systemd

private func notice(_ variables: [String: String]) -> ServiceNotice {
  ServiceNotice(environment: { variables[$0] }, processID: 42)
}

@Suite struct ServiceNoticeTests {
  @Test(arguments: [false, true])
  func tellsTheManager(abstract: Bool) throws {
    let manager = try #require(NoticeSocket(abstract: abstract))
    let notice = notice(["NOTIFY_SOCKET": manager.path])
    #expect(notice.ready(status: "2 devices shared"))
    #expect(manager.receive() == "READY=1\nSTATUS=2 devices shared")
    #expect(notice.ready())
    #expect(manager.receive() == "READY=1")
    #expect(notice.status("idle"))
    #expect(manager.receive() == "STATUS=idle")
    #expect(notice.watchdog())
    #expect(manager.receive() == "WATCHDOG=1")
    #expect(notice.stopping())
    #expect(manager.receive() == "STOPPING=1")
  }

  @Test func hasDescriptorsKept() throws {
    let manager = try #require(NoticeSocket())
    let notice = notice(["NOTIFY_SOCKET": manager.path])
    let file = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(file) }
    #expect(notice.store([file], as: "session-1-1.4"))
    let stored = try #require(manager.receiveWithDescriptor())
    #expect(stored.text == "FDSTORE=1\nFDNAME=session-1-1.4")
    defer { close(stored.descriptor) }
    var (given, kept) = (stat(), stat())
    #expect(fstat(file, &given) == 0 && fstat(stored.descriptor, &kept) == 0)
    #expect(given.st_ino == kept.st_ino && given.st_rdev == kept.st_rdev)
    #expect(notice.forget("session-1-1.4"))
    #expect(manager.receive() == "FDSTOREREMOVE=1\nFDNAME=session-1-1.4")
  }

  @Test func letsNoStatusBecomeAnAssignment() throws {
    let manager = try #require(NoticeSocket())
    let notice = notice(["NOTIFY_SOCKET": manager.path])
    #expect(notice.status("a\nMAINPID=1\u{1b}"))
    #expect(manager.receive() == "STATUS=a\\nMAINPID=1\\u{1b}")
    #expect(notice.status(String(repeating: "\u{20AC}", count: 9999)))
    #expect(manager.receive() == "STATUS=" + String(repeating: "\u{20AC}", count: 341))
  }

  @Test(arguments: [
    nil, "", "relative", "/nonexistent/devconfig/notify", String(repeating: "/", count: 108),
    "@" + String(repeating: "x", count: 200),
  ])
  func tellsNobodyWithoutAManager(path: String?) {
    let notice = notice(path.map { ["NOTIFY_SOCKET": $0] } ?? [:])
    #expect(!notice.ready(status: "up"))
    #expect(!notice.watchdog())
  }

  @Test func knowsHowOftenToSayItIsAlive() {
    #expect(notice(["WATCHDOG_USEC": "30000000"]).watchdogInterval == .seconds(30))
    #expect(
      notice(["WATCHDOG_USEC": "500", "WATCHDOG_PID": "42"]).watchdogInterval == .microseconds(500))
    #expect(notice(["WATCHDOG_USEC": "500", "WATCHDOG_PID": "43"]).watchdogInterval == nil)
    for text in ["", "0", "-1", "soon", "99999999999999999999"] {
      #expect(notice(["WATCHDOG_USEC": text]).watchdogInterval == nil)
    }
    #expect(notice([:]).watchdogInterval == nil)
  }
}
