// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import USBModel

/// Tells when an attached device is usable: each driver has made the node people will open.
///
/// Drivers make their nodes some time after they bind (usb-storage waits a second for the disk), so
/// a bound driver alone says little.
public enum Readiness {
  /// What is known at one moment.
  public enum State: Sendable, Hashable {
    /// All that was expected is there.
    case ready
    /// A driver is bound and its node is still to come.
    case expecting
    /// Some interface has no driver: it may be on its way, or there is none.
    case driverless
    /// The kernel has not configured the device yet.
    case unconfigured
  }

  /// Judges one observation.
  public static func judge(_ observation: LocalObservation?) -> State {
    guard let observation, !observation.interfaces.isEmpty else { return .unconfigured }
    let drivers = observation.interfaces.compactMap(\.driver)
    for driver in drivers {
      guard let beginnings = expectedNodes(of: driver) else { continue }
      // Not the beginning of the path: /dev itself may be in another place.
      let isThere = observation.nodes.contains { node in
        beginnings.contains { node.contains($0) }
      }
      guard isThere else { return .expecting }
    }
    return drivers.count == observation.interfaces.count ? .ready : .driverless
  }

  /// How the nodes a driver makes begin; `nil` for a driver that makes none we know of.
  private static func expectedNodes(of driver: String) -> [String]? {
    switch driver {
    case "usb-storage", "uas": ["/dev/sd", "/dev/sr", "/dev/sg", "/dev/st"]
    case "usbhid": ["/dev/input/", "/dev/hidraw"]
    case "cdc_acm": ["/dev/ttyACM"]
    case "ftdi_sio", "pl2303", "cp210x", "ch341", "usbserial_generic", "option", "qcserial":
      ["/dev/ttyUSB"]
    case "usblp": ["/dev/usb/lp"]
    case "uvcvideo": ["/dev/video"]
    default: nil
    }
  }
}
