// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
private import Glibc
internal import SystemPackage

/// The transfers of one open usbfs node: a fixed number of URB blocks, named by their slot.
///
/// The kernel writes into a block until it is reaped, so the blocks never move. Nothing here
/// allocates after init; answers are plain numbers because they sit on the path of every URB.
/// Source: <linux/usbdevice_fs.h> and drivers/usb/core/devio.c.
@safe
public struct USBFSTransfers: ~Copyable {
  /// What kind of transfer a block carries; the raw value is usbfs's own number.
  public enum Kind: UInt8, Sendable {
    case isochronous = 0
    case interrupt = 1
    case control = 2
    case bulk = 3
  }

  /// The flags this program uses (USBDEVFS_URB_*).
  public struct Flags: OptionSet, Sendable {
    /// The bits.
    public let rawValue: UInt32

    /// Takes the bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// A short read is an error, -EREMOTEIO (IN only).
    public static let shortNotOK = Flags(rawValue: 0x01)
    /// Start in the next free frame (isochronous only; usbfs does so in any case).
    public static let isochronousASAP = Flags(rawValue: 0x02)
    /// End with an empty packet where the length is a multiple of the packet size (OUT only).
    public static let zeroPacket = Flags(rawValue: 0x40)
    /// The controller may stay silent about the end (a hint).
    public static let noInterrupt = Flags(rawValue: 0x80)
  }

  /// What reaping found.
  public enum Reaped: Sendable {
    /// A block is ours again: status 0 or a negative errno, and the bytes that moved.
    case completed(slot: Int, status: Int32, actualLength: Int)
    /// Nothing has completed.
    case nothing
    /// No more can be reaped: a negative errno, -ENODEV once the device is gone.
    case failed(Int32)
  }

  /// Packets of one isochronous block (MAX_ISO_PACKETS of usbfs, drivers/usb/core/devio.c).
  public static let maximumPackets = 128

  /// The longest content `descriptors()` reads: a device descriptor and eight whole configurations
  /// (USB_MAXCONFIG, drivers/usb/core/config.c).
  public static let maximumDescriptorLength = 18 + 8 * 65_535

  /// Bytes of the smallest mapping that is worth its upkeep.
  private static let smallestMapping = 256 * 1024

