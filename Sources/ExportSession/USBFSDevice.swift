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
  private var transfers: USBFSTransfers
  let descriptors: DeviceDescriptors
  private let state: USBFSControl

  private init(
    _ transfers: consuming USBFSTransfers, _ descriptors: DeviceDescriptors, _ state: USBFSControl
  ) {
    self.transfers = transfers
    self.descriptors = descriptors
    self.state = state
  }

  /// Takes over a claimed usbfs node; `configuration` is the active one, `usb` libusb made ready.
  ///
  /// Throws `SessionEnd`: `unreadableDevice`, or `hostFailed` where kernel or libusb refuse.
  static func open(
    _ node: consuming OwnedDescriptor, configuration: UInt8, slots: Int,
    usb: consuming USBContext
  ) throws(SessionEnd) -> USBFSDevice {
    let transfers = USBFSTransfers(node, capacity: slots)
    let descriptors = try read(transfers)
    do throws(USBError) {
      let handle = try USBDeviceHandle(wrapping: transfers.rawValue, in: usb)
      let state = try USBFSControl(handle, descriptors, configuration: configuration)
      return USBFSDevice(transfers, descriptors, state)
    } catch {
      throw .hostFailed(-error.negativeErrno)
    }
  }

  var pollDescriptor: Int32 { transfers.rawValue }
  var pollReadiness: Epoll.Readiness { .output }
  var control: any DeviceControl { state }

  mutating func shareMemory(byteCount: Int) -> UnsafeMutableRawBufferPointer? {
    transfers.map(byteCount: byteCount)
  }

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
}
