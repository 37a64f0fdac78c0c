// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Glibc
import LinuxHost
import SystemPackage
import TestSupport
import Testing

@testable import Agent

@Suite struct SessionConfinementTests {
  @Test func whatASessionNeedsIsMadeAndNamed() throws {
    let tree = try SysfsTree()
    var places = Places()
    places.runtime = tree.run
    let confinement = try SessionConfinement(places: places)
    let export = confinement.arguments(for: .export)
    #expect(export.role == .export)
    #expect(export.filter == tree.run.appending("export.filter").string)
    for role in [SessionCalls.Role.importDevice, .listDevices] {
      #expect(
        confinement.arguments(for: role).filter == tree.run.appending("dial.filter").string)
    }
    let filters = try ["export.filter", "dial.filter"].map { name in
      try #require(try StateFile(path: tree.run.appending(name)).read())
    }
    // Whole instructions, as the kernel counts them, and not the same ones.
    for filter in filters { #expect(!filter.isEmpty && filter.count.isMultiple(of: 8)) }
    #expect(filters[0] != filters[1])
    if geteuid() == 0 {
      #expect(export.root == tree.run.appending("empty").string)
    } else {
      #expect(export.root == nil)
      #expect(export.user == nil)
      #expect(confinement.weakness != nil)
    }
    #expect((export.user == nil) == (confinement.weakness != nil))
    // The next start finds what this one left.
    _ = try SessionConfinement(places: places)
  }

  @Test func withoutARuntimeDirectoryTheAgentDoesNotStart() throws {
    var places = Places()
    places.runtime = "/nonexistent/run"
    #expect(throws: StartError.self) { _ = try SessionConfinement(places: places) }
  }

  @Test func whichEndsAreTold() {
    #expect(SessionProcess.End.exited(1).disorder == nil)
    #expect(SessionProcess.End.unknown.disorder == nil)
    #expect(SessionProcess.End.signalled(SIGTERM).disorder == nil)
    #expect(SessionProcess.End.signalled(SIGKILL).disorder == nil)
    #expect(SessionProcess.End.signalled(SIGSEGV).disorder == "it crashed (signal 11)")
    #expect(SessionProcess.End.signalled(SIGSYS).disorder?.contains("sandbox") == true)
  }
}
