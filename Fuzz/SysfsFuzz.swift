// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import USBModel

/// What the kernel shows as text: status files of vhci_hcd, mount tables, paths, attributes of devices.
///
/// The kernel is honest, but the texts of a device are the device's, and paths are users'. What was understood
/// is in range, bounded and printable.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSysfs(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  // SAFETY: libFuzzer passes `count` readable bytes that live as long as this call.
  let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  checkPorts(text)
  checkMounts(text)
  checkPlace(text)
  checkRecord(text)
  return 0
}

private func checkPorts(_ text: String) {
  for port in VirtualPort.parse(status: text, controller: 1) {
    precondition(0...Int(UInt16.max) ~= port.number, "a port that no kernel has")
    precondition(port.localBusID == nil || port.state == .used, "a device on a port without one")
  }
}

private func checkMounts(_ text: String) {
  for mount in MountTable(text).mounts {
    precondition(mount.path.utf8.count <= 3 * text.utf8.count, "a path beyond its line")
  }
  let number = DeviceNumber(kind: .block, text)
  let again = number.map { DeviceNumber(kind: .block, "\($0.major):\($0.minor)") }
  precondition(again == nil || again == number, "another device")
}

private func checkPlace(_ text: String) {
  guard let place = SysfsPlace(text) else { return }
  precondition(text.hasPrefix(place.devicePath), "a place elsewhere")
  precondition(place.devicePath.hasSuffix("/\(place.busID)"), "another device")
  precondition(SysfsPlace(place.devicePath) == place, "a place that moves")
}

/// Lines of `attribute=text`; those with a colon before it are of an interface.
private func checkRecord(_ text: String) {
  var record = DeviceRecord(
    name: "", path: text, attributes: [:], properties: [:], interfaces: [])
  for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
    guard let sign = line.firstIndex(of: "=") else {
      record.name = String(line)
      continue
    }
    let (key, value) = (String(line[..<sign]), String(line[line.index(after: sign)...]))
    if key.hasPrefix(":") {
      if record.interfaces.isEmpty || key == ":" {
        record.interfaces.append(.init(name: value, attributes: [:], driver: nil))
      }
      record.interfaces[record.interfaces.count - 1].attributes[String(key.dropFirst())] = value
    } else if key.hasPrefix("ID_") {
      record.properties[key] = value
    } else {
      record.attributes[key] = value
    }
  }
  do throws(DeviceFlaw) {
    check(try record.device())
  } catch {
    if case .malformed(_, let text) = error { check(text) }
    if case .notBusID(let text) = error { check(text) }
  }
}

private func check(_ device: Device) {
  precondition(1...255 ~= device.busNumber && 1...255 ~= device.deviceNumber, "no address")
  for text in [
    device.manufacturer, device.product, device.serial, device.databaseVendor,
    device.databaseProduct,
  ] {
    guard let text else { continue }
    precondition(!text.isEmpty, "an empty text")
    check(text)
  }
  precondition(!device.name.isEmpty && !device.identity.isEmpty, "a device without a name")
}

private func check(_ text: String) {
  precondition(text.utf8.count <= DeviceRecord.maximumTextLength, "a text beyond the limit")
  for scalar in text.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator:
      preconditionFailure("what moves a cursor")
    default: continue
    }
  }
}
