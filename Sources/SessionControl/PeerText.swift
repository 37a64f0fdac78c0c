// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import USBModel

/// Text that came from a peer, made fit to be kept and shown.
public enum PeerText {
  /// Bytes that are kept of one text.
  public static let maximumLength = 128

  /// Bytes that are kept of a path on the exporter: what the wire carries (SYSFS_PATH_MAX less NUL).
  public static let maximumPathLength = 255

  /// The printable part of `text`, bounded; nil where nothing is left.
  public static func bounded(_ text: String?) -> String? {
    guard let text else { return nil }
    let kept = RemoteUser(text)
    return kept.isNobody ? nil : kept.description
  }

  /// Bytes that are kept of one sentence for people: it may name a path.
  public static let maximumSentenceLength = 1024

  /// The printable part of a sentence for people, bounded; nil where nothing is left.
  public static func sentence(_ text: String) -> String? {
    RemoteUser.printable(text, atMost: maximumSentenceLength)
  }

  /// The device with all its texts bounded, and no more interfaces than a device can have.
  public static func bounded(_ device: Device) -> Device {
    var device = device
    let path = device.sysfsPath.utf8.prefix(maximumPathLength).filter { 0x20..<0x7F ~= $0 }
    device.sysfsPath = String(decoding: path, as: UTF8.self)
    device.manufacturer = bounded(device.manufacturer)
    device.product = bounded(device.product)
    device.serial = bounded(device.serial)
    device.databaseVendor = bounded(device.databaseVendor)
    device.databaseProduct = bounded(device.databaseProduct)
    device.interfaces = device.interfaces.prefix(maximumInterfaces).map { interface in
      Interface(
        number: interface.number, classCode: interface.classCode, driver: bounded(interface.driver))
    }
    return device
  }

  /// What an importer says of how it gave a device back, with as much of it as is kept.
  public static func bounded(
    _ results: ImporterCalls.GiveBackResults
  ) -> ImporterCalls.GiveBackResults {
    let notes = results.notes.prefix(ImporterCalls.GiveBackResults.maximumNotes)
    return ImporterCalls.GiveBackResults(notes: notes.compactMap { sentence($0) })
  }

  /// bNumInterfaces that usbcore takes (USB_MAXINTERFACES, include/linux/usb.h).
  public static let maximumInterfaces = 32
}
