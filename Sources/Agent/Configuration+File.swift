// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import LinuxHost
internal import SystemPackage

extension Configuration {
  /// Reads the file at `path`; without one everything is as by default.
  ///
  /// Throws `StartError` where it cannot be read or has a mistake, naming file and line.
  static func read(_ path: FilePath) throws(StartError) -> Configuration {
    let file = StateFile(path: path, limit: Configuration.maximumLength)
    let bytes: [UInt8]
    do throws(HostError) {
      guard let content = try file.read() else { return Configuration() }
      bytes = content
    } catch {
      throw StartError(status: StartError.configuration, reason: "\(error)")
    }
    do throws(Mistake) {
      return try Configuration(yaml: String(decoding: bytes, as: UTF8.self))
    } catch {
      throw StartError(status: StartError.configuration, reason: "\(path): \(error)")
    }
  }
}
