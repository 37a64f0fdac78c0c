// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import USBModel

/// What a session's lines in the journal and its captures call the device and the peer.
struct SessionSubject {
  /// The peer in numbers.
  var peer: String
  /// The bus ID.
  var busID: String
  /// The name for people.
  var name: String

  init(peer: String, device: Device) {
    self.peer = peer
    busID = device.busID.description
    name = device.name
  }
}
