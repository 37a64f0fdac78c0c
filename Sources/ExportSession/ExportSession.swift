// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import LinuxHost
public import SessionControl
internal import SystemPackage
public import USBHost
internal import USBIPWire
public import USBModel

/// One incoming connection, from its first byte to its end.
public enum ExportSession {
  /// Serves `connection`; returns when nothing of it is left but what the process's end frees.
  ///
  /// The agent resets the device and gives it back to the kernel's drivers afterwards. `usb` is nil
  /// where this machine has no usbfs, and so no device to serve.
  public static func run(
    _ assignment: SessionCalls.Assignment, connection: consuming OwnedDescriptor,
    agent: borrowing AgentLink, usb: consuming USBContext?
  ) -> SessionEnd {
    let limits = URBPhaseLimits()
    var usb = usb
    return run(
      assignment, connection: connection, agent: agent, termination: nil, limits: limits
    ) { (node, device) throws(SessionEnd) in
      guard let context = usb.take() else { throw .hostFailed(-USBError.noDevice.negativeErrno) }
      return try USBFSDevice.open(
        node, configuration: device.configurationValue, slots: limits.slots, usb: context)
    }
  }

  /// The same with a device made by `open`, ended by `termination` becoming readable.
  ///
  /// Without one, SIGTERM and SIGINT end the URB phase, and until then the process as usual.
  ///
  /// `open` gets what the agent passed as the device's node, and its description.
  public static func run<Opened: URBDevice & ~Copyable>(
    _ assignment: SessionCalls.Assignment, connection: consuming OwnedDescriptor,
    agent: borrowing AgentLink, termination: Int32?, limits: URBPhaseLimits,
    open: (consuming OwnedDescriptor, Device) throws(SessionEnd) -> Opened
  ) -> SessionEnd {
    let socket = StreamSocket(connection)
    // For TCP; a local connection has no such options and needs none.
    try? SocketOptions.prepareConnection(socket.rawValue)
    let deadline = Duration.milliseconds(max(0, min(assignment.deadline, maximumDeadline)))
    let operation = OperationPhase(deadline: .now + deadline)
    do throws(SessionEnd) {
      let imported = try operation.run(socket, agent)
      let device = imported.device
      let pipelined = imported.pipelined
      let replies = imported.replies
      let opened: Opened
      do throws(SessionEnd) {
        opened = try open(imported.takeNode(), device)
      } catch {
        try operation.answer(socket, replies.failure)
        throw error
      }
      try operation.send(replies.success, to: socket)
      return serve(
        opened, socket, pipelined: pipelined, device: device, peer: assignment.peer, agent: agent,
        termination: termination, limits: limits)
    } catch {
      return error
    }
  }

  private static func serve<Opened: URBDevice & ~Copyable>(
    _ opened: consuming Opened, _ socket: consuming StreamSocket, pipelined: [UInt8],
    device: Device, peer: String, agent: borrowing AgentLink, termination: Int32?,
    limits: URBPhaseLimits
  ) -> SessionEnd {
    guard let termination else {
      // Only from here on is there something to end in order.
      do throws(HostError) {
        let signal = try TerminationSignal()
        return serve(
          opened, socket, pipelined: pipelined, device: device, peer: peer, agent: agent,
          termination: signal.rawValue, limits: limits)
      } catch {
        return .hostFailed(error.code.rawValue)
      }
    }
    do throws(HostError) {
      let events = try URBPhase.watch(
        socket, opened, control: agent.rawValue, termination: termination)
      var phase = URBPhase(
        connection: socket, pipelined: pipelined, device: opened, events: events,
        configuration: device.configurationValue, devid: device.devid,
        subject: SessionSubject(peer: peer, device: device), limits: limits)
      return phase.run(agent)
    } catch {
      return .hostFailed(error.code.rawValue)
    }
  }

  /// Milliseconds; an agent that asks for more is mistaken.
  private static let maximumDeadline = 60_000
}
