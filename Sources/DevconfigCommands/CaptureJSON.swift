// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import USBCapture

/// The JSON of `devconfig capture`, printed when the capture has ended.
struct CaptureJSON: Encodable {
  var schema = Schema.capture
  /// The file, as it was named on the command line.
  var file: String
  /// Packets in the file.
  var packets: UInt64
  /// Packets that could not be written in time; `nil` where that is not known.
  var dropped: UInt64?

  init(file: String, _ tally: CaptureTally) {
    self.file = file
    packets = UInt64(tally.packets)
    dropped = tally.dropped
  }
}
