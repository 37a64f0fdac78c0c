// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Rows of cells as lines: columns as wide as their widest cell, nothing cut off.
enum Columns {
  /// The lines, without spaces at their ends; all rows have as many cells.
  ///
  /// Columns named in `left` start at the left, the others end at the right.
  static func lines(
    _ rows: [[String]], left: Set<Int>, narrowest: [Int: Int] = [:]
  ) -> [String] {
    let count = rows.first?.count ?? 0
    let widths = (0..<count).map { column in
      max(narrowest[column] ?? 0, rows.map { $0[column].count }.max() ?? 0)
    }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let space = String(repeating: " ", count: widths[column] - cell.count)
        if column > 0 { line += "  " }
        line += left.contains(column) ? cell + space : space + cell
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}
