// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import SystemPackage

/// Every path the agent touches; tests give it others.
struct Places: Sendable {
  /// The kernel's view of devices.
  var sysfs: FilePath = "/sys"
  /// The kernel's view of processes.
  var procfs: FilePath = "/proc"
  /// Device nodes.
  var devfs: FilePath = "/dev"
  /// What goes away with a reboot: socket and undo record.
  var runtime: FilePath = "/run/devconfig"
  /// What stays: device numbers and the agent's name.
  var state: FilePath = "/var/lib/devconfig"
  /// The configuration file.
  var configuration: FilePath = "/etc/devconfig/devconfig.yaml"
  /// The program each network connection gets.
  var session: FilePath = "/usr/libexec/devconfig/devconfig-session"

  /// The local socket.
  var socket: FilePath { runtime.appending("agent.sock") }
  /// The undo record.
  var undo: FilePath { runtime.appending("undo.json") }
  /// What is attached, for the next run of the agent.
  var attached: FilePath { runtime.appending("attached.json") }
  /// The sessions that have a device, for the next run of the agent.
  var held: FilePath { runtime.appending("sessions.json") }
  /// The sequence numbers of vhci_hcd.
  var sequences: FilePath { runtime.appending("sequences.json") }
  /// The system calls that sessions of a role may make.
  func sessionFilter(_ role: SessionCalls.Role) -> FilePath {
    runtime.appending(role == .export ? "export.filter" : "dial.filter")
  }
  /// An empty directory, the whole file system of a session.
  var sessionRoot: FilePath { runtime.appending("empty") }
  /// The kept devices.
  var kept: FilePath { state.appending("kept.json") }
  /// The device numbers.
  var numbers: FilePath { state.appending("numbers.json") }
  /// The agent's lasting name.
  var agentName: FilePath { state.appending("agent") }

  /// False where the kernel is a fake in a folder: then udev cannot be asked.
  var isRealKernel: Bool { sysfs == "/sys" }
}
