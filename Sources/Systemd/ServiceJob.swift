// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import CSystemd
internal import Glibc

/// What the service manager is doing with this service at the moment.
public enum ServiceJob {
  /// Microseconds that the manager may take for an answer.
  private static let patience: UInt64 = 2_000_000
  private static let destination = "org.freedesktop.systemd1"

  /// True where this service is being stopped only to be started again.
  ///
  /// False as well where there is no manager, or it does not answer. Blocks while it is asked
  /// (org.freedesktop.systemd1(5), properties `Job` of the unit and `JobType` of the job).
  public static func isRestart() -> Bool {
    var name: UnsafeMutablePointer<CChar>?
    // SAFETY: filled with a string of ours where the result is not negative; freed below.
    guard unsafe sd_pid_get_unit(0, &name) >= 0, let unit = unsafe name else { return false }
    defer { unsafe free(unit) }
    var opened: OpaquePointer?
    // SAFETY: filled with a connection of ours where the result is not negative; let go of below.
    guard unsafe sd_bus_open_system(&opened) >= 0, let bus = unsafe opened else { return false }
    defer { unsafe sd_bus_flush_close_unref(bus) }
    unsafe sd_bus_set_method_call_timeout(bus, patience)
    var encoded: UnsafeMutablePointer<CChar>?
    // SAFETY: as for the name.
    guard unsafe sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &encoded) >= 0,
      let path = unsafe encoded
    else { return false }
    defer { unsafe free(path) }
    guard let job = unsafe jobPath(of: path, bus) else { return false }
    var type: UnsafeMutablePointer<CChar>?
    // SAFETY: as for the name.
    guard
      unsafe sd_bus_get_property_string(
        bus, destination, job, "org.freedesktop.systemd1.Job", "JobType", nil, &type) >= 0,
      let word = unsafe type
    else { return false }
    defer { unsafe free(word) }
    // SAFETY: ends with NUL.
    return unsafe String(cString: word) == "restart"
  }

  /// The object of the unit's job, a struct of its number and path; `/` where there is none.
  private static func jobPath(of unit: UnsafePointer<CChar>, _ bus: OpaquePointer) -> String? {
    var answer: OpaquePointer?
    // SAFETY: filled with a message of ours where the result is not negative; let go of below.
    guard
      unsafe sd_bus_get_property(
        bus, destination, unit, "org.freedesktop.systemd1.Unit", "Job", nil, &answer, "(uo)") >= 0,
      let message = unsafe answer
    else { return nil }
    defer { _ = unsafe sd_bus_message_unref(message) }
    var number: UInt32 = 0
    var path: UnsafePointer<CChar>?
    // SAFETY: the types read are those of the property; the path lives as long as the message.
    guard unsafe sd_bus_message_enter_container(message, CChar(UInt8(ascii: "r")), "uo") > 0,
      unsafe sd_bus_message_read_basic(message, CChar(UInt8(ascii: "u")), &number) > 0,
      unsafe sd_bus_message_read_basic(message, CChar(UInt8(ascii: "o")), &path) > 0,
      let path = unsafe path
    else { return nil }
    // SAFETY: ends with NUL.
    return unsafe String(cString: path)
  }
}
