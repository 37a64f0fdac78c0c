// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import USBIPWire
internal import USBModel

/// One outstanding URB; trivial, so that a slot is reused without a reference count.
struct Slot {
  /// The reply's header; the payload follows after `BufferPool.headerLength` bytes.
  var memory: UnsafeMutableRawPointer
  /// The class `memory` goes back to.
  var sizeClass = 0
  /// Data bytes to transfer.
  var length = 0
  /// The endpoint with the direction in bit 7.
  var endpointAddress: UInt8 = 0
  /// How the endpoint transfers.
  var type = TransferType.control
  /// SHORT_NOT_OK was set.
  var shortNotOK = false
  /// ZERO_PACKET was set.
  var zeroPacket = false
  /// Isochronous packets of this URB, or of this piece of one.
  var packets = 0
  /// For a piece: the slot of the whole URB, else -1.
  var whole: Int32 = -1
  /// For a piece: the number of its first packet in the whole URB.
  var firstPacket = 0
  /// For a whole isochronous URB: its pieces that the device still has.
  var piecesInFlight = 0
  /// For a whole isochronous URB: 0, or the first status that a piece ended with.
  var pieceStatus: Int32 = 0
  /// True from `take` to `give`.
  var isTaken = false
  /// True from submit to reap.
  var isInFlight = false
  /// The importer's name of the URB.
  var seqnum: UInt32 = 0
  /// When it began, in nanoseconds of `HostClock.monotonic`.
  var begun: UInt64 = 0
  /// True from `begin` to `finish`: it is counted as outstanding.
  var isBegun = false
  /// True where the device owes an end soon.
  var isWatched = false
  /// True where the journal knows that it waits.
  var isOverdue = false
  /// The next free slot, -1 at the end of the list.
  var nextFree: Int32 = -1

  /// True where data comes from the device.
  var isIn: Bool { endpointAddress & 0x80 != 0 }
  /// The payload.
  var payload: UnsafeMutableRawPointer { memory + BufferPool.headerLength }
}

/// The slots of one session: as many as URBs may be outstanding, made once.
struct SlotPool: ~Copyable {
  /// How many slots there are.
  let capacity: Int
  /// Bytes of payload memory in use.
  private(set) var bytesInUse = 0
  /// Slots in use.
  private(set) var slotsInUse = 0

  /// Slots that can be taken.
  var free: Int { capacity - slotsInUse }

  private let slots: UnsafeMutablePointer<Slot>
  private var firstFree: Int32
  private var buffers = BufferPool()

  /// Makes `capacity` slots, all free.
  init(capacity: Int) {
    self.capacity = capacity
    slots = .allocate(capacity: capacity)
    for index in 0..<capacity {
      // A free slot has no memory; the pointer is replaced before the slot is used.
      let last = index == capacity - 1
      var slot = Slot(memory: UnsafeMutableRawPointer(slots))
      slot.nextFree = last ? -1 : Int32(index + 1)
      (slots + index).initialize(to: slot)
    }
    firstFree = capacity == 0 ? -1 : 0
  }

  deinit {
    // The kernel writes to no buffer any more: usbfs copies only when a URB is reaped.
    for index in 0..<capacity where slots[index].isTaken {
      buffers.abandon(slots[index].memory)
    }
    slots.deallocate()
  }

  /// The slot with this number, to read and change in place.
  subscript(_ index: Int) -> Slot {
    get { slots[checked(index)] }
    nonmutating _modify { yield &slots[checked(index)] }
  }

  /// True once the device was asked to share memory.
  private(set) var hasAskedToShare = false

  /// Has the slots taken from now on lie in `memory` as far as it goes; nil where there is none.
  mutating func adopt(_ memory: UnsafeMutableRawBufferPointer?) {
    hasAskedToShare = true
    if let memory { buffers.adopt(memory) }
  }

  /// Takes a free slot with memory for `length` bytes; nil where there is none or it were too much.
  ///
  /// One URB is always let through, however large: its size is limited by the wire's own rule.
  mutating func take(length: Int, byteLimit: Int) -> Int? {
    guard firstFree >= 0 else { return nil }
    let sizeClass = BufferPool.sizeClass(for: length)
    let payload = BufferPool.payload(of: sizeClass)
    guard slotsInUse == 0 || bytesInUse + payload <= byteLimit else { return nil }
    let index = Int(firstFree)
    firstFree = slots[index].nextFree
    slots[index] = Slot(
      memory: buffers.take(sizeClass), sizeClass: sizeClass, isTaken: true)
    bytesInUse += payload
    slotsInUse += 1
    return index
  }

  /// Takes a slot back.
  mutating func give(_ index: Int) {
    let slot = slots[checked(index)]
    buffers.give(slot.memory, slot.sizeClass)
    bytesInUse -= BufferPool.payload(of: slot.sizeClass)
    slotsInUse -= 1
    slots[index].isTaken = false
    slots[index].isInFlight = false
    slots[index].nextFree = firstFree
    firstFree = Int32(index)
  }

  private func checked(_ index: Int) -> Int {
    precondition(index >= 0 && index < capacity, "slots are counted by the session")
    return index
  }
}
