// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors
// STAND-IN
private import CLibUSB

public enum USBError: Error, Equatable { case code(Int32) }

@safe public struct USBDeviceHandle: ~Copyable {
  private let context: OpaquePointer?
  private let handle: OpaquePointer?
  public init(wrapping descriptor: Int32) throws(USBError) {
    clibusb_no_device_discovery()
    var c: OpaquePointer? = nil
    let r = unsafe libusb_init(&c)
    guard r == 0 else { throw .code(r) }
    var h: OpaquePointer? = nil
    let r2 = unsafe libusb_wrap_sys_device(c, Int(descriptor), &h)
    guard r2 == 0 else { unsafe libusb_exit(c); throw .code(r2) }
    unsafe context = c
    unsafe handle = h
  }
  deinit { unsafe libusb_close(handle); unsafe libusb_exit(context) }
  private func check(_ r: Int32) throws(USBError) { if r != 0 { throw .code(r) } }
  public borrowing func claim(_ i: UInt8) throws(USBError) { try check(unsafe libusb_claim_interface(handle, Int32(i))) }
  public borrowing func claim(interface i: UInt8) throws(USBError) { try claim(i) }
  public borrowing func detachKernelDriver(interface i: UInt8) throws(USBError) {
    let r = unsafe libusb_detach_kernel_driver(handle, Int32(i)); if r != -5 { try check(r) } }
  public borrowing func attachKernelDriver(interface i: UInt8) throws(USBError) { try check(unsafe libusb_attach_kernel_driver(handle, Int32(i))) }
  public borrowing func release(_ i: UInt8) throws(USBError) { try check(unsafe libusb_release_interface(handle, Int32(i))) }
  public borrowing func setConfiguration(_ v: UInt8) throws(USBError) { try check(unsafe libusb_set_configuration(handle, Int32(v))) }
  public borrowing func setAlternate(_ i: UInt8, _ a: UInt8) throws(USBError) { try check(unsafe libusb_set_interface_alt_setting(handle, Int32(i), Int32(a))) }
  public borrowing func clearHalt(_ e: UInt8) throws(USBError) { try check(unsafe libusb_clear_halt(handle, e)) }
  public borrowing func reset() throws(USBError) { try check(unsafe libusb_reset_device(handle)) }
}

