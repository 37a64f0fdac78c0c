// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import FoundationEssentials

/// The members of a JSON document and their types, without its values.
enum JSONShape {
  /// One line for each member, such as `devconfig/1 devices[].id number`, sorted; throws where `text` is no JSON.
  static func lines(of text: String) throws -> [String] {
    let document = try JSONDecoder().decode(Value.self, from: Data(text.utf8))
    guard case .object(let members) = document, case .string(let schema)? = members["schema"] else {
      return []
    }
    var lines: Set<String> = []
    walk(document, "") { lines.insert("\(schema) \($0)") }
    return lines.sorted()
  }

  private static func walk(_ value: Value, _ path: String, _ found: (String) -> Void) {
    switch value {
    case .object(let members):
      if !path.isEmpty { found("\(path) object") }
      for (name, member) in members { walk(member, path.isEmpty ? name : "\(path).\(name)", found) }
    case .array(let elements):
      found("\(path) array")
      for element in elements { walk(element, "\(path)[]", found) }
    case .string: found("\(path) string")
    case .number: found("\(path) number")
    case .boolean: found("\(path) boolean")
    }
  }

  private indirect enum Value: Decodable {
    case object([String: Value])
    case array([Value])
    case string(String)
    case number(Double)
    case boolean(Bool)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let value = try? container.decode(Bool.self) {
        self = .boolean(value)
      } else if let value = try? container.decode(Double.self) {
        self = .number(value)
      } else if let value = try? container.decode(String.self) {
        self = .string(value)
      } else if let value = try? container.decode([Value].self) {
        self = .array(value)
      } else {
        self = .object(try container.decode([String: Value].self))
      }
    }
  }
}
