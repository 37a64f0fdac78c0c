// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import TestSupport
import Testing

@testable import DevconfigCommands

/// The text people and programs read, to the letter.
@Suite struct OutputTests {
  let mouse = DeviceSamples.mouseStatus
  let optical = DeviceSamples.opticalStatus
  let mounted = DeviceSamples.mountedStatus

  @Test func theTable() {
    #expect(
      DeviceTable.lines([mouse, optical]).joined(separator: "\n") == """
         ID  DEVICE                               HOST   LOCAL_STATE   REMOTE_STATE  REMOTE_USER
          2  Logitech M4848                       gamma  DISCONN_DONE  AVAIL         NOBODY
          3  IO-DATA DEVICE,INC. Optical Storage  alpha  CONN_DONE     INUSE         taka@beta
        """)
  }

  @Test func theTableSaysWhyADeviceIsDenied() {
    #expect(
      DeviceTable.lines([mounted]) == [
        " ID  DEVICE                HOST  LOCAL_STATE   REMOTE_STATE  REMOTE_USER",
        " 12  SanDisk Cruzer Blade  beta  DISCONN_DONE  DENIED        "
          + "NOBODY (sdb1 is mounted on /home)",
      ])
  }

  @Test func theTableOfNothingIsEmpty() {
    #expect(DeviceTable.lines([]) == [])
  }

  @Test func greatNumbersAndForeignLettersKeepTheColumns() {
    var printer = mouse
    printer.id = 10_000
    printer.name = "Drucker für Übergröße"
    #expect(
      DeviceTable.lines([printer, mouse]) == [
        "   ID  DEVICE                 HOST   LOCAL_STATE   REMOTE_STATE  REMOTE_USER",
        "10000  Drucker für Übergröße  gamma  DISCONN_DONE  AVAIL         NOBODY",
        "    2  Logitech M4848         gamma  DISCONN_DONE  AVAIL         NOBODY",
      ])
  }

  @Test func theBlockOfFigure6() {
    var device = optical
    device.nodes = []
    #expect(
      DeviceBlock.text(device) == """
          3: IO-DATA DEVICE,INC. Optical Storage
           : IP:PORT      : 10.9.0.1:3240
           : local_state  : CONN_DONE
           : remote_state : INUSE
           : remote_user  : taka@beta
           : remote_module: USBIP
        """)
  }

  @Test func theBlockOfADeviceInUseByItsMachine() {
    #expect(
      DeviceBlock.text(mounted) == """
         12: SanDisk Cruzer Blade
           : IP:PORT      : beta
           : local_state  : DISCONN_DONE
           : remote_state : DENIED
           : remote_user  : NOBODY
           : remote_module: USBIP
           : reason       : sdb1 is mounted on /home
        """)
  }

  @Test func theBlockNamesTheNodesOfWhatIsAttached() {
    #expect(
      DeviceBlock.text(optical).split(separator: "\n").last
        == "   : nodes        : /dev/sr0 /dev/sg1")
  }

  @Test func anAddressOfVersionSixStandsInBrackets() {
    var device = mouse
    device.address = "fd00::9:1"
    #expect(DeviceBlock.text(device).contains("   : IP:PORT      : [fd00::9:1]:3240\n"))
  }

  /// A contract: keys are added, none goes or changes its meaning within the schema's number.
  @Test func theJSON() throws {
    #expect(
      try DeviceJSON.text([optical, mounted]) == """
        {"devices":[{"address":"10.9.0.1","busid":"1-1","host":"alpha","id":3,"is_local":false,\
        "local_state":"CONN_DONE","name":"IO-DATA DEVICE,INC. Optical Storage",\
        "nodes":["/dev/sr0","/dev/sg1"],"port":3240,"product_id":"0147","remote_module":"USBIP",\
        "remote_state":"INUSE","remote_user":"taka@beta","serial":"0A1B2C","vendor_id":"04bb"},\
        {"address":"","busid":"1-1.2","host":"beta","id":12,"is_local":true,\
        "local_state":"DISCONN_DONE","name":"SanDisk Cruzer Blade","nodes":[],"port":3240,\
        "product_id":"5567","reason":"sdb1 is mounted on /home","remote_module":"USBIP",\
        "remote_state":"DENIED","remote_user":"NOBODY","serial":"4C530001","vendor_id":"0781"}],\
        "schema":"devconfig/1"}
        """)
    #expect(try DeviceJSON.text([]) == #"{"devices":[],"schema":"devconfig/1"}"#)
  }
}
