// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import Attaching

extension DeviceStatus {
  /// Shows that the device is kept and, while it is not attached, why not and when it is tried.
  ///
  /// `standIn` is the state of what is attached in its place.
  mutating func showKept(
    _ entry: KeptDevices.Entry, standIn: LocalState?, retry: KeptRetry?, isSleeping: Bool,
    now: ContinuousClock.Instant = .now
  ) {
    isKept = true
    // One that was lost is being tried, which is not yet a connection: its state does not flicker meanwhile.
    let isTried = localState == .attaching && retry != nil
    guard localState == .detached || isTried else { return }
    localState = .retrying
    if isSleeping {
      reason = "this machine sleeps; it is tried once it is awake"
      return
    }
    let other = entry.standIn.map { "\($0.name) came up in its place" }
    if let other, standIn == .attached || standIn == .detaching {
      reason = "\(other) and is attached"
      return
    }
    let left = isTried ? 0 : retry.map { now.duration(to: $0.due) / .seconds(1) } ?? 0
    let seconds = Int(max(0, left).rounded(.up))
    nextTry = seconds
    let next = seconds == 0 ? "it is tried now" : "next try in \(seconds) s"
    let cause = retry.map { ": \($0.reason)" } ?? ""
    let flapping = retry?.isFlapping == true ? "; it comes and goes" : ""
    reason = next + cause + flapping + (other.map { "; \($0)" } ?? "")
  }

  /// Shows that the device is attached in the place of a kept one.
  mutating func showStandIn(for id: Int, named name: String) {
    standsInFor = id
    reason = reason ?? "in place of \(id): \(name)"
  }
}
