// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// The names of what `--json` prints, each with its version (devconfig-json(5)).
///
/// A version is raised where a member goes, or changes its type or meaning; a member that is added keeps it.
enum Schema {
  /// Of `list` and `watch`.
  static let list = "devconfig/1"
  /// Of `up`.
  static let up = "devconfig-up/1"
  /// Of `down`.
  static let down = "devconfig-down/1"
  /// Of `wait`.
  static let wait = "devconfig-wait/1"
  /// Of `name`.
  static let name = "devconfig-name/1"
  /// Of `share`.
  static let share = "devconfig-share/1"
  /// Of `unshare`.
  static let unshare = "devconfig-unshare/1"
  /// Of `status`.
  static let status = "devconfig-status/1"
  /// Of `capture`.
  static let capture = "devconfig-capture/1"
  /// Of `doctor`.
  static let doctor = "devconfig-doctor/1"
  /// Of every verb that fails.
  static let error = "devconfig-error/1"
}