  private let descriptor: OwnedDescriptor
  private let blocks: UnsafeMutableRawPointer
  private let stride: Int
  private let capacity: Int
  private var mapped = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)

  /// Takes over an open usbfs node and makes `capacity` blocks for it.
  public init(_ descriptor: consuming OwnedDescriptor, capacity: Int) {
    self.descriptor = descriptor
    self.capacity = capacity
    stride = Int(clinux_usbfs_urb_size(Int32(USBFSTransfers.maximumPackets)))
    // calloc gives pages that exist once they are touched: most blocks never carry packets.
    guard let blocks = unsafe calloc(capacity, stride) else {
      preconditionFailure("no memory for a session")
    }
    unsafe self.blocks = blocks
  }

  deinit {
    // SAFETY: the owner has reaped all blocks, or closes the node before it reaps again; a closed
    // node writes to no block (usbdev_release frees the kernel's side without touching ours).
    unsafe free(blocks)
    // SAFETY: mapped below, and never before; whoever used it is gone with the owner. The kernel keeps
    // what a transfer still uses.
    if let start = unsafe mapped.baseAddress { _ = unsafe munmap(start, mapped.count) }
  }

  /// Maps memory that transfers use without being copied (usbdev_mmap, drivers/usb/core/devio.c).
  ///
  /// Called once. Halves `byteCount` until there is as much in one piece; nil where there is not, where
  /// the kernel cannot, or where the memory may not be cached, which is slower than a copy: only x86
  /// is known to cache it. It lives as long as this value.
  public mutating func map(byteCount: Int) -> UnsafeMutableRawBufferPointer? {
    #if arch(x86_64)
      precondition(unsafe mapped.baseAddress == nil, "mapped once")
      var size = byteCount
      while size >= USBFSTransfers.smallestMapping {
        // SAFETY: a new mapping at an address of the kernel's choice.
        let start = unsafe mmap(
          nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.rawValue, 0)
        if let start = unsafe start, unsafe start != MAP_FAILED {
          unsafe mapped = UnsafeMutableRawBufferPointer(start: start, count: size)
          return unsafe mapped
        }
        size /= 2
      }
    #endif
    return nil
  }

  /// The number of the usbfs node, for polling: EPOLLOUT means something can be reaped.
  public var rawValue: Int32 { descriptor.rawValue }

  /// The device descriptor and all configurations, as usbfs's read(2) gives them.
  ///
  /// Throws `HostError`: `ENODEV` where the device is gone.
  public borrowing func descriptors() throws(HostError) -> [UInt8] {
    var content: [UInt8] = []
    while content.count < USBFSTransfers.maximumDescriptorLength {
      // Zeros, because usbfs leaves out what a device never delivered of a configuration.
      var piece = [UInt8](repeating: 0, count: 4096)
      let offset = off_t(content.count)
      let result = unsafe piece.withUnsafeMutableBytes { buffer in
        // SAFETY: the kernel writes at most the buffer's own length.
        unsafe pread(descriptor.rawValue, buffer.baseAddress, buffer.count, offset)
      }
      guard result >= 0 else {
        let code = Errno.current
        if code == .interrupted { continue }
        throw HostError("read descriptors", "", code)
      }
      if result == 0 { break }
      content += piece[..<result]
    }
    return content
  }

  /// Hands the block of `slot` and `length` bytes at `buffer` to the kernel until it is reaped.
  ///
  /// For a control transfer the buffer starts with the 8 bytes of the setup packet. `endpoint` has
  /// the direction in bit 7. An isochronous transfer has the `packets` set by `setPacket`. The
  /// result is 0 or a negative errno.
  public borrowing func submit(
    slot: Int, kind: Kind, endpoint: UInt8, flags: Flags, buffer: UnsafeMutableRawPointer,
    length: Int, packets: Int = 0
  ) -> Int32 {
    precondition(packets <= USBFSTransfers.maximumPackets, "the session cuts longer ones")
    let urb = unsafe block(slot)
    unsafe urb.pointee.type = kind.rawValue
    unsafe urb.pointee.endpoint = endpoint
    unsafe urb.pointee.status = 0
    unsafe urb.pointee.flags = flags.rawValue
    unsafe urb.pointee.buffer = buffer
    unsafe urb.pointee.buffer_length = Int32(truncatingIfNeeded: length)
    unsafe urb.pointee.actual_length = 0
    unsafe urb.pointee.start_frame = 0
    unsafe urb.pointee.number_of_packets = Int32(packets)
    unsafe urb.pointee.error_count = 0
    unsafe urb.pointee.signr = 0
    unsafe urb.pointee.usercontext = UnsafeMutableRawPointer(bitPattern: slot + 1)
    return unsafe clinux_usbfs_submit(descriptor.rawValue, urb)
  }

  /// Sets the length of one packet of the next isochronous transfer of `slot`, in bytes.
  public borrowing func setPacket(_ index: Int, slot: Int, length: Int) {
    unsafe packet(index, slot).pointee.length = UInt32(truncatingIfNeeded: length)
  }

  /// What became of one packet of the isochronous transfer that `slot` carried: bytes and status.
  public borrowing func packet(_ index: Int, slot: Int) -> (actualLength: Int, status: Int32) {
    let packet = unsafe packet(index, slot)
    return unsafe (
      Int(packet.pointee.actual_length), Int32(bitPattern: packet.pointee.status)
    )
  }

  /// Cancels the transfer of `slot` and waits for its end; it is still to be reaped.
  ///
  /// The result is 0, or a negative errno: -EINVAL where it had completed by itself.
  @discardableResult
  public borrowing func discard(slot: Int) -> Int32 {
    unsafe clinux_usbfs_discard(descriptor.rawValue, block(slot))
  }

  /// Takes back one completed block, in the order of completion.
  public borrowing func reap() -> Reaped {
    var completed: UnsafeMutablePointer<usbdevfs_urb>? = nil
    let result = unsafe clinux_usbfs_reap(descriptor.rawValue, &completed)
    if result == -EAGAIN { return .nothing }
    guard result == 0, let urb = unsafe completed else { return .failed(result) }
    // SAFETY: the kernel gives back the address of one of our own blocks, which we filled.
    let slot = unsafe Int(bitPattern: urb.pointee.usercontext) - 1
    return unsafe .completed(
      slot: slot, status: urb.pointee.status, actualLength: Int(urb.pointee.actual_length))
  }

  private borrowing func packet(
    _ index: Int, _ slot: Int
  ) -> UnsafeMutablePointer<usbdevfs_iso_packet_desc> {
    precondition(
      index >= 0 && index < USBFSTransfers.maximumPackets, "packets are counted by the session")
    // SAFETY: every block has room for the most packets, as `init` counted them.
    return unsafe clinux_usbfs_packet(block(slot), Int32(index))
  }

  private borrowing func block(_ slot: Int) -> UnsafeMutablePointer<usbdevfs_urb> {
    precondition(slot >= 0 && slot < capacity, "slots are counted by the session")
    // SAFETY: within the allocation by the line above; every block starts 8-byte aligned.
    return unsafe (blocks + slot * stride).assumingMemoryBound(to: usbdevfs_urb.self)
  }
}
