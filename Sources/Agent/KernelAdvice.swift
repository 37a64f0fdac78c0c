// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost
internal import SystemPackage

/// What to type where a kernel lacks a module or refuses.
enum KernelAdvice {
  /// The error for a call that the kernel refused: `message` says what it was for.
  static func failure(of error: HostError, _ message: String) -> AgentError {
    switch error.code {
    case .permissionDenied, .notPermitted:
      AgentError(
        .notPermitted, "\(message): devconfigd has not the right to (\(error))",
        hint: "start it as root: systemctl start devconfigd")
    default:
      AgentError(
        .failed, "\(message) (\(error))", hint: "journalctl -k shows what the kernel says of it")
    }
  }

  /// The command that brings `module` to a machine that runs `release`, as `uname -r` prints it.
  static func forMissingModule(_ module: String, release: String) -> String {
    if release.contains("cloud") {
      return """
        the cloud kernel \(release) has no USB: apt install linux-image-amd64, then reboot into it
        """
    }
    return "load it with: modprobe \(module) (Debian has it in linux-image-amd64)"
  }
}
