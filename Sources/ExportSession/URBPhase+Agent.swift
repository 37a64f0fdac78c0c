// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost
internal import SessionControl
internal import USBCapture

/// What the agent asks while the device is served; rare, so that allocating is no matter.
extension URBPhase where Device: ~Copyable {
  /// Answers one question, or notes that the agent is gone.
  mutating func hear(_ agent: borrowing AgentLink) {
    switch agent.news() {
    case .nothing:
      break
    case .gone:
      end = end ?? .agentGone
    case .question(let question):
      switch question.method {
      case SessionCalls.statistics:
        agent.answer(report())
      case SessionCalls.capture:
        startCapture(question, agent)
      default:
        agent.answer(AgentError(.protocolMismatch, "a session knows no such call"))
      }
    }
  }

  /// Everything that was counted, as it is now.
  private func report() -> SessionStatistics {
    let time = HostClock.monotonic
    var oldest = [UInt64?](repeating: nil, count: SessionStatistics.maximumEndpoints)
    for slot in 0..<slots.capacity where slots[slot].isTaken && slots[slot].isBegun {
      let index = URBStatistics.index(slots[slot].endpointAddress)
      oldest[index] = max(oldest[index] ?? 0, time &- min(time, slots[slot].begun))
    }
    var report = SessionStatistics(
      elapsed: (time &- began) / 1000, refused: statistics.refused, unlinks: statistics.unlinks,
      endpoints: statistics.counters { oldest[URBStatistics.index($0)] })
    if let capture {
      report.capture = SessionStatistics.Capture(
        recorded: capture.recorded, dropped: capture.dropped)
    }
    return report
  }

  private mutating func startCapture(_ question: AgentQuestion, _ agent: borrowing AgentLink) {
    do throws(AgentError) {
      let parameters = try question.parameters(SessionCalls.CaptureParameters.self)
      guard capture == nil else {
        throw AgentError(.inUse, "a capture of \(subject.name) is running already")
      }
      guard let descriptor = question.descriptor else {
        throw AgentError(.protocolMismatch, "a capture needs a descriptor to write to")
      }
      let started: URBCapture
      do throws(HostError) {
        started = URBCapture(
          StreamSocket(try descriptor.duplicate()),
          snapLength: max(0, min(parameters.snapLength, AgentCalls.maximumSnapLength)))
        try events.add(
          started.rawValue, for: [.peerClosed], token: URBPhaseInterest.capture)
      } catch {
        throw AgentError(.failed, "a capture cannot be started (\(error))")
      }
      started.open(
        interface: subject.busID, description: subject.name,
        application: "devconfig \(Product.version)")
      capture = started
      agent.answer(Nothing())
    } catch {
      agent.answer(error)
    }
  }

  /// Ends the capture, if one runs, and says how it went.
  mutating func endCapture() {
    guard let ended = capture.take() else { return }
    try? events.remove(ended.rawValue)
    ended.close(at: HostClock.monotonic)
    SessionLog.write(
      .notice, "capture ended",
      [
        "device": subject.busID, "packets": "\(ended.recorded)", "dropped": "\(ended.dropped)",
      ])
  }
}
