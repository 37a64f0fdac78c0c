// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBModel

@testable import Hotplug

private func device(
  _ name: String, number: UInt32 = 5, product: UInt16 = 0x5567, driver: String? = nil
) throws -> Device {
  Device(
    busID: try #require(BusID(name)), busNumber: 1, deviceNumber: number,
    sysfsPath: "/sys/devices/x/usb1/\(name)", speed: .high,
    vendorProduct: VendorProduct(vendor: 0x0781, product: product),
    interfaces: [Interface(number: 0, classCode: ClassCode(8, 6, 80), driver: driver)])
}

/// A table whose reader takes everything.
private final class Subject {
  var table = DeviceTable()

  func take(_ events: [HotplugEvent]) -> [HotplugEvent] {
    for event in events { table.accept(event) }
    return events
  }

  func see(_ device: Device) -> [HotplugEvent] { take(table.changes(of: device)) }

  func list(_ present: [Device], unread: [String: DeviceFlaw?] = [:]) -> [HotplugEvent] {
    take(table.changes(present: present, unread: unread))
  }
}

@Suite struct DeviceTableTests {
  private let subject = Subject()
  private let flaw = DeviceFlaw.missing(attribute: "speed")

  @Test func tellsOnceWhatIsSeenTwice() throws {
    let stick = try device("1-1")
    #expect(subject.see(stick) == [.added(stick)])
    #expect(subject.see(stick) == [])
    #expect(subject.list([stick]) == [])
    let bound = try device("1-1", driver: "usb-storage")
    #expect(subject.see(bound) == [.changed(bound)])
  }

  @Test func takesAnotherNumberForAnotherDevice() throws {
    let first = try device("1-1", number: 5)
    let second = try device("1-1", number: 6)
    _ = subject.see(first)
    #expect(subject.see(second) == [.removed(first.busID), .added(second)])
    let third = try device("1-1", number: 6, product: 1)
    #expect(subject.list([third]) == [.removed(first.busID), .added(third)])
  }

  @Test func removesOnlyWhatWasTold() throws {
    let stick = try device("1-1")
    #expect(subject.take(subject.table.changes(removing: stick.busID)) == [])
    _ = subject.see(stick)
    #expect(subject.take(subject.table.changes(removing: stick.busID)) == [.removed(stick.busID)])
    #expect(subject.take(subject.table.changes(removing: stick.busID)) == [])
    #expect(subject.see(stick) == [.added(stick)])
  }

  @Test func tellsTheDifferenceToAList() throws {
    let (first, second, third) = (try device("1-1"), try device("1-2"), try device("1-3"))
    let bound = try device("1-2", driver: "usb-storage")
    _ = subject.list([first, second])
    #expect(
      subject.list([bound, third]) == [.removed(first.busID), .changed(bound), .added(third)])
  }

  @Test func keepsAToldDeviceThatCannotBeReadNow() throws {
    let stick = try device("1-1")
    _ = subject.see(stick)
    #expect(subject.list([], unread: [stick.sysfsPath: flaw]) == [])
    #expect(subject.list([], unread: [stick.sysfsPath: nil]) == [])
    #expect(subject.take(subject.table.changes(of: stick.sysfsPath, flaw: flaw)) == [])
    #expect(subject.see(stick) == [])
    #expect(subject.list([]) == [.removed(stick.busID)])
  }

  @Test func tellsAFlawOnce() throws {
    let stick = try device("1-1")
    let events: [HotplugEvent] = [.skipped(path: stick.sysfsPath, flaw: flaw)]
    #expect(subject.list([], unread: [stick.sysfsPath: nil]) == [])
    #expect(subject.list([], unread: [stick.sysfsPath: flaw]) == events)
    #expect(subject.take(subject.table.changes(of: stick.sysfsPath, flaw: flaw)) == [])
    #expect(subject.see(stick) == [.added(stick)])
    #expect(subject.take(subject.table.changes(removing: stick.busID)) == [.removed(stick.busID)])
    #expect(subject.take(subject.table.changes(of: stick.sysfsPath, flaw: flaw)) == events)
  }

  @Test func tellsAgainWhatTheReaderDidNotTake() throws {
    let (first, second) = (try device("1-1"), try device("1-2"))
    let events = subject.table.changes(present: [first, second])
    #expect(events == [.added(first), .added(second)])
    subject.table.accept(events[0])
    #expect(subject.list([first, second]) == [.added(second)])
  }
}
