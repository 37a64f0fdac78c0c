// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import ArgumentParser
import TestSupport
import Testing

@testable import DevconfigCommands

/// What goes to standard output, what to standard error, and how each verb ends.
@Suite struct VerbTests {
  static let devices = [
    DeviceSamples.mouseStatus, DeviceSamples.opticalStatus, DeviceSamples.mountedStatus,
  ]

  @Test func listPrintsTheTableAndNothingElse() throws {
    let run = try Run(["list"], FakeAgentClient(Self.devices))
    #expect(run.code == .success)
    #expect(run.console.data == DeviceTable.lines(Self.devices))
    #expect(run.console.talk.isEmpty)
  }

  @Test func listOfOneDevicePrintsThatOne() throws {
    let run = try Run(["list", "gamma/M4848"], FakeAgentClient(Self.devices))
    #expect(run.console.data == DeviceTable.lines([DeviceSamples.mouseStatus]))
  }

  @Test(arguments: ["--long", "-l"]) func listLongPrintsBlocks(flag: String) throws {
    let run = try Run(["list", flag], FakeAgentClient(Self.devices))
    let blocks = Self.devices.map { DeviceBlock.text($0) }.joined(separator: "\n")
    #expect(run.console.data.joined(separator: "\n") == blocks)
    #expect(run.console.talk.isEmpty)
    let one = try Run(["list", flag, "3"], FakeAgentClient(Self.devices))
    #expect(one.console.data.first == "  3: IO-DATA DEVICE,INC. Optical Storage")
  }

  @Test func listJSONPrintsOneLine() throws {
    let run = try Run(["list", "--json"], FakeAgentClient(Self.devices))
    #expect(run.console.data == [try DeviceJSON.text(Self.devices)])
    #expect(run.console.talk.isEmpty)
  }

  @Test func listOfNothingSaysSoBesideTheData() throws {
    let run = try Run(["list"], FakeAgentClient())
    #expect(run.code == .success)
    #expect(run.console.data.isEmpty)
    #expect(run.console.talk.count == 1)
    let json = try Run(["list", "--json"], FakeAgentClient())
    #expect(json.console.data == [#"{"devices":[],"schema":"devconfig/1"}"#])
    #expect(json.console.talk.isEmpty)
  }

  @Test func whatTheKernelWouldNotSleepWithIsSaid() throws {
    let client = FakeAgentClient(Self.devices)
    let run = try Run(["sleep"], client)
    #expect(run.code == .success)
    #expect(run.console.talk.isEmpty && run.console.data.isEmpty)
    client.left = ["Optical Storage on alpha is attached still"]
    let stuck = try Run(["sleep"], client)
    #expect(stuck.code == .failure)
    #expect(stuck.console.talk.first == "Optical Storage on alpha is attached still")
    #expect(stuck.console.talk.contains("devconfig: the kernel will not let this machine sleep"))
    #expect(client.requests == ["sleep", "sleep"])
    // It is for a unit, not for people.
    #expect(!Devconfig.helpMessage().contains("sleep"))
  }

  @Test func upPrintsWhereTheDeviceIs() throws {
    let client = FakeAgentClient(Self.devices)
    let run = try Run(["up", "2"], client)
    #expect(run.code == .success)
    #expect(run.console.data == ["2: Logitech M4848 on gamma: attached, /dev/sr1, /dev/sg2"])
    #expect(run.console.talk.isEmpty)
    #expect(client.requests == ["up 2"])
  }

  @Test func upOfADeviceThatIsUpSaysSoAndSucceeds() throws {
    let client = FakeAgentClient(Self.devices)
    _ = try Run(["up", "2"], client)
    let run = try Run(["up", "2"], client)
    #expect(run.code == .success)
    #expect(run.console.data == ["2: Logitech M4848 on gamma: attached, /dev/sr1, /dev/sg2"])
    #expect(run.console.talk == ["Logitech M4848 is up already"])
  }

