// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Testing

@Suite struct GivenNameTests {
  @Test(arguments: ["Stempel", "label printer", "3rd scanner", "x", "プリンタ", "1:2", "a-b_c.d"])
  func aNameIsKeptAsItIs(text: String) throws {
    #expect(try GivenName(text).description == text)
    let bytes = try Message.encode(try GivenName(text))
    #expect(try Message.decode(GivenName.self, from: bytes.dropLast()) == GivenName(text))
  }

  @Test(
    arguments: [
      ("", "is empty"), ("7", "is a number, as IDs are"), ("-7", "is a number, as IDs are"),
      ("046d:c00c", "looks like VID:PID"), ("a/b", "has / or @, which stand before a host"),
      ("1-2@alpha", "has / or @, which stand before a host"), (" a", "has a space at an end"),
      ("a ", "has a space at an end"), ("a\nb", "has characters that cannot be printed"),
      ("\u{1b}[2J", "has characters that cannot be printed"),
      ("a\u{202e}b", "has characters that cannot be printed"),
    ])
  func whatCouldBeTakenForSomethingElseIsRefused(text: String, flaw: String) {
    let error = #expect(throws: AgentError.self) { try GivenName(text) }
    #expect(error?.message == "a device cannot be named that: the name \(flaw)")
  }

  @Test func aLongNameIsRefusedAndNotCut() throws {
    let longest = String(repeating: "a", count: GivenName.maximumLength)
    #expect(try GivenName(longest).description == longest)
    for text in [longest + "a", String(repeating: "ü", count: 33)] {
      let error = #expect(throws: AgentError.self) { try GivenName(text) }
      #expect(error?.message.hasSuffix("has more than 64 bytes") == true)
    }
  }

  @Test func letterCaseMakesNoOtherName() throws {
    #expect(try GivenName("Stempel").matches(try GivenName("stEMPEL")))
    #expect(try !GivenName("Stempel").matches(try GivenName("Stempel 2")))
  }
}
