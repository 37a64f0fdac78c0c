// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import USBModel

/// One port of vhci_hcd, one line of its `status` files (vhci_sysfs.c, port_show_vhci).
public struct VirtualPort: Sendable, Hashable {
  /// What a port does (`enum usbip_device_status`, drivers/usb/usbip/usbip_common.h).
  public enum State: Sendable, Hashable {
    /// 4: nothing is attached.
    case free
    /// 5: attached, and the kernel has not given the device an address yet.
    case notAssigned
    /// 6: attached and in use.
    case used
    /// 7: broken; the kernel is about to detach it. Also any number this program does not know.
    case error
  }

  /// The number to attach to and detach, counted over all controllers.
  public var number: Int
  /// The controller: the number N of the file `status.N`, 0 for `status`.
  public var controller: Int
  /// True for the half that takes SuperSpeed devices.
  public var isSuperSpeed: Bool
  /// What it does.
  public var state: State
  /// Bus number of the exporter << 16 | device number, as attached; 0 while free.
  public var deviceID: UInt32
  /// The bus ID on this machine; `nil` unless used.
  public var localBusID: BusID?

  /// Takes all parts.
  public init(
    number: Int, controller: Int, isSuperSpeed: Bool, state: State, deviceID: UInt32 = 0,
    localBusID: BusID? = nil
  ) {
    self.number = number
    self.controller = controller
    self.isSuperSpeed = isSuperSpeed
    self.state = state
    self.deviceID = deviceID
    self.localBusID = localBusID
  }

  /// Reads the text of one status file; lines that make no sense, as the header, are left out.
  ///
  /// A line is `hub port sta spd dev sockfd local_busid`, separated by any number of spaces.
  public static func parse(status text: some StringProtocol, controller: Int) -> [VirtualPort] {
    text.split(whereSeparator: \.isNewline).compactMap { line in
      let fields = line.split(whereSeparator: \.isWhitespace)
      guard fields.count >= 5, let number = Int(fields[1]), (0...Int(UInt16.max)).contains(number),
        let state = Int(fields[2]), let deviceID = UInt32(fields[4], radix: 16)
      else { return nil }
      let isSuperSpeed: Bool
      switch fields[0] {
      case "hs": isSuperSpeed = false
      case "ss": isSuperSpeed = true
      default: return nil
      }
      var port = VirtualPort(
        number: number, controller: controller, isSuperSpeed: isSuperSpeed, state: .error,
        deviceID: deviceID)
      switch state {
      case 4: port.state = .free
      case 5: port.state = .notAssigned
      case 6:
        port.state = .used
        // The kernel prints 0-0 for "none yet".
        if fields.count >= 7, let busID = BusID(fields[6]), busID.bus > 0 {
          port.localBusID = busID
        }
      default: port.state = .error
      }
      return port
    }
  }
}
