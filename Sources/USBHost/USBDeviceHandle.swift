// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLibUSB
private import Glibc

/// What changes the state of a device, through libusb on a usbfs descriptor that somebody else opened.
///
/// No transfer and no event function of libusb is ever called: whoever owns the descriptor reaps its
/// own URBs there. Each handle has a context of its own. Calls block until the device has answered, a
/// reset up to seconds; errors are `USBError`, with `noDevice` after an unplug.
///
/// Claims belong to the descriptor, not to the handle: they end with `release` or with the last
/// copy of the descriptor. A handle in another process claims again to know of them, which the
/// kernel allows on the same open descriptor.
@safe public struct USBDeviceHandle: ~Copyable, @unchecked Sendable {
  // SAFETY: from libusb, freed exactly once, in `deinit`, before the context is; libusb locks its own
  // state, so that handles may be used from any thread (libusb.info, "Multi-threaded applications").
  private let handle: OpaquePointer
  private let context: USBContext
  /// Borrowed; the caller keeps it open as long as this value lives.
  private let descriptor: Int32

  /// Wraps a usbfs descriptor that the caller keeps open, opened for reading and writing.
  ///
  /// Throws `USBError` where it is not open or no USB device, or libusb finds no usbfs.
  public init(wrapping descriptor: Int32) throws(USBError) {
    try self.init(wrapping: descriptor, in: try USBContext())
  }

  /// The same in a context that was made before.
  public init(wrapping descriptor: Int32, in context: consuming USBContext) throws(USBError) {
    var newHandle: OpaquePointer?
    // SAFETY: libusb sets the pointer where it answers 0; the number is only used for ioctls and
    // never closed by libusb.
    let result = unsafe libusb_wrap_sys_device(context.pointer, Int(descriptor), &newHandle)
    guard result == 0, let handle = unsafe newHandle else { throw USBError.code(result) }
    unsafe self.handle = handle
    self.context = context
    self.descriptor = descriptor
  }

  deinit {
    // SAFETY: set in `init`, used nowhere after this.
    unsafe libusb_close(handle)
  }

  /// bConfigurationValue of the active configuration; 0 while unconfigured.
  public var activeConfiguration: UInt8 {
    get throws(USBError) {
      var value: Int32 = 0
      try USBDeviceHandle.check(unsafe libusb_get_configuration(handle, &value))
      return UInt8(truncatingIfNeeded: max(0, value))
    }
  }

  /// The device descriptor and all configurations, raw, little-endian, read from the descriptor.
  public borrowing func descriptors() throws(USBError) -> [UInt8] {
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while content.count < USBDeviceHandle.maximumDescriptorsLength {
      // SAFETY: pread fills at most `count` bytes; the file position, which is shared, stays.
      let count = unsafe pread(descriptor, &chunk, chunk.count, content.count)
      if count == 0 { break }
      if count > 0 {
        content.append(contentsOf: chunk.prefix(count))
      } else if errno == ENODEV {
        throw .noDevice
      } else if errno != EINTR {
        throw .inputOutput
      }
    }
    return content
  }

  /// Claims an interface, taking it from its kernel driver in the same step where asked to.
  ///
  /// Throws `busy` where a driver (not taken) or another program has it, `notFound` where the active
  /// configuration has no such interface.
  public borrowing func claim(
    interface number: UInt8, detachingKernelDriver: Bool
  ) throws(USBError) {
    guard detachingKernelDriver else { return try claim(number) }
    try USBDeviceHandle.check(unsafe libusb_set_auto_detach_kernel_driver(handle, 1))
    // Off again, or releasing would give the interface back to the driver by itself.
    defer { unsafe _ = libusb_set_auto_detach_kernel_driver(handle, 0) }
    try claim(number)
  }

  /// Claims an interface that no kernel driver has.
  public borrowing func claim(_ interface: UInt8) throws(USBError) {
    try USBDeviceHandle.check(unsafe libusb_claim_interface(handle, Int32(interface)))
  }

  /// Claims an interface that no kernel driver has.
  public borrowing func claim(interface number: UInt8) throws(USBError) {
    try claim(number)
  }

  /// Ends a claim made through this handle; `notFound` where there is none.
  public borrowing func release(_ interface: UInt8) throws(USBError) {
    try USBDeviceHandle.check(unsafe libusb_release_interface(handle, Int32(interface)))
  }

  /// Takes an interface from its kernel driver; nothing happens where it has none.
  public borrowing func detachKernelDriver(interface number: UInt8) throws(USBError) {
    let result = unsafe libusb_detach_kernel_driver(handle, Int32(number))
    if USBError.code(result) != .notFound { try USBDeviceHandle.check(result) }
  }

  /// Lets the kernel find a driver for a released interface; nothing happens where none fits.
  ///
  /// Throws `busy` while the interface is claimed, `noDevice` after an unplug.
  public borrowing func attachKernelDriver(interface number: UInt8) throws(USBError) {
    let result = unsafe libusb_attach_kernel_driver(handle, Int32(number))
    if USBError.code(result) != .notFound { try USBDeviceHandle.check(result) }
  }

  /// Sets a configuration by bConfigurationValue; 0 makes the device unconfigured.
  ///
  /// Throws `busy` while any interface is claimed, `notFound` where there is no such configuration.
  public borrowing func setConfiguration(_ value: UInt8) throws(USBError) {
    // libusb takes -1 for "unconfigured", because some devices have a configuration 0.
    let number = value == 0 ? -1 : Int32(value)
    try USBDeviceHandle.check(unsafe libusb_set_configuration(handle, number))
  }

  /// Sets the altsetting of a claimed interface, which kills its URBs.
  ///
  /// Throws `notFound` where there is no such altsetting, or the interface is not claimed.
  public borrowing func setInterface(_ number: UInt8, alternate: UInt8) throws(USBError) {
    let result = unsafe libusb_set_interface_alt_setting(handle, Int32(number), Int32(alternate))
    try USBDeviceHandle.check(result)
  }

  /// As `setInterface(_:alternate:)`.
  public borrowing func setAlternate(_ number: UInt8, _ alternate: UInt8) throws(USBError) {
    try setInterface(number, alternate: alternate)
  }

  /// Clears the halt of an endpoint and sets its data toggle back; bit 7 of the address is IN.
  ///
  /// No URB may be pending on the endpoint. Throws `notFound` where there is no such endpoint.
  public borrowing func clearHalt(_ endpointAddress: UInt8) throws(USBError) {
    try USBDeviceHandle.check(unsafe libusb_clear_halt(handle, endpointAddress))
  }

  /// Resets the device; claims made through this handle are renewed, altsettings are 0 after it.
  ///
  /// Takes seconds. Throws `notFound` or `noDevice` where the device came back as another one: the
  /// handle is of no use then.
  public borrowing func reset() throws(USBError) {
    try USBDeviceHandle.check(unsafe libusb_reset_device(handle))
  }

  /// A device descriptor and 8 configurations of 64 KiB; no device has nearly as much.
  private static let maximumDescriptorsLength = 18 + 8 * 65535

  private static func check(_ result: Int32) throws(USBError) {
    if result < 0 { throw USBError.code(result) }
  }
}
