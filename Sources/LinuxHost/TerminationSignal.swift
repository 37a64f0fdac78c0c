// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
private import Glibc

/// SIGTERM and SIGINT as a descriptor to poll (signalfd(2)) instead of an interruption.
public struct TerminationSignal: ~Copyable {
  private let descriptor: OwnedDescriptor

  /// Blocks both signals in the calling thread, and in those it starts later, from here on.
  ///
  /// Throws `HostError` with `EMFILE` or `ENOMEM`.
  public init() throws(HostError) {
    var signals = sigset_t()
    // SAFETY: the calls fill or read `signals` during the call only.
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, SIGTERM)
    unsafe sigaddset(&signals, SIGINT)
    guard unsafe pthread_sigmask(SIG_BLOCK, &signals, nil) == 0 else {
      throw HostError("block signals", "", .current)
    }
    let number = unsafe signalfd(
      -1, &signals, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
    guard number >= 0 else { throw HostError("create signal descriptor", "", .current) }
    descriptor = OwnedDescriptor(adopting: number)
  }

  /// The number to poll: readable once a signal has come.
  public var rawValue: Int32 { descriptor.rawValue }
}
