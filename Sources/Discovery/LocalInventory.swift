// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import USBModel

/// What this machine is to announce, what it does announce, and the steps from one to the other.
///
/// Pure.
struct LocalInventory: Sendable {
  /// The most devices announced; Avahi limits the objects of one client to 1,024 (avahi-daemon.conf(5)).
  static let maximumDevices = 256

  /// One announcement as Avahi has it.
  struct Standing: Sendable, Hashable {
    /// The instance's name.
    var name: String
    /// Avahi's host name at that time.
    var host: String
    /// TCP.
    var port: UInt16
    /// The strings of the TXT record.
    var entries: [[UInt8]]
  }

  /// One thing to do.
  enum Step: Sendable, Hashable {
    case remove(BusID)
    /// Announce it anew, in place of what stands.
    case put(BusID, Standing)
    /// Only the TXT record is different.
    case updateText(BusID, Standing)
  }

  private var wished: [BusID: PublishedDevice] = [:]
  private var names: [BusID: (id: String, name: InstanceName)] = [:]
  private var standing: [BusID: Standing] = [:]

  /// Takes the whole wished set; beyond `maximumDevices` devices are left out.
  ///
  /// A device keeps the name it got first, also when its record says another later: the name is what
  /// others know it by. Another device in the same place gets a name of its own.
  mutating func wish(_ devices: [PublishedDevice]) {
    wished = [:]
    for device in devices.prefix(LocalInventory.maximumDevices) {
      wished[device.record.busID] = device
    }
    names = names.filter { wished[$0.key]?.record.id == $0.value.id }
    for (busID, device) in wished where names[busID] == nil {
      names[busID] = (device.record.id, InstanceName(device: device.record.name, busID: busID))
    }
  }

  /// What to do now, in the order of the bus IDs, removals first.
  func steps(host: String) -> [Step] {
    var removals: [Step] = []
    var others: [Step] = []
    let keys = Set(wished.keys).union(standing.keys)
    for busID in keys.sorted(by: { $0.description < $1.description }) {
      guard let device = wished[busID], let name = names[busID]?.name else {
        removals.append(.remove(busID))
        continue
      }
      let goal = Standing(
        name: name.text(host: host), host: host, port: device.port, entries: device.record.entries)
      guard var present = standing[busID] else {
        others.append(.put(busID, goal))
        continue
      }
      if present == goal { continue }
      present.entries = goal.entries
      others.append(present == goal ? .updateText(busID, goal) : .put(busID, goal))
    }
    return removals + others
  }

  /// Avahi has it so now; `nil` for not at all.
  mutating func stands(_ busID: BusID, as standing: Standing?) {
    self.standing[busID] = standing
  }

  /// Somebody else has the name: the next one is tried, and kept.
  mutating func collided(_ busID: BusID) {
    standing[busID] = nil
    names[busID]?.name.attempt += 1
  }

  /// Avahi has nothing of ours any more.
  mutating func withdrawn() { standing = [:] }
}
