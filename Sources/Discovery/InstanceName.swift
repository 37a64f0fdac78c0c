// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import USBModel

/// The name of a service instance: `NAME on HOST (BUSID)`.
///
/// It is one DNS label (RFC 6763, 4.1.1): UTF-8, at most 63 bytes. Where it is too long, the device's
/// name is cut first and the host's name second; the bus ID stays, because it makes the name unique.
struct InstanceName: Sendable, Hashable {
  /// The longest name in bytes.
  static let maximumLength = 63

  /// The device's name for people.
  let device: String
  /// The place on the exporter.
  let busID: BusID
  /// 1 for the first choice; counts up with each collision.
  var attempt = 1

  /// The text, with a number behind it after a collision.
  func text(host: String) -> String {
    let tail = " (\(busID))" + (attempt > 1 ? " #\(attempt)" : "")
    let joint = " on "
    let room = InstanceName.maximumLength - tail.utf8.count - joint.utf8.count
    let name = PrintableText.kept(device, limit: InstanceName.maximumLength)
    let place = PrintableText.kept(host, limit: InstanceName.maximumLength)
    let placeRoom = min(place.utf8.count, max(room / 2, room - name.utf8.count))
    let placePart = PrintableText.kept(place, limit: max(0, placeRoom))
    let namePart = PrintableText.kept(name, limit: max(0, room - placePart.utf8.count))
    return namePart + joint + placePart + tail
  }
}
