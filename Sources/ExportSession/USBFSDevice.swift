// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import LinuxHost
internal import SystemPackage
internal import USBHost
internal import USBIPWire
internal import USBModel

/// A real device: its transfers go straight to usbfs, what changes its state goes through libusb.
///
/// libusb's handle wraps the same descriptor and carries no transfer, so nothing of ours is reaped
/// by it. The interfaces arrive claimed by the agent; claiming them again tells libusb of them.
struct USBFSDevice: URBDevice, ~Copyable {
  private let handle: USBDeviceHandle
  private let transfers: USBFSTransfers
  let descriptors: DeviceDescriptors
  /// Follows configuration and altsettings, for what has to be claimed and restored.
  private var table: EndpointTable

  private init(
    _ handle: consuming USBDeviceHandle, _ transfers: consuming USBFSTransfers,
    _ descriptors: DeviceDescriptors, _ table: EndpointTable
  ) {
    self.handle = handle
    self.transfers = transfers
    self.descriptors = descriptors
    self.table = table
  }

  /// Takes over a claimed usbfs node; `configuration` is the active one.
  ///
  /// Throws `SessionEnd`: `unreadableDevice`, or `hostFailed` where kernel or libusb refuse.
  static func open(
    _ node: consuming OwnedDescriptor, configuration: UInt8, slots: Int
  ) throws(SessionEnd) -> USBFSDevice {
    let transfers = USBFSTransfers(node, capacity: slots)
    let descriptors = try read(transfers)
    let table = EndpointTable(descriptors: descriptors, configuration: configuration)
    do throws(USBError) {
      let handle = try USBDeviceHandle(wrapping: transfers.rawValue)
      try claim(table, handle)
      return USBFSDevice(handle, transfers, descriptors, table)
    } catch {
      throw .hostFailed(-error.negativeErrno)
    }
  }

  var pollDescriptor: Int32 { transfers.rawValue }
  var pollReadiness: Epoll.Readiness { .output }

  mutating func submit(_ transfer: Transfer, slot: Int) -> Int32 {
    let kind: USBFSTransfers.Kind =
      switch transfer.type {
      case .control: .control
      case .isochronous: .isochronous
      case .bulk: .bulk
      case .interrupt: .interrupt
      }
    var flags: USBFSTransfers.Flags = []
    if transfer.shortNotOK { flags.insert(.shortNotOK) }
    if transfer.zeroPacket { flags.insert(.zeroPacket) }
    if transfer.noInterrupt { flags.insert(.noInterrupt) }
    let packets = transfer.packets.count / IsochronousPacket.size
    if packets > 0 { flags.insert(.isochronousASAP) }
    for index in 0..<packets {
      let packet = IsochronousPacket.decode(transfer.packets, index: index)
      transfers.setPacket(index, slot: slot, length: Int(packet.length))
    }
    return transfers.submit(
      slot: slot, kind: kind, endpoint: transfer.endpointAddress, flags: flags,
      buffer: transfer.buffer, length: transfer.length, packets: packets)
  }

  func packet(_ index: Int, slot: Int) -> TransferredPacket {
    let packet = transfers.packet(index, slot: slot)
    return TransferredPacket(actualLength: packet.actualLength, status: packet.status)
  }

  mutating func discard(slot: Int) {
    // EINVAL: it had completed by itself, which reaping tells.
    transfers.discard(slot: slot)
  }

  mutating func reap() -> ReapedTransfer {
    switch transfers.reap() {
    case .completed(let slot, let status, let actualLength):
      .completed(slot: slot, status: status, actualLength: actualLength)
    case .nothing: .nothing
    case .failed(let code): .failed(code)
    }
  }

  mutating func setConfiguration(_ value: UInt8) -> Int32 {
    do throws(USBError) {
      // usbfs refuses with EBUSY while any interface is claimed, even for the same value.
      for interface in table.interfaceNumbers { try? handle.release(interface) }
      do throws(USBError) {
        try handle.setConfiguration(value)
      } catch {
        try USBFSDevice.claim(table, handle)
        throw error
      }
      table = EndpointTable(descriptors: descriptors, configuration: value)
      try USBFSDevice.claim(table, handle)
      return 0
    } catch {
      return error.negativeErrno
    }
  }

  mutating func setInterface(_ number: UInt8, alternate: UInt8) -> Int32 {
    do throws(USBError) {
      try handle.setAlternate(number, alternate)
      _ = table.select(interface: number, alternate: alternate)
      return 0
    } catch {
      return error.negativeErrno
    }
  }

  mutating func clearHalt(endpointAddress: UInt8) -> Int32 {
    do throws(USBError) {
      try handle.clearHalt(endpointAddress)
      return 0
    } catch {
      return error.negativeErrno
    }
  }

  mutating func reset() -> Int32 {
    do throws(USBError) {
      // Releases, resets and claims again; the altsettings are back to 0 then.
      try handle.reset()
      for interface in table.interfaceNumbers {
        guard let alternate = table.alternate(of: interface), alternate != 0 else { continue }
        try handle.setAlternate(interface, alternate)
      }
      return 0
    } catch .notFound {
      // Came back as another device, or without what it had: this one is gone (libusb_reset_device).
      return USBError.noDevice.negativeErrno
    } catch {
      return error.negativeErrno
    }
  }

  private static func read(
    _ transfers: borrowing USBFSTransfers
  ) throws(SessionEnd) -> DeviceDescriptors {
    let bytes: [UInt8]
    do throws(HostError) {
      bytes = try transfers.descriptors()
    } catch {
      throw .hostFailed(error.code.rawValue)
    }
    do throws(DescriptorError) {
      return try DeviceDescriptors(parsing: bytes)
    } catch {
      throw .unreadableDevice
    }
  }

  private static func claim(
    _ table: EndpointTable, _ handle: borrowing USBDeviceHandle
  ) throws(USBError) {
    for interface in table.interfaceNumbers { try handle.claim(interface) }
  }
}
