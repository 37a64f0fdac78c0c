// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import ArgumentParser
import Testing

@testable import DevconfigCommands

@Suite struct ParsingTests {
  @Test func everyVerbParsesWithoutArguments() {
    // Also checks the declarations: the parser traps on those that contradict each other.
    #expect(throws: Never.self) { try Devconfig.parseAsRoot([]) }
    #expect(!Devconfig.configuration.subcommands.isEmpty)
    for verb in Devconfig.configuration.subcommands {
      let name = verb.configuration.commandName ?? ""
      #expect(!name.isEmpty)
      #expect(!verb.configuration.abstract.isEmpty)
      #expect(Devconfig.helpMessage(for: verb).contains(name))
      do {
        _ = try Devconfig.parseAsRoot([name])
      } catch {
        #expect(Devconfig.exitCode(for: error).rawValue == AgentAPI.ExitCode.usage.rawValue)
      }
    }
  }

  @Test(arguments: [
    ["list", "--no-such-flag"], ["up"], ["down"], ["up", "1", "2"], ["down", "1", "2"],
    ["list", "1", "2"], ["list", "--long", "--json"], ["list", "-l", "--json"], ["plug", "1"],
    ["up", "--force", "1"],
  ])
  func aWrongCommandLineIsUsage(arguments: [String]) {
    let error = #expect(throws: (any Error).self) { try Devconfig.parseAsRoot(arguments) }
    guard let error else { return }
    #expect(Devconfig.exitCode(for: error).rawValue == AgentAPI.ExitCode.usage.rawValue)
    #expect(!Devconfig.message(for: error).isEmpty)
  }

  @Test(arguments: [["--help"], ["--version"], ["up", "--help"], ["list", "-h"]])
  func askingForHelpSucceeds(arguments: [String]) {
    let error = #expect(throws: (any Error).self) {
      var command = try Devconfig.parseAsRoot(arguments)
      try command.run()
    }
    guard let error else { return }
    #expect(Devconfig.exitCode(for: error) == .success)
  }

  @Test func theVersionIsTheProducts() {
    #expect(Devconfig.configuration.version == "devconfig \(Product.version)")
  }

  @Test(arguments: ["046d:c00c", "1-1@alpha", "alpha/Cruzer", "My Disk", "Ünïcode"])
  func everyFormOfANameIsOneArgument(name: String) throws {
    #expect(try (Devconfig.parseAsRoot(["up", name]) as? UpVerb)?.device == name)
    #expect(try (Devconfig.parseAsRoot(["down", name]) as? DownVerb)?.device == name)
    #expect(try (Devconfig.parseAsRoot(["list", name]) as? ListVerb)?.device == name)
  }

  @Test func aNameThatBeginsWithADashFollowsTwoDashes() throws {
    #expect(try (Devconfig.parseAsRoot(["up", "--", "-x"]) as? UpVerb)?.device == "-x")
  }
}
