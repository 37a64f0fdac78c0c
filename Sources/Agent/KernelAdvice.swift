// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// What to type where a kernel lacks a module.
enum KernelAdvice {
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
