// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import ExportSession
import Glibc
import ImportSession
import LinuxHost
import SessionControl

// A peer that is gone is an errno here, not the end of the process.
signal(SIGPIPE, SIG_IGN)
exit(Session.run(AgentLink.inherited()))

/// Asks the agent what to do, and does it.
enum Session {
  /// The exit status: 0 for a normal end.
  static func run(_ agent: consuming AgentLink) -> Int32 {
    do throws(AgentError) {
      let assigned = try agent.assignment()
      let assignment = assigned.assignment
      let socket = assigned.takeSocket()
      do throws(AgentError) {
        switch assignment.role {
        case .export:
          let end = ExportSession.run(assignment, connection: socket, agent: agent)
          end.log(peer: assignment.peer)
          return end.isNormal ? 0 : 1
        case .importDevice:
          try ImportSession.importDevice(assignment, socket: socket, agent: agent)
        case .listDevices:
          try ImportSession.listDevices(assignment, socket: socket, agent: agent)
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
