// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBHost

@Suite struct USBErrorTests {
  /// The table of libusb.h 1.0.26, `enum libusb_error`.
  @Test(arguments: [
    (-1, USBError.inputOutput, "LIBUSB_ERROR_IO"),
    (-2, .invalidParameter, "LIBUSB_ERROR_INVALID_PARAM"),
    (-3, .access, "LIBUSB_ERROR_ACCESS"),
    (-4, .noDevice, "LIBUSB_ERROR_NO_DEVICE"),
    (-5, .notFound, "LIBUSB_ERROR_NOT_FOUND"),
    (-6, .busy, "LIBUSB_ERROR_BUSY"),
    (-7, .timeout, "LIBUSB_ERROR_TIMEOUT"),
    (-8, .overflow, "LIBUSB_ERROR_OVERFLOW"),
    (-9, .pipe, "LIBUSB_ERROR_PIPE"),
    (-10, .interrupted, "LIBUSB_ERROR_INTERRUPTED"),
    (-11, .noMemory, "LIBUSB_ERROR_NO_MEM"),
    (-12, .notSupported, "LIBUSB_ERROR_NOT_SUPPORTED"),
    (-13, .other(-13), "LIBUSB_ERROR_OTHER (-13)"),
    (-99, .other(-99), "LIBUSB_ERROR_OTHER (-99)"),
    (Int32.min, .other(Int32.min), "LIBUSB_ERROR_OTHER (-2147483648)"),
  ])
  func `numbers and names are libusb's`(number: Int32, error: USBError, name: String) {
    #expect(USBError.code(number) == error)
    #expect(error.code == number)
    #expect(error.description == name)
  }

  @Test func `errno for the wire`() {
    #expect(USBError.noDevice.negativeErrno == -19)
    #expect(USBError.pipe.negativeErrno == -32)
    #expect(USBError.busy.negativeErrno == -16)
    #expect(USBError.notFound.negativeErrno == -2)
    #expect(USBError.code(-1234).negativeErrno == -5)
  }

  @Test func `a pattern by number matches`() {
    let error = USBError.noDevice
    switch error {
    case .code(-4): break
    default: Issue.record("did not match")
    }
  }
}
