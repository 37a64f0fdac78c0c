// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Synchronization
internal import USBHost
internal import USBModel

/// The state of a real device, changed through libusb.
///
/// The usbfs descriptor below its handle belongs to `USBFSDevice`, which the session keeps until the
/// last call here has ended.
final class USBFSControl: DeviceControl {
  private let handle: USBDeviceHandle
  private let descriptors: DeviceDescriptors
  /// Follows configuration and altsettings, for what has to be claimed and restored.
  private let table: Mutex<EndpointTable>

  /// Claims the interfaces of `configuration`, the active one; throws `USBError`.
  init(
    _ handle: consuming USBDeviceHandle, _ descriptors: DeviceDescriptors, configuration: UInt8
  ) throws(USBError) {
    let table = EndpointTable(descriptors: descriptors, configuration: configuration)
    try USBFSControl.claim(table, handle)
    self.handle = handle
    self.descriptors = descriptors
    self.table = Mutex(table)
  }

  func setConfiguration(_ value: UInt8) -> Int32 {
    let before = table.withLock { $0 }
    do throws(USBError) {
      // usbfs refuses with EBUSY while any interface is claimed, even for the same value.
      for interface in before.interfaceNumbers { try? handle.release(interface) }
      do throws(USBError) {
        try handle.setConfiguration(value)
      } catch {
        try USBFSControl.claim(before, handle)
        throw error
      }
      let after = EndpointTable(descriptors: descriptors, configuration: value)
      table.withLock { $0 = after }
      try USBFSControl.claim(after, handle)
      return 0
    } catch {
      return error.negativeErrno
    }
  }

  func setInterface(_ number: UInt8, alternate: UInt8) -> Int32 {
    do throws(USBError) {
      try handle.setAlternate(number, alternate)
      table.withLock { _ = $0.select(interface: number, alternate: alternate) }
      return 0
    } catch {
      return error.negativeErrno
    }
  }

  func clearHalt(endpointAddress: UInt8) -> Int32 {
    do throws(USBError) {
      try handle.clearHalt(endpointAddress)
      return 0
    } catch {
      return error.negativeErrno
    }
  }

  func reset() -> Int32 {
    let table = table.withLock { $0 }
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

  private static func claim(
    _ table: EndpointTable, _ handle: borrowing USBDeviceHandle
  ) throws(USBError) {
    for interface in table.interfaceNumbers { try handle.claim(interface) }
  }
}
