// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost

extension AgentLink {
  /// The link on the descriptor that the agent starts every session with.
  public static func inherited() -> AgentLink {
    AgentLink(
      ControlSocket(adopting: OwnedDescriptor(adopting: SessionCalls.controlDescriptor)))
  }
}