  @Test func upAndKeepSaysWhatThatMeans() throws {
    let client = FakeAgentClient(Self.devices)
    let run = try Run(["up", "--keep", "2"], client)
    #expect(run.console.data == ["2: Logitech M4848 on gamma: attached, /dev/sr1, /dev/sg2"])
    #expect(
      run.console.talk == ["kept: attached again whenever it is lost, until devconfig down 2"])
    let again = try Run(["up", "--keep", "2"], client)
    #expect(again.console.talk == ["Logitech M4848 is up and kept already"])
    #expect(client.requests == ["up 2 --keep", "up 2 --keep"])
  }

  @Test func downByForceSaysWhatItDid() throws {
    let client = FakeAgentClient(Self.devices)
    let run = try Run(["down", "--force", "3"], client)
    #expect(run.code == .success)
    #expect(run.console.data.isEmpty)
    #expect(run.console.talk.first == "/mnt: everything is written")
    #expect(client.requests == ["down 3 --force"])
  }

  @Test func nameIsSilentUnlessNothingChanges() throws {
    let client = FakeAgentClient(Self.devices)
    let first = try Run(["name", "2", "Maus"], client)
    #expect(first.code == .success)
    #expect(first.console.data.isEmpty && first.console.talk.isEmpty)
    #expect(try Run(["name", "maus", "Maus"], client).console.talk == ["Maus is its name already"])
    #expect(try Run(["name", "--remove", "maus"], client).console.talk.isEmpty)
    let last = try Run(["name", "2", "--remove"], client)
    #expect(last.console.talk == ["Logitech M4848 has no given name"])
    #expect(
      client.requests == [
        "name 2 Maus", "name maus Maus", "name maus --remove", "name 2 --remove",
      ])
  }

  @Test(arguments: [
    ["name", "2"], ["name"], ["name", "--remove"], ["name", "--remove", "2", "x"],
  ])
  func nameWantsANameOrRemove(arguments: [String]) {
    #expect(throws: (any Error).self) { try Devconfig.parseAsRoot(arguments) }
  }

  @Test func upOfADeviceOfThisMachineSaysSoAndSucceeds() throws {
    let run = try Run(["up", "12"], FakeAgentClient(Self.devices))
    #expect(run.code == .success)
    #expect(run.console.data.isEmpty)
    #expect(
      run.console.talk == [
        "SanDisk Cruzer Blade is plugged into this machine: it can be used as it is"
      ])
  }

  @Test func downSaysNothingWhenItIsDone() throws {
    let client = FakeAgentClient(Self.devices)
    let run = try Run(["down", "alpha/Optical"], client)
    #expect(run.code == .success)
    #expect(run.console.data.isEmpty)
    #expect(run.console.talk.isEmpty)
    #expect(client.requests == ["down alpha/Optical"])
    let again = try Run(["down", "3"], client)
    #expect(again.code == .success)
    #expect(again.console.data.isEmpty)
    #expect(again.console.talk == ["IO-DATA DEVICE,INC. Optical Storage is down already"])
  }

  @Test(
    arguments: AgentError.Kind.allCases,
    [
      ["list"], ["up", "3"], ["down", "3"], ["status"], ["status", "3"],
      ["capture", "3", "/nonexistent/file"],
    ])
  func eachErrorIsToldWithItsNextStepAndItsExitCode(
    kind: AgentError.Kind, arguments: [String]
  ) throws {
    let error = AgentError(kind, "what happened", hint: "what to type")
    let run = try Run(arguments, FakeAgentClient(Self.devices, failure: error))
    #expect(run.code == kind.exitCode)
    #expect(run.code != .success)
    #expect(run.console.data.isEmpty)
    #expect(run.console.talk == ["devconfig: what happened", "  what to type"])
  }

  @Test func anErrorWithoutANextStepIsOneLine() throws {
    let run = try Run(
      ["list"], FakeAgentClient(failure: AgentError(.failed, "what happened")))
    #expect(run.console.talk == ["devconfig: what happened"])
  }

  @Test(arguments: [["up", "04bb:0147"], ["down", "optical"], ["list", "Optical Storage"]])
  func anAmbiguousNameListsTheCandidatesAndDoesNothing(arguments: [String]) throws {
    var twin = DeviceSamples.opticalStatus
    twin.id = 9
    twin.host = "delta"
    twin.localState = .detached
    let client = FakeAgentClient([DeviceSamples.mouseStatus, DeviceSamples.opticalStatus, twin])
    let run = try Run(arguments, client)
    #expect(run.code == .ambiguousDevice)
    #expect(run.console.data.isEmpty)
    #expect(
      run.console.talk == [
        "devconfig: \(arguments[1]) names 2 devices",
        "  name one of them by its ID",
      ] + DeviceTable.lines([DeviceSamples.opticalStatus, twin]).map { "  " + $0 })
    #expect(try client.list().map(\.localState) == [.detached, .attached, .detached])
  }

  @Test func anUnknownNameSaysWhereToLook() throws {
    let run = try Run(["list", "printer"], FakeAgentClient(Self.devices))
    #expect(run.code == .unknownDevice)
    #expect(run.console.talk.first == "devconfig: no device is named printer")
    #expect(run.console.talk.last?.contains("devconfig list") == true)
  }
}
