// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Glibc

/// Tells the service manager how this service is doing (sd_notify(3), "Protocol").
///
/// Nothing happens where there is no service manager. The datagrams are written here and not by
/// libsystemd, because that reads the socket's name from the environment only.
public struct ServiceNotice: Sendable {
  /// Where the manager listens: a path, or `@` and an abstract name; `nil` without a manager.
  public let socketPath: String?
  /// How often at least `watchdog` is expected; `nil` where the manager does not watch.
  ///
  /// Twice as often is good practice (sd_watchdog_enabled(3)).
  public let watchdogInterval: Duration?

  /// Takes the manager's words from the variables of the environment it gave to this process.
  public init() {
    self.init(
      environment: { name in
        guard let value = unsafe getenv(name) else { return nil }
        // SAFETY: ends with NUL; copied before anything could change the environment.
        return unsafe String(cString: value)
      }, processID: getpid())
  }

  /// Takes the manager's words from `environment`; `processID` is the one `WATCHDOG_PID` must name.
  public init(environment: (String) -> String?, processID: Int32) {
    let path = environment("NOTIFY_SOCKET") ?? ""
    socketPath = path.isEmpty ? nil : path
    let isMeant = environment("WATCHDOG_PID").map { $0 == String(processID) } ?? true
    if isMeant, let text = environment("WATCHDOG_USEC"), let microseconds = Int64(text),
      microseconds > 0
    {
      watchdogInterval = .microseconds(microseconds)
    } else {
      watchdogInterval = nil
    }
  }

  /// The service is up; `status` is what `systemctl status` shows.
  ///
  /// False where nobody was told.
  @discardableResult public func ready(status text: String? = nil) -> Bool {
    send(["READY=1"] + (text.map { [line(status: $0)] } ?? []))
  }

  /// What `systemctl status` shows.
  ///
  /// False where nobody was told.
  @discardableResult public func status(_ text: String) -> Bool {
    send([line(status: text)])
  }

  /// The service begins to stop.
  ///
  /// False where nobody was told.
  @discardableResult public func stopping() -> Bool {
    send(["STOPPING=1"])
  }

  /// The service is alive.
  ///
  /// False where nobody was told.
  @discardableResult public func watchdog() -> Bool {
    send(["WATCHDOG=1"])
  }

  /// Has the manager keep duplicates of `descriptors` for the next run of this service, which finds them in
  /// `StoredDescriptors` under `name`; it drops them when the service stops for good.
  ///
  /// `name` has letters, digits and `-.` only. False where nobody was told.
  @discardableResult public func store(_ descriptors: [Int32], as name: String) -> Bool {
    send(["FDSTORE=1", "FDNAME=" + name], descriptors)
  }

  /// Has the manager drop what it keeps under `name`; harmless where that is nothing.
  ///
  /// False where nobody was told.
  @discardableResult public func forget(_ name: String) -> Bool {
    send(["FDSTOREREMOVE=1", "FDNAME=" + name])
  }

  /// A line feed would begin another assignment.
  private func line(status text: String) -> String {
    "STATUS=" + LogText.escaped(text, limit: LogText.maximumStatusLength)
  }

  private func send(_ lines: [String], _ descriptors: [Int32] = []) -> Bool {
    guard let socketPath else { return false }
    return NotifySocket.send(
      Array(lines.joined(separator: "\n").utf8), descriptors: descriptors, to: socketPath)
  }
}
