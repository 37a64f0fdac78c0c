// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import LinuxHost
internal import SystemPackage

/// Who this agent is on the LAN.
struct AgentIdentity: Sendable, Hashable {
  /// This machine's host name, without a domain.
  var host: String
  /// The agent's lasting name: 32 hexadecimal digits, made once.
  var agent: String

  /// Reads the lasting name, or makes one and keeps it; throws `HostError` where it cannot be kept.
  init(places: Places) throws(HostError) {
    let kernel = Kernel(sysfs: Sysfs(root: places.sysfs), procfs: places.procfs)
    host = String(try kernel.hostName().prefix { $0 != "." })
    let file = StateFile(path: places.agentName)
    if let bytes = try file.read() {
      let text = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
      if text.utf8.count == 32, text.allSatisfy(\.isHexDigit) {
        agent = text
        return
      }
    }
    var generator = SystemRandomNumberGenerator()
    agent = (0..<4).map { _ in
      let digits = String(generator.next() as UInt32, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
    try file.write(Array(agent.utf8) + [UInt8(ascii: "\n")])
  }
}
