// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// The four kinds of transfer; the raw value is bits 1..0 of an endpoint's bmAttributes (USB 2.0, 9.6.6).
public enum TransferType: UInt8, Sendable, Hashable, Codable, CaseIterable {
  case control = 0
  case isochronous = 1
  case bulk = 2
  case interrupt = 3
}
