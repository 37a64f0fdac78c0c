// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import LinuxHost
import SystemPackage
import Testing

@Suite struct DescriptorTests {
  /// Two connected ends: the first one tells whether the second is open anywhere.
  private func pair() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [0, 0]
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    try #require(socketpair(AF_UNIX, type, 0, &ends) == 0)
    return (ends[0], ends[1])
  }

  /// True when the other end is closed; a program that another test starts has it for a moment.
  private func isAtEnd(_ read: Int32, within milliseconds: Int32 = 5000) -> Bool {
    var entry = pollfd(fd: read, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, milliseconds) == 1
  }

  @Test func `an owned descriptor is closed at the end of its life`() throws {
    let (read, write) = try pair()
    defer { close(read) }
    do {
      let owned = OwnedDescriptor(adopting: write)
      #expect(owned.rawValue == write)
      #expect(!isAtEnd(read, within: 0))
    }
    #expect(isAtEnd(read))
  }

  @Test func `a released descriptor stays open`() throws {
    let (read, write) = try pair()
    defer { close(read) }
    let number = OwnedDescriptor(adopting: write).release()
    #expect(number == write)
    #expect(!isAtEnd(read, within: 0))
    close(number)
    #expect(isAtEnd(read))
  }

  @Test func `a duplicate lives on its own and is close-on-exec`() throws {
    let (read, write) = try pair()
    defer { close(read) }
    var first: SharedDescriptor? = SharedDescriptor(OwnedDescriptor(adopting: write))
    let duplicate = try #require(try first?.duplicate().release())
    #expect(OpenDescriptors.isCloseOnExec(duplicate))
    first = nil
    #expect(!isAtEnd(read, within: 0))
    close(duplicate)
    #expect(isAtEnd(read))
  }

  @Test func `a shared descriptor is closed with its last owner`() throws {
    let (read, write) = try pair()
    defer { close(read) }
    var owners = [SharedDescriptor(OwnedDescriptor(adopting: write))]
    owners.append(owners[0])
    owners.removeFirst()
    #expect(!isAtEnd(read, within: 0))
    owners.removeAll()
    #expect(isAtEnd(read))
  }

  @Test func `duplicating a number that is not open is an error`() {
    #expect(throws: HostError("duplicate descriptor", "1000000", .badFileDescriptor)) {
      _ = try OwnedDescriptor.duplicating(1_000_000).release()
    }
  }

  @Test func `an error reads as operation, subject and reason`() {
    let error = HostError("open", "/dev/x", .permissionDenied)
    #expect(error.description == "open /dev/x: Permission denied")
    #expect(HostError("open", "", .permissionDenied).description == "open: Permission denied")
  }
}
