// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// A JSON value whose form is not known beforehand (RFC 8259).
indirect enum JSONValue: Sendable, Hashable {
  /// Also a number that is not whole, which no rule compares with.
  case null
  case boolean(Bool)
  case number(Int)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// The member `name` of an object.
  subscript(_ name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members[name]
  }

  var string: String? {
    guard case .string(let value) = self else { return nil }
    return value
  }

  var number: Int? {
    guard case .number(let value) = self else { return nil }
    return value
  }

  var array: [JSONValue]? {
    guard case .array(let value) = self else { return nil }
    return value
  }

  /// The only member of an object, as most statements have it.
  var single: (name: String, value: JSONValue)? {
    guard case .object(let members) = self, members.count == 1, let first = members.first else {
      return nil
    }
    return (first.key, first.value)
  }
}
