// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// One altsetting of an interface (USB 2.0, 9.6.5).
public struct InterfaceDescriptor: Sendable, Hashable {
  /// bInterfaceNumber.
  public var number: UInt8
  /// bAlternateSetting.
  public var alternate: UInt8
  /// Class, subclass and protocol.
  public var classCode: ClassCode
  /// The endpoints, in the order of their descriptors; never the default one.
  public var endpoints: [EndpointDescriptor]

  /// Takes the four parts.
  public init(
    number: UInt8, alternate: UInt8 = 0, classCode: ClassCode, endpoints: [EndpointDescriptor] = []
  ) {
    self.number = number
    self.alternate = alternate
    self.classCode = classCode
    self.endpoints = endpoints
  }
}
