// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import TestSupport
import Testing

@Suite struct SelectorTests {
  let mouse = DeviceSamples.mouseStatus
  let optical = DeviceSamples.opticalStatus
  let disk = DeviceSamples.mountedStatus

  var devices: [DeviceStatus] { [mouse, optical, disk] }

  @Test(arguments: [
    ("2", 2), ("12", 12),
    ("1-1@alpha", 3), ("1-1@ALPHA", 3), ("1-1@10.9.0.1", 3), ("1-1.2@beta", 12),
    ("gamma/Logitech M4848", 2), ("GAMMA/logitech m4848", 2), ("gamma/M48", 2),
    ("10.9.0.3/Logitech M4848", 2),
    ("Logitech M4848", 2), ("logitech m4848", 2), ("Optical", 3), ("cruzer", 12),
    ("046d:c00c", 2), ("046D:C00C", 2), ("0781:5567", 12),
    ("0A1B2C", 3), ("4C530001", 12),
  ])
  func everyFormFindsItsDevice(text: String, id: Int) throws {
    #expect(try Selector.find(text, in: devices).id == id)
  }

  @Test(arguments: [
    "", "1", "99", "-2", "2-3@alpha", "2-3@", "@gamma", "1-1.2@", "@", "/", "/Cruzer", "beta/",
    "delta/Cruzer", "gamma/Cruzer", "046d", "046d:", "0a1b2c", "99999999999999999999",
    "printer", " ",
  ])
  func whatNamesNothingIsUnknown(text: String) throws {
    // A space is part of two names and no device is meant by it; the others match nothing at all.
    let error = try #require(throws: AgentError.self) {
      _ = try Selector.find(text, in: devices)
    }
    #expect(error.kind == (text == " " ? .ambiguousDevice : .unknownDevice))
    #expect(!error.hint.isEmpty)
  }

  @Test func anIDWinsOverANameAndASerialOfTheSameDigits() throws {
    var named = mouse
    named.id = 7
    named.name = "3"
    var numbered = disk
    numbered.serial = "3"
    #expect(try Selector.find("3", in: [named, numbered, optical]).id == 3)
    // Without that ID the name decides, and without the name the serial number.
    #expect(try Selector.find("3", in: [named, numbered]).id == 7)
    #expect(try Selector.find("3", in: [mouse, numbered]).id == 12)
  }

  @Test func aGivenNameWinsOverWhatOthersCallThemselves() throws {
    var renamed = mouse
    renamed.deviceName = mouse.name
    renamed.name = optical.name
    #expect(try Selector.find(optical.name, in: [optical, renamed]).id == mouse.id)
    #expect(try Selector.find(optical.name.uppercased(), in: [optical, renamed]).id == mouse.id)
    // Its own name still names it, whole and in part.
    for text in [mouse.name, "m4848", "gamma/\(mouse.name)", "gamma/m48"] {
      #expect(try Selector.find(text, in: [optical, renamed]).id == mouse.id)
    }
  }

  @Test func anAttachedDeviceIsMeantAndNotWhatItLooksLikeHere() throws {
    var copy = disk
    copy.id = 31
    copy.host = "beta"
    copy.busID = "3-1"
    copy.isLocal = true
    copy.isImported = true
    for text in ["4C530001", "0781:5567", "cruzer", disk.name] {
      #expect(try Selector.find(text, in: [copy, disk]).id == disk.id)
    }
    // Asked for by what only it has, the copy is found.
    #expect(try Selector.find("31", in: [copy, disk]).id == 31)
    #expect(try Selector.find("3-1@beta", in: [copy, disk]).id == 31)
  }

  @Test func aWholeNameWinsOverAPartOfOne() throws {
    var short = mouse
    short.id = 8
    short.name = "Logitech"
    #expect(try Selector.find("logitech", in: [mouse, short]).id == 8)
    #expect(try Selector.find("gamma/logitech", in: [mouse, short]).id == 8)
  }

  @Test func aNameWithASlashIsFoundAsAName() throws {
    var printer = mouse
    printer.name = "Epson LQ/2"
    #expect(try Selector.find("Epson LQ/2", in: [printer, optical]).id == 2)
    #expect(try Selector.find("gamma/Epson LQ/2", in: [printer, optical]).id == 2)
  }

  @Test func aNameWithAnAtSignIsFoundAsAName() throws {
    var reader = mouse
    reader.name = "Reader@Home"
    #expect(try Selector.find("reader@home", in: [reader, optical]).id == 2)
  }

  @Test(arguments: ["Logitech M4848", "Logitech", "046d:c00c", "M4848"])
  func whatNamesSeveralListsThemAll(text: String) throws {
    var twin = mouse
    twin.id = 9
    twin.host = "alpha"
    twin.address = "10.9.0.1"
    let error = try #require(throws: AgentError.self) {
      _ = try Selector.find(text, in: [mouse, optical, twin])
    }
    #expect(error.kind == .ambiguousDevice)
    #expect(error.candidates.map(\.id) == [2, 9])
    #expect(error.message.contains(text))
    #expect(error.hint.contains("ID"))
    #expect(try Selector.find("alpha/\(mouse.name)", in: [mouse, optical, twin]).id == 9)
  }

  @Test func theSameBusIDOnTwoHostsIsToldApart() throws {
    var twin = optical
    twin.id = 9
    twin.host = "delta"
    twin.address = "10.9.0.4"
    #expect(try Selector.find("1-1@delta", in: [optical, twin]).id == 9)
    #expect(try Selector.find("1-1@10.9.0.1", in: [optical, twin]).id == 3)
  }

  @Test func anAddressOfVersionSixIsAHostToo() throws {
    var far = optical
    far.address = "fe80::1"
    #expect(try Selector.find("1-1@fe80::1", in: [far, mouse]).id == 3)
    #expect(try Selector.find("1-1@FE80::1", in: [far, mouse]).id == 3)
  }
}
