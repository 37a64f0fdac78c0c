// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import ExportSession
public import LinuxHost
internal import Synchronization

/// What a test does with the device while a session uses it.
extension VirtualDevice {
  /// What was asked of it so far.
  public var events: [Event] { withState { $0.events } }

  /// Transfers under way.
  public var pendingCount: Int { withState { $0.pending.count } }

  /// Transfers the session handed over and has not reaped yet.
  public var unreapedCount: Int { withState { $0.pending.count + $0.ended.count } }

  /// Sends one report on interrupt IN 0x82.
  public func report(_ bytes: [UInt8]) {
    withState { state in
      state.reports.append(bytes)
      advance(&state)
    }
  }

  /// Lets transfers on this endpoint fail with a stall until its halt is cleared.
  public func stall(_ endpointAddress: UInt8) {
    withState { state in
      state.stalled.insert(endpointAddress)
      advance(&state)
    }
  }

  /// Lets transfers on this endpoint (0 for the default pipe) wait until `release`.
  public func hold(_ endpointAddress: UInt8) {
    withState { _ = $0.held.insert(endpointAddress) }
  }

  /// Ends a hold.
  public func release(_ endpointAddress: UInt8) {
    withState { state in
      state.held.remove(endpointAddress)
      advance(&state)
    }
  }

  /// Lets the next submits fail with these negative errnos, one each.
  public func refuse(_ codes: [Int32]) {
    withState { $0.refusals += codes }
  }

  /// Lets configuration, altsetting, halt and reset calls fail with this negative errno; 0 ends it.
  public func refuseBarriers(_ code: Int32) {
    withState { $0.barrierResult = code }
  }

  /// Lets configuration, altsetting, halt and reset calls take as long as until `releaseBarriers`.
  public func holdBarriers() {
    withState { $0.areBarriersHeld = true }
  }

  /// Ends a hold of such calls.
  public func releaseBarriers() {
    withState { $0.areBarriersHeld = false }
    barrierGate.signal()
  }

  /// Waits until such a call has begun; throws `HostError` with `ETIMEDOUT`.
  public func waitForBarrier() throws(HostError) {
    try BackgroundThread.wait(for: barriers.rawValue)
    barriers.drain()
  }

  func passBarrierGate() {
    barriers.signal()
    while withState({ $0.areBarriersHeld }) {
      guard (try? BackgroundThread.wait(for: barrierGate.rawValue)) != nil else { return }
    }
  }

  /// Lets the next transfer that is discarded on this endpoint win the race, with this data.
  public func completeOnDiscard(_ endpointAddress: UInt8, with data: [UInt8]) {
    withState { $0.completionOnDiscard[endpointAddress] = data }
  }

  /// Lets these packets of every isochronous transfer fail with -EILSEQ.
  public func failPackets(_ indices: Set<Int>) {
    withState { $0.failingPackets = indices }
  }

  /// The packets that came in on isochronous OUT 0x03.
  public var isochronousOut: [[UInt8]] { withState { $0.isochronousOut } }

  /// Unplugs the device: what is under way ends, nothing more begins.
  public func unplug() {
    withState { state in
      for pending in state.pending { end(pending, -108, [], &state) }
      state.pending = []
      state.isGone = true
    }
    ring()
  }
}
