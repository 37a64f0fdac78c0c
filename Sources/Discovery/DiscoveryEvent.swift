// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import USBModel

/// One change of what is announced on the LAN, or of the means to know it.
public enum DiscoveryEvent: Sendable, Hashable {
  /// The instance is there, or something of it is different from before; our own ones come too.
  case found(Announcement)
  /// The instance is gone from all interfaces, or its machine has been silent for two minutes.
  case lost(instance: String)
  /// Announcing and finding work.
  case available
  /// They do not; what was found stays until it is told `lost`. Comes once for each new reason.
  case unavailable(DiscoveryOutage)
  /// One of our own devices could not be announced; it is tried again.
  case publishingFailed(BusID, DiscoveryOutage)
}
