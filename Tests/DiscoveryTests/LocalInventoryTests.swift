// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBModel

@testable import Discovery

private func device(
  _ busID: String, name: String = "Stick", state: TXTRecord.State = .available,
  port: UInt16 = 3240, id: String? = nil
) throws -> PublishedDevice {
  PublishedDevice(
    port: port,
    record: try TXTRecord(
      busID: try #require(BusID(busID)), id: id ?? "0781:5567@\(busID)",
      vendorProduct: VendorProduct(vendor: 0x0781, product: 0x5567), classCode: ClassCode(0),
      state: state, user: "NOBODY", agent: "5f1d", name: name))
}

/// An inventory that `#expect` may change.
private final class Subject {
  var inventory = LocalInventory()

  func wish(_ devices: [PublishedDevice]) { inventory.wish(devices) }

  /// Does what is to be done and says what it was.
  func done(host: String = "alpha") -> [String] {
    inventory.steps(host: host).map { step in
      switch step {
      case .remove(let busID):
        inventory.stands(busID, as: nil)
        return "remove \(busID)"
      case .put(let busID, let standing):
        inventory.stands(busID, as: standing)
        return "put \(standing.name) \(standing.port)"
      case .updateText(let busID, let standing):
        inventory.stands(busID, as: standing)
        return "text \(standing.name)"
      }
    }
  }
}

@Suite struct LocalInventoryTests {
  private let inventory = Subject()

  @Test func doesTheSameWishOnce() throws {
    inventory.wish([try device("1-2"), try device("1-1")])
    #expect(inventory.done() == ["put Stick on alpha (1-1) 3240", "put Stick on alpha (1-2) 3240"])
    inventory.wish([try device("1-1"), try device("1-2")])
    #expect(inventory.done() == [])
  }

  @Test func changesOnlyTheTextWhereOnlyTheTextIsDifferent() throws {
    inventory.wish([try device("1-1")])
    _ = inventory.done()
    inventory.wish([try device("1-1", state: .inUse)])
    #expect(inventory.done() == ["text Stick on alpha (1-1)"])
    inventory.wish([try device("1-1", state: .inUse, port: 3241)])
    #expect(inventory.done() == ["put Stick on alpha (1-1) 3241"])
  }

  @Test func keepsTheNameWhenTheRecordSaysAnother() throws {
    inventory.wish([try device("1-1")])
    _ = inventory.done()
    inventory.wish([try device("1-1", name: "SanDisk Stick")])
    #expect(inventory.done() == ["text Stick on alpha (1-1)"])
  }

  @Test func namesAnotherDeviceInTheSamePlaceAnew() throws {
    inventory.wish([try device("1-1")])
    _ = inventory.done()
    inventory.wish([try device("1-1", name: "Camera", id: "04a9:1234/7")])
    #expect(inventory.done() == ["put Camera on alpha (1-1) 3240"])
  }

  @Test func removesWhatIsNotWished() throws {
    inventory.wish([try device("1-1"), try device("1-2")])
    _ = inventory.done()
    inventory.wish([try device("1-2"), try device("1-3")])
    #expect(inventory.done() == ["remove 1-1", "put Stick on alpha (1-3) 3240"])
    inventory.wish([])
    #expect(inventory.done() == ["remove 1-2", "remove 1-3"])
  }

  @Test func keepsTheAlternativeName() throws {
    inventory.wish([try device("1-1")])
    _ = inventory.done()
    inventory.inventory.collided(try #require(BusID("1-1")))
    #expect(inventory.done() == ["put Stick on alpha (1-1) #2 3240"])
    inventory.inventory.withdrawn()
    inventory.wish([try device("1-1", state: .inUse)])
    #expect(inventory.done() == ["put Stick on alpha (1-1) #2 3240"])
    inventory.wish([])
    _ = inventory.done()
    inventory.wish([try device("1-1")])
    #expect(inventory.done() == ["put Stick on alpha (1-1) 3240"])
  }

  @Test func announcesAnewUnderAnotherHostName() throws {
    inventory.wish([try device("1-1")])
    _ = inventory.done()
    #expect(inventory.done(host: "gamma") == ["put Stick on gamma (1-1) 3240"])
    #expect(inventory.done(host: "gamma") == [])
  }

  @Test func putsAgainWhatFell() throws {
    inventory.wish([try device("1-1")])
    _ = inventory.done()
    inventory.inventory.stands(try #require(BusID("1-1")), as: nil)
    #expect(inventory.done() == ["put Stick on alpha (1-1) 3240"])
  }

  @Test func countsTheLastOfTwoAndLeavesOutTooMany() throws {
    inventory.wish([try device("1-1", port: 1), try device("1-1", port: 2)])
    #expect(inventory.done() == ["put Stick on alpha (1-1) 2"])
    inventory.wish(try (1...300).map { try device("\($0)-1") })
    let put = inventory.done().filter { $0.hasPrefix("put") }
    #expect(put.count == LocalInventory.maximumDevices)
  }
}
