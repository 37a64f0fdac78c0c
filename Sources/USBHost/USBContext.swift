// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLibUSB

/// libusb's own state, which looks for no devices and starts no thread.
///
/// Making one looks at /dev/bus/usb, /sys and the kernel's version, and opens two descriptors, an
/// event counter and a timer; using it later needs no path.
@safe public struct USBContext: ~Copyable, @unchecked Sendable {
  // SAFETY: from libusb, freed exactly once in `deinit`; libusb locks its own state.
  let pointer: OpaquePointer

  /// Throws `USBError`: `other` where this machine has no usbfs.
  public init() throws(USBError) {
    _ = USBContext.optionsSet
    var context: OpaquePointer?
    // SAFETY: libusb sets the pointer where it answers 0.
    let result = unsafe libusb_init(&context)
    guard result == 0 else { throw USBError.code(result) }
    guard let context = unsafe context else { throw .noMemory }
    unsafe pointer = context
  }

  deinit {
    // SAFETY: set in `init`, used nowhere after this; handles own their context and end before it.
    unsafe libusb_exit(pointer)
  }

  /// Once for the process: contexts made later look for no devices.
  private static let optionsSet: Void = clibusb_no_device_discovery()
}
