// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import LinuxHost
public import USBModel

/// One transfer as it is handed to a device.
public struct Transfer {
  /// How the endpoint transfers.
  public var type: TransferType
  /// The endpoint number, with the direction in bit 7 (set: IN).
  public var endpointAddress: UInt8
  /// A short read is an error (IN only).
  public var shortNotOK: Bool
  /// End with an empty packet (bulk and interrupt OUT only).
  public var zeroPacket: Bool
  /// Where the data is or goes; for a control transfer the 8 setup bytes come first.
  ///
  /// The session keeps it in place until the transfer is reaped.
  public var buffer: UnsafeMutableRawPointer
  /// Bytes at `buffer`, the setup bytes included.
  public var length: Int

  /// The packets of an isochronous transfer in the form of the wire, else empty.
  ///
  /// Only their lengths count: their data lies at `buffer` without gaps, in this order.
  public var packets = UnsafeRawBufferPointer(start: nil, count: 0)
  /// True where nobody waits for this transfer, only for one that follows at once.
  public var noInterrupt = false

  /// Takes the parts that every transfer has.
  public init(
    type: TransferType, endpointAddress: UInt8, shortNotOK: Bool, zeroPacket: Bool,
    buffer: UnsafeMutableRawPointer, length: Int
  ) {
    self.type = type
    self.endpointAddress = endpointAddress
    self.shortNotOK = shortNotOK
    self.zeroPacket = zeroPacket
    self.buffer = buffer
    self.length = length
  }
}

/// What `URBDevice.reap()` found.
public enum ReapedTransfer: Equatable, Sendable {
  /// A transfer has ended: status 0 or a negative errno, and the data bytes that moved.
  case completed(slot: Int, status: Int32, actualLength: Int)
  /// None has ended.
  case nothing
  /// No transfer will end any more: a negative errno, -ENODEV once the device is gone.
  case failed(Int32)
}

/// What became of one isochronous packet.
public struct TransferredPacket: Equatable, Sendable {
  /// Bytes that moved.
  public var actualLength: Int
  /// 0 or a negative errno.
  public var status: Int32

  /// Takes both.
  public init(actualLength: Int, status: Int32) {
    self.actualLength = actualLength
    self.status = status
  }
}

/// The seam between the URB phase and a device: the kernel's usbfs, or a virtual device of the tests.
///
/// All calls come from the session's one thread, those of `control` excepted. Numbers are 0 or a negative errno, as usbfs gives
/// them; none of the calls may allocate once the device has carried a few transfers.
public protocol URBDevice: ~Copyable {
  /// The descriptors of the device; they do not change while it is imported.
  var descriptors: DeviceDescriptors { get }
  /// The descriptor that tells when `reap()` has something.
  var pollDescriptor: Int32 { get }
  /// What it is then ready for.
  var pollReadiness: Epoll.Readiness { get }
  /// The calls that change the device's state.
  var control: any DeviceControl { get }

  /// Memory that the device reads and writes without a copy in between; called once at most.
  ///
  /// It belongs to the device and lives as long. Nil where there is none, or it would be slow.
  mutating func shareMemory(byteCount: Int) -> UnsafeMutableRawBufferPointer?

  /// Starts `transfer` under the name `slot`; where the result is 0 it is reaped exactly once.
  mutating func submit(_ transfer: Transfer, slot: Int) -> Int32
  /// Cancels the transfer `slot` and waits for its end; it is still to be reaped.
  mutating func discard(slot: Int)
  /// What became of one packet of the isochronous transfer `slot`; between reaping it and submitting
  /// another one under this name.
  func packet(_ index: Int, slot: Int) -> TransferredPacket
  /// Takes one ended transfer, in the order of their ends.
  mutating func reap() -> ReapedTransfer
}
