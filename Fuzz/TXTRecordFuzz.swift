// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import USBModel

/// The TXT record of a service instance, as any machine on the LAN may send it.
///
/// The bytes are the strings of the record, each behind its length (RFC 1035, 3.3.14). Whatever they
/// say, a record that was understood is bounded and printable, and means the same when we say it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTXTRecord(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  // SAFETY: libFuzzer passes `count` readable bytes that live as long as this call.
  let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
  let entries = strings(input)
  let length = entries.reduce(0) { $0 + $1.count + 1 }
  do throws(TXTError) {
    guard let record = try TXTRecord.decode(entries: entries) else { return 0 }
    precondition(length <= TXTRecord.maximumLength, "a record beyond the limit")
    check(record)
  } catch {
    check(error, length)
  }
  return 0
}

/// Cuts the bytes up; a length that is too long takes what is left.
private func strings(_ bytes: [UInt8]) -> [[UInt8]] {
  var entries: [[UInt8]] = []
  var rest = bytes[...]
  while let length = rest.popFirst() {
    entries.append(Array(rest.prefix(Int(length))))
    rest = rest.dropFirst(Int(length))
  }
  return entries
}

private func check(_ record: TXTRecord) {
  let texts = [record.id, record.user, record.agent, record.name, record.reason ?? "-"]
  for text in texts {
    precondition(!text.isEmpty, "an empty text")
    precondition(text.unicodeScalars.allSatisfy(PrintableText.isPrintable), "not printable")
  }
  let written = record.entries
  precondition(written.allSatisfy { $0.count <= 255 }, "a string beyond the limit")
  precondition(
    written.reduce(0) { $0 + $1.count + 1 } <= TXTRecord.maximumLength, "a record beyond the limit")
  let again = try? TXTRecord.decode(entries: written)
  precondition(again == record, "another record")
}

private func check(_ error: TXTError, _ length: Int) {
  switch error {
  case .recordTooLong(let bytes):
    precondition(bytes == length && bytes > TXTRecord.maximumLength, "not too long")
  case .unsupportedVersion(let text), .malformed(_, let text):
    precondition(text.utf8.count <= 255, "a text beyond the limit")
    precondition(text.unicodeScalars.allSatisfy(PrintableText.isPrintable), "not printable")
  case .missing, .valueTooLong:
    break
  }
}
