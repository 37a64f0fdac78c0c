// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc

/// What this process takes of the machine; only meaningful where nothing else runs in it, as in an
/// exit test.
public enum ProcessFootprint {
  /// Descriptors that are open.
  public static func descriptors() -> Int { (0..<1024).count { fcntl(Int32($0), F_GETFD) >= 0 } }

  /// Bytes of memory in use now.
  public static func memory() -> Int { status("VmRSS:") }

  /// Lets large pieces of memory go back to the system when they are freed, each time.
  ///
  /// The C library keeps them for the next to ask once it has seen some, as much as 64 MiB a thread.
  public static func keepNothingLarge() {
    typealias Option = @convention(c) (Int32, Int32) -> Int32
    let threshold: Int32 = -3
    // SAFETY: mallopt(3) of the C library and its M_MMAP_THRESHOLD, which no module shows.
    if let option = dlsym(nil, "mallopt") {
      _ = unsafeBitCast(option, to: Option.self)(threshold, 1 << 20)
    }
  }

  /// The most bytes of memory that were ever in use.
  public static func peakMemory() -> Int { status("VmHWM:") }

  /// Waits until no more than `count` descriptors are open, for 5 s at most; false where they stay.
  public static func settles(at count: Int) -> Bool {
    // A descriptor that another thread closes makes no event to wait for.
    for _ in 0..<500 where descriptors() > count { _ = poll(nil, 0, 10) }
    return descriptors() <= count
  }

  /// A line of /proc/self/status (proc(5)), in bytes.
  private static func status(_ name: String) -> Int {
    guard let file = fopen("/proc/self/status", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), file) != nil {
      let text = String(
        decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      guard text.hasPrefix(name) else { continue }
      return (text.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0)
        * 1024
    }
    return 0
  }
}
