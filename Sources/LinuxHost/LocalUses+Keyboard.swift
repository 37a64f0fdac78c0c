// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import SystemPackage
internal import USBModel

extension LocalUses {
  /// Keyboards among `nodes`, while some program sits on a virtual terminal.
  func keyboardUses(_ nodes: [KernelNode], _ openNodes: OpenNodes) -> [LocalUse] {
    let inputs = nodes.filter { $0.subsystem == "input" && $0.name.hasPrefix("input") }
    guard !inputs.isEmpty, let owner = terminalOwner(openNodes) else { return [] }
    let handlers = inputHandlers()
    return inputs.filter { isKeyboard($0, handlers) }.map { input in
      let event = nodes.first {
        $0.subsystem == "input" && $0.name.hasPrefix("event")
          && $0.directory.removingLastComponent() == input.directory
      }
      let node = event?.deviceName.map(path(of:)) ?? input.name
      return .keyboard(node: node, owner: owner)
    }
  }

  /// True where the console listens to the input device and it has keys to type with.
  ///
  /// The console's handler `kbd` also takes headsets and mice with volume or media keys, hence both.
  private func isKeyboard(_ input: KernelNode, _ handlers: [String: [Substring]]) -> Bool {
    let root = (sysfs.resolved("") ?? sysfs.root).string
    let heard = handlers[String(input.directory.string.dropFirst(root.utf8.count))]
      .map { $0.contains("kbd") }
    let types = (try? sysfs.text(input.directory.appending("capabilities/key")))
      .map(LocalUses.hasTypingKeys)
    switch (heard, types) {
    case (let heard?, let types?): return heard && types
    case (let known?, nil), (nil, let known?): return known
    case (nil, nil): return false
    }
  }

  /// Reads a key bitmap: hexadecimal words of 64 bits, the highest first.
  static func hasTypingKeys(_ bitmap: some StringProtocol) -> Bool {
    let words = bitmap.split(separator: " ").reversed().map { UInt64($0, radix: 16) ?? 0 }
    return typingKeys.contains { key in
      key / 64 < words.count && words[key / 64] >> UInt64(key % 64) & 1 != 0
    }
  }

  /// Digits, letters, Enter and the keypad (include/uapi/linux/input-event-codes.h).
  private static let typingKeys: [Int] =
    Array(2...11) + Array(16...25) + [28] + Array(30...38) + Array(44...50) + Array(71...83)

  /// The program on the active virtual terminal, or else on the lowest: `agetty on tty1`.
  private func terminalOwner(_ openNodes: OpenNodes) -> String? {
    // Virtual terminals are tty1 to tty63, major 4 (Documentation/admin-guide/devices.txt).
    var names = (1...63).map { "tty\($0)" }
    if let active = try? sysfs.text("class/tty/tty0/active"), names.contains(active) {
      names.insert(active, at: 0)
    }
    for name in names {
      let minor = UInt32(name.dropFirst("tty".count)) ?? 0
      let number = DeviceNumber(kind: .character, major: 4, minor: minor)
      if let holder = openNodes.holders(of: number, path: path(of: name)).first {
        return "\(holder.program) on \(name)"
      }
    }
    return nil
  }

  /// The handlers of each input device by its path below sysfs, from /proc/bus/input/devices.
  private func inputHandlers() -> [String: [Substring]] {
    let path = procfs.appending("bus/input/devices")
    let text = (try? readText(path, limit: HostLimits.tableLength)) ?? ""
    var handlers: [String: [Substring]] = [:]
    var device = ""
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.isEmpty { device = "" }
      if line.hasPrefix("S: Sysfs=") { device = String(line.dropFirst("S: Sysfs=".count)) }
      if line.hasPrefix("H: Handlers="), !device.isEmpty {
        handlers[device] = line.dropFirst("H: Handlers=".count).split(separator: " ")
      }
    }
    return handlers
  }
}
