// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import USBModel

/// What the reader of the events was told so far, and what to tell it next.
///
/// Everything goes through the difference between "told" and "there", so the same event twice, a
/// lost event, or a list in the middle of events do no harm.
struct DeviceTable: Sendable {
  private var told: [BusID: Device] = [:]
  private var flaws: [String: DeviceFlaw] = [:]

  /// What to tell of one device that was read just now.
  func changes(of device: Device) -> [HotplugEvent] {
    guard let known = told[device.busID] else { return [.added(device)] }
    if known == device { return [] }
    // The kernel gives a new number to whatever is plugged in; the same number is the same device.
    if known.deviceNumber == device.deviceNumber, known.sysfsPath == device.sysfsPath,
      known.vendorProduct == device.vendorProduct
    {
      return [.changed(device)]
    }
    return [.removed(device.busID), .added(device)]
  }

  /// What to tell of a device that is there and cannot be read.
  ///
  /// Nothing of one that was told: it stays told, because it is most likely on its way out.
  func changes(of path: String, flaw: DeviceFlaw) -> [HotplugEvent] {
    if let place = SysfsPlace(path), told[place.busID] != nil { return [] }
    return flaws[path] == flaw ? [] : [.skipped(path: path, flaw: flaw)]
  }

  /// What to tell of a device that is gone.
  func changes(removing busID: BusID) -> [HotplugEvent] {
    told[busID] == nil ? [] : [.removed(busID)]
  }

  /// What to tell after a full list; `unread` has the sysfs paths of those without a value now, with
  /// the flaw where it is one.
  func changes(present: [Device], unread: [String: DeviceFlaw?] = [:]) -> [HotplugEvent] {
    var kept = Set(present.map(\.busID))
    for path in unread.keys {
      if let place = SysfsPlace(path) { kept.insert(place.busID) }
    }
    var events: [HotplugEvent] = []
    for busID in told.keys.sorted(by: { $0.description < $1.description })
    where !kept.contains(busID) {
      events.append(.removed(busID))
    }
    for device in present { events += changes(of: device) }
    for (path, flaw) in unread.sorted(by: { $0.key < $1.key }) {
      if let flaw { events += changes(of: path, flaw: flaw) }
    }
    return events
  }

  /// Remembers that the reader was told `event`.
  mutating func accept(_ event: HotplugEvent) {
    switch event {
    case .added(let device), .changed(let device):
      told[device.busID] = device
      flaws[device.sysfsPath] = nil
    case .removed(let busID):
      told[busID] = nil
      flaws = flaws.filter { SysfsPlace($0.key)?.busID != busID }
    case .skipped(let path, let flaw):
      flaws[path] = flaw
    case .childChanged, .listed:
      break
    }
  }
}
