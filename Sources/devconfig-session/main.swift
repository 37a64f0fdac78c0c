// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import ExportSession
import Glibc
import ImportSession
import LinuxHost
import Sandbox
import SessionControl
import SystemPackage
import USBHost

// A peer that is gone is an errno here, not the end of the process.
signal(SIGPIPE, SIG_IGN)
exit(Session.start(CommandLine.arguments.dropFirst()))

/// Gives up its rights, asks the agent what to do, and does it.
enum Session {
  /// EX_USAGE of sysexits.h.
  static let wrongUsage: Int32 = 64

  /// Confines this process before it reads a byte from anybody; the exit status, 0 for a normal end.
  static func start(_ words: some Collection<String>) -> Int32 {
    guard let arguments = SessionArguments(parsing: words) else {
      SessionLog.write(.error, "devconfigd starts this program, nobody else", [:])
      return wrongUsage
    }
    do {
      return run(AgentLink.inherited(), try confine(arguments))
    } catch {
      SessionLog.write(.error, "session cannot enter its sandbox", ["error": "\(error)"])
      return 1
    }
  }

  /// Enters the sandbox; what an export needs of libusb is made before.
  static func confine(_ arguments: SessionArguments) throws -> USBContext? {
    let isExport = arguments.role == .export
    // The log and the control socket stay, whatever else was open.
    try Sandbox.closeDescriptors(above: SessionCalls.controlDescriptor)
    let filter = try StateFile(path: FilePath(arguments.filter)).read()
    // libusb looks at /dev and /sys once for each context: not possible any more in the sandbox.
    let usb = isExport ? try? USBContext() : nil
    try Sandbox.enter(
      filter: filter ?? [], limits: isExport ? .export : .dial,
      as: arguments.user.map { SandboxUser(user: $0.user, group: $0.group) },
      root: arguments.root.map { FilePath($0) })
    return usb
  }

  /// Serves the assignment; the exit status.
  static func run(_ agent: consuming AgentLink, _ usb: consuming USBContext?) -> Int32 {
    do throws(AgentError) {
      let assigned = try agent.assignment()
      let assignment = assigned.assignment
      let socket = assigned.takeSocket()
      do throws(AgentError) {
        switch assignment.role {
        case .export:
          let end = ExportSession.run(assignment, connection: socket, agent: agent, usb: usb)
          end.log(peer: assignment.peer)
          return end.isNormal ? 0 : 1
        case .importDevice:
          try ImportSession.importDevice(assignment, socket: socket, agent: agent)
        case .listDevices:
          try ImportSession.listDevices(assignment, socket: socket, agent: agent)
        case .takeBack:
          try ImportSession.takeBack(assignment, socket: socket, agent: agent)
        }
      } catch {
        try agent.report(error)
      }
      return 0
    } catch {
      SessionLog.write(.error, "session cannot do its work", ["error": error.message])
      return 1
    }
  }
}
