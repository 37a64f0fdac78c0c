// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// What all programs of this package share: the version and the places of a standard installation.
public enum Product {
  /// The version of agent, session and command line; they are installed together.
  public static let version = "0.1.0"
  /// The agent's local socket.
  public static let socketPath = "/run/devconfig/agent.sock"
  /// The group whose members may `up` and `down`.
  public static let group = "devconfig"
  /// The TCP port for everything (USB/IP's, tools/usb/usbip/src/usbip_network.h).
  public static let port: UInt16 = 3240
}
