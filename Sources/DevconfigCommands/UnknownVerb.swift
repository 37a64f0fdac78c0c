// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import ArgumentParser

/// A first word that is no verb: a slip of the fingers, or the word of another tool for the same thing.
enum UnknownVerb {
  /// What people know from other tools for USB and for networks.
  static let elsewhere = [
    "attach": "up", "connect": "up", "plug": "up", "import": "up", "use": "up", "mount": "up",
    "detach": "down", "disconnect": "down", "unplug": "down", "release": "down", "eject": "down",
    "bind": "share", "export": "share", "unbind": "unshare", "unexport": "unshare",
    "ls": "list", "port": "list", "ports": "list", "devices": "list", "show": "list",
    "monitor": "watch", "events": "watch", "rename": "name", "check": "doctor", "stats": "status",
    "dump": "capture", "version": "--version",
  ]

  /// What to tell of `arguments`; `nil` where their first word is a verb, an option, or missing.
  static func complaint(about arguments: [String], verbs: [String]) -> String? {
    guard let word = arguments.first, !word.hasPrefix("-"), word != "help", !verbs.contains(word)
    else { return nil }
    let shown = word.unicodeScalars.prefix(40).map { $0.escaped(asASCII: true) }.joined()
    let hint = guess(word, verbs: verbs).map { "; try: devconfig \($0)" } ?? ""
    return "There is no verb '\(shown)'" + hint + "."
  }

  /// The verb that is most likely meant by `word`, if any is likely.
  static func guess(_ word: String, verbs: [String]) -> String? {
    let word = word.lowercased()
    if let meant = elsewhere[word] { return meant }
    let near = verbs.map { (verb: $0, steps: steps(from: word, to: $0)) }
    guard let best = near.min(by: { $0.steps < $1.steps }) else { return nil }
    // Of two letters, one that is wrong leaves nothing to go by.
    return best.steps <= min(2, best.verb.count / 2, word.count / 2) ? best.verb : nil
  }

  /// How many letters must be put in, left out, replaced or swapped with the next to get from one to the other.
  private static func steps(from word: String, to verb: String) -> Int {
    // Longer words are no slip of the fingers.
    guard word.utf8.count <= 16 else { return .max }
    let (from, to) = (Array(word.utf8), Array(verb.utf8))
    var before: [Int] = []
    var last = Array(0...to.count)
    for row in 1..<(from.count + 1) {
      var next = [row]
      for column in 1..<(to.count + 1) {
        let isSame = from[row - 1] == to[column - 1]
        var least = min(last[column] + 1, next[column - 1] + 1, last[column - 1] + (isSame ? 0 : 1))
        if row > 1, column > 1, from[row - 1] == to[column - 2], from[row - 2] == to[column - 1] {
          least = min(least, before[column - 2] + 1)
        }
        next.append(least)
      }
      (before, last) = (last, next)
    }
    return last[to.count]
  }
}
