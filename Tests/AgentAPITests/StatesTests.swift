// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Testing

@Suite struct StatesTests {
  @Test func theWordsAreThePapers() {
    #expect(RemoteState.available.rawValue == "AVAIL")
    #expect(RemoteState.inUse.rawValue == "INUSE")
    #expect(RemoteState.offline.rawValue == "OFFLINE")
    #expect(RemoteState.denied.rawValue == "DENIED")
    #expect(LocalState.detached.rawValue == "DISCONN_DONE")
    #expect(LocalState.attaching.rawValue == "CONN_WAIT")
    #expect(LocalState.attached.rawValue == "CONN_DONE")
    #expect(LocalState.detaching.rawValue == "DISCONN_WAIT")
    #expect(LocalState.retrying.rawValue == "CONN_RETRY")
    #expect(RemoteModule.usbip.rawValue == "USBIP")
  }

  /// Not as arguments of the test, which would be printed to a terminal as they are.
  static let claims = [
    ("taka@beta", "taka@beta"), ("", "NOBODY"), ("NOBODY", "NOBODY"),
    ("\u{1B}[2Jroot@alpha", "[2Jroot@alpha"), ("a\nb\r\tc\u{0}", "abc"),
    ("\u{7F}\u{85}x", "x"), ("\u{202E}evil@host", "evil@host"), ("\u{2028}\u{2029}", "NOBODY"),
    ("\u{E000}a", "a"), ("ta ka@be ta", "ta ka@be ta"), ("Така@бета", "Така@бета"),
  ]

  @Test(arguments: claims.indices) func aUserIsPrintable(index: Int) {
    let (claimed, kept) = Self.claims[index]
    #expect(RemoteUser(claimed).description == kept)
    #expect(RemoteUser(claimed).isNobody == (kept == "NOBODY"))
  }

  @Test(arguments: [
    ("taka@beta", "taka", "beta"), ("taka", "taka", nil), ("taka@home@beta", "taka@home", "beta"),
    ("@beta", "", "beta"), ("taka@", "taka", ""), ("", "NOBODY", nil),
  ])
  func aUserIsTakenApart(text: String, name: String, host: String?) {
    #expect(RemoteUser(text).name == name)
    #expect(RemoteUser(text).host == host)
  }

  @Test func aUserIsBoundedWithoutCuttingACharacter() {
    #expect(RemoteUser(String(repeating: "a", count: 200)).description.utf8.count == 128)
    #expect(RemoteUser(String(repeating: "a", count: 128)).description.utf8.count == 128)
    // Two bytes each, and one byte in front: the 129th byte would end a character.
    let odd = RemoteUser("a" + String(repeating: "é", count: 100)).description
    #expect(odd.utf8.count == 127)
    #expect(odd.hasSuffix("é"))
    // One character may be made of any number of scalars.
    let stacked = "e" + String(repeating: "\u{301}", count: 1_000_000)
    #expect(RemoteUser(stacked).description.utf8.count <= 128)
  }

  @Test func aUserOverTheSocketIsCheckedToo() throws {
    let claimed = Array(#""\u001b]0;x\u0007mallory@\nhost""#.utf8)
    #expect(try Message.decode(RemoteUser.self, from: claimed) == RemoteUser("]0;xmallory@host"))
    #expect(throws: AgentError.self) { try Message.decode(RemoteUser.self, from: Array("7".utf8)) }
  }

  @Test func userAndHostAreJoined() {
    #expect(RemoteUser(user: "taka", host: "beta").description == "taka@beta")
    #expect(!RemoteUser(user: "NOBODY", host: "beta").isNobody)
    #expect(RemoteUser.nobody.description == "NOBODY")
  }

  @Test func everyKindOfErrorHasItsOwnExitCode() {
    let codes = AgentError.Kind.allCases.map(\.exitCode)
    #expect(Set(codes).count == codes.count)
    #expect(!codes.contains(.success) && !codes.contains(.usage) && !codes.contains(.noAgent))
    #expect(Set(AgentError.Kind.allCases.map(\.rawValue)).count == codes.count)
  }

  /// The numbers are documented in devconfig(1) and scripts rely on them.
  @Test func theExitCodesAreTheDocumentedOnes() {
    let numbers = ExitCode.allCases.map(\.rawValue)
    #expect(numbers == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 64])
    #expect(AgentError.Kind.unknownDevice.exitCode.rawValue == 2)
    #expect(AgentError.Kind.ambiguousDevice.exitCode.rawValue == 3)
    #expect(AgentError.Kind.inUse.exitCode.rawValue == 4)
    #expect(AgentError.Kind.denied.exitCode.rawValue == 5)
    #expect(AgentError.Kind.unreachable.exitCode.rawValue == 6)
    #expect(AgentError.Kind.notPermitted.exitCode.rawValue == 8)
    #expect(AgentError.Kind.kernelSupportMissing.exitCode.rawValue == 9)
    #expect(AgentError.Kind.noFreePort.exitCode.rawValue == 10)
    #expect(AgentError.Kind.timedOut.exitCode.rawValue == 11)
    #expect(AgentError.Kind.protocolMismatch.exitCode.rawValue == 12)
    #expect(AgentError.Kind.failed.exitCode.rawValue == 1)
  }
}
