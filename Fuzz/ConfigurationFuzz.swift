// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import SharePolicy
import USBModel

/// The configuration that people write, and the rules that `share` and `unshare` put into it.
///
/// Whatever stands there is read or refused with a line of the file, and a rule that was put in is the first one,
/// before all those there were.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzConfiguration(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  // SAFETY: libFuzzer passes `count` readable bytes that live as long as this call.
  let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  let before = configuration(text)
  var file = RuleFile(text)
  do throws(AgentError) {
    try file.put(DeviceRule(keeping: device))
  } catch {
    precondition(!error.hint.isEmpty, "nobody knows what to type next")
    return 0
  }
  precondition(file.text.contains("- deny: {vendor: \"04bb\""), "the rule is not there")
  // A file that could be read before can be written in ways that the rule does not fit into; the agent says so,
  // and the verb puts the file back.
  guard let before, let after = configuration(file.text) else { return 0 }
  precondition(after.port == before.port && after.peers == before.peers, "other keys changed")
  guard let first = after.rules.first else { return 0 }
  precondition(after.rules.count <= before.rules.count + 1, "more than one rule was put in")
  _ = SharePolicy(rules: [first])
  return 0
}

private func configuration(_ text: String) -> Configuration? {
  do throws(Configuration.Mistake) {
    return try Configuration(yaml: text)
  } catch {
    precondition(!error.message.isEmpty, "a mistake without words")
    // The line breaks of YAML 1.1, which libyaml counts.
    let lines =
      text.unicodeScalars.count { "\n\r\u{85}\u{2028}\u{2029}".unicodeScalars.contains($0) } + 2
    precondition(error.line.map { $0 > 0 && $0 <= lines } ?? true, "a line that is not there")
    return nil
  }
}

private let device = DeviceStatus(
  id: 1, name: "Optical Storage", host: "alpha", address: "", port: 3240, busID: "1-2",
  vendorID: "04bb", productID: "0147", serial: "0A1B2C", localState: .detached,
  remoteState: .available, remoteUser: .nobody, isLocal: true)
