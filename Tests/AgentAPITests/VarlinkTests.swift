// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import TestSupport
import Testing
import USBModel

/// The envelopes as the text that goes over the socket: other programs read and write it.
@Suite struct VarlinkTests {
  static let opticalJSON = """
    {"address":"10.9.0.1","busid":"1-1","host":"alpha","id":3,"is_local":false,\
    "local_state":"CONN_DONE","name":"IO-DATA DEVICE,INC. Optical Storage",\
    "nodes":["/dev/sr0","/dev/sg1"],"port":3240,"product_id":"0147","remote_module":"USBIP",\
    "remote_state":"INUSE","remote_user":"taka@beta","serial":"0A1B2C","vendor_id":"04bb"}
    """

  @Test func aCallLeavesOutWhatIsFalse() throws {
    #expect(
      try MessageTests.text(Call(AgentCalls.up, AgentCalls.UpParameters(device: "alpha/Disk")))
        == """
        {"method":"org.devconfig.Agent.Up","parameters":{"device":"alpha/Disk"}}
        """)
  }

  @Test func aCallSaysWhatItWantsBesideAReply() throws {
    let call = Call(
      ExporterCalls.importDevice,
      ExporterCalls.ImportParameters(busid: "1-2.3", user: "taka", host: "beta"), upgrade: true)
    #expect(
      try MessageTests.text(call) == """
        {"method":"org.devconfig.Exporter.Import",\
        "parameters":{"busid":"1-2.3","host":"beta","user":"taka"},"upgrade":true}
        """)
    #expect(
      try MessageTests.text(
        Call(
          ExporterCalls.importDevice,
          ExporterCalls.ImportParameters(busid: "1-2.3", user: "taka", host: "beta", port: 3241)))
          == """
          {"method":"org.devconfig.Exporter.Import",\
          "parameters":{"busid":"1-2.3","host":"beta","port":3241,"user":"taka"}}
          """)
    #expect(
      try MessageTests.text(
        Call(
          ImporterCalls.giveBack,
          ImporterCalls.GiveBackParameters(exporter: "a1", busid: "1-2.3", force: true))) == """
          {"method":"org.devconfig.Importer.GiveBack",\
          "parameters":{"busid":"1-2.3","exporter":"a1","force":true}}
          """)
    #expect(
      try MessageTests.text(Call(AgentCalls.list, Nothing(), more: true)) == """
        {"method":"org.devconfig.Agent.List","more":true,"parameters":{}}
        """)
  }

  @Test func aReplyHasItsResultsUnderParameters() throws {
    #expect(try MessageTests.text(Reply(Nothing())) == #"{"parameters":{}}"#)
    #expect(
      try MessageTests.text(Reply(Nothing(), continues: true)) == """
        {"continues":true,"parameters":{}}
        """)
  }

  @Test func aDeviceHasTheKeysOfTheContract() throws {
    #expect(
      try MessageTests.text(Reply(AgentCalls.ListResults(devices: [DeviceSamples.opticalStatus])))
        == #"{"parameters":{"devices":[\#(Self.opticalJSON)]}}"#)
  }

  @Test func anOutcomeAndAboutHaveTheirKeys() throws {
    #expect(
      try MessageTests.text(
        AgentCalls.Outcome(device: DeviceSamples.opticalStatus, changed: false))
        == #"{"changed":false,"device":\#(Self.opticalJSON)}"#)
    #expect(
      try MessageTests.text(
        AgentCalls.AboutResults(
          version: "1.2", host: "beta", agent: "0f", configuration: "/c"))
        == #"{"agent":"0f","configuration":"/c","host":"beta","version":"1.2"}"#)
  }

  @Test func anErrorReplyNamesItsInterface() throws {
    let error = AgentError(
      .inUse, "Optical Storage is in use by taka@beta", hint: "ask taka@beta for it")
    #expect(
      try MessageTests.text(ErrorReply(error, interface: AgentCalls.interface)) == """
        {"error":"org.devconfig.Agent.DeviceInUse","parameters":{"hint":"ask taka@beta for it",\
        "message":"Optical Storage is in use by taka@beta"}}
        """)
  }

  @Test(arguments: AgentError.Kind.allCases)
  func everyErrorComesBackAsItWas(kind: AgentError.Kind) throws {
    let error = AgentError(
      kind, "what happened to \(kind.rawValue)", hint: "what to type",
      candidates: [DeviceSamples.mouseStatus, DeviceSamples.mountedStatus])
    let bytes = try Message.encode(ErrorReply(error, interface: AgentCalls.interface))
    let thrown = try #require(throws: AgentError.self) {
      _ = try Message.decodeReply(AgentCalls.Outcome.self, from: bytes.dropLast())
    }
    #expect(thrown == error)
  }

  @Test func anErrorWithoutHintAndCandidatesComesBackAsItWas() throws {
    let error = AgentError(.failed, "it failed")
    let bytes = try Message.encode(ErrorReply(error, interface: SessionCalls.interface))
    #expect(
      try Message.decode(ErrorReply.self, from: bytes.dropLast()).agentError == error)
  }

  @Test(arguments: [
    (#"{"error":"org.varlink.service.MethodNotFound","parameters":{"method":"a.B"}}"#, false),
    (#"{"error":"org.devconfig.Agent.NewKindOfError","parameters":{"message":"new"}}"#, true),
    (#"{"error":"org.devconfig.Agent.NewKindOfError"}"#, true),
    (#"{"error":"","parameters":{"message":"m"}}"#, true),
    (#"{"error":"...","parameters":null}"#, true),
  ])
  func anErrorNobodyKnowsIsAFailure(text: String, isWhole: Bool) throws {
    let thrown = try #require(throws: AgentError.self) {
      _ = try Message.decodeReply(Nothing.self, from: Array(text.utf8))
    }
    #expect(thrown.kind == .failed)
    if !isWhole { #expect(thrown.message.contains("MethodNotFound")) }
  }

  @Test func aReplyToSomethingElseIsAMismatch() throws {
    let bytes = try Message.encode(
      Reply(AgentCalls.AboutResults(version: "", host: "", agent: "", configuration: "")))
    let thrown = try #require(throws: AgentError.self) {
      _ = try Message.decodeReply(AgentCalls.ListResults.self, from: bytes.dropLast())
    }
    #expect(thrown.kind == .protocolMismatch)
  }

  @Test func aCallFromANewerProgramWithMoreKeysIsUnderstood() throws {
    let text = """
      {"method":"org.devconfig.Agent.Up","parameters":{"device":"3","wish":"new"},"tag":[1,{}]}
      """
    let call = try Message.decode(Call<AgentCalls.UpParameters>.self, from: Array(text.utf8))
    #expect(call.method == AgentCalls.up)
    #expect(call.parameters.device == "3")
    #expect(call.upgrade == nil)
  }

  @Test func aSessionFailureKeepsItsKind() throws {
    let failure = SessionCalls.Failure(AgentError(.unreachable, "alpha closed the connection"))
    #expect(
      try MessageTests.text(failure)
        == #"{"kind":"ExporterUnreachable","message":"alpha closed the connection"}"#)
    #expect(failure.agentError == AgentError(.unreachable, "alpha closed the connection"))
    var unknown = failure
    unknown.kind = "SomethingElse"
    #expect(unknown.agentError.kind == .failed)
  }

  @Test func anAssignmentComesBackAsItWas() throws {
    let assignment = SessionCalls.Assignment(
      role: .importDevice, peer: "10.9.0.1:3240", address: "10.9.0.1", port: 3240, door: .agent,
      busID: "1-1", user: "taka", host: "beta", deadline: 8000)
    #expect(
      try MessageTests.text(assignment) == """
        {"address":"10.9.0.1","busID":"1-1","deadline":8000,"door":"agent","host":"beta",\
        "peer":"10.9.0.1:3240","port":3240,"role":"importDevice","user":"taka"}
        """)
    let bytes = try Message.encode(assignment)
    #expect(
      try Message.decode(SessionCalls.Assignment.self, from: bytes.dropLast()) == assignment)
  }

  @Test func aDeviceComesBackAsItWas() throws {
    let results = ExporterCalls.ImportResults(device: DeviceSamples.disk())
    let bytes = try Message.encode(results)
    #expect(
      try Message.decode(ExporterCalls.ImportResults.self, from: bytes.dropLast()) == results)
  }
}
