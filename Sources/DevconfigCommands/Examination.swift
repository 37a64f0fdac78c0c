// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost

/// Makes findings of what is known of this machine, its agent and the other machines.
struct Examination {
  /// An exporter that is listed, and how long it took to reach.
  struct Peer: Hashable {
    var host: String
    /// Address and port.
    var address: String
    var port: UInt16
    /// Milliseconds to connect; `nil` where `failure` says why not.
    var time: Double?
    var failure: String?
  }

  let survey: HostSurvey
  /// Why the agent cannot be asked; `nil` where it answers.
  let agentFailure: String?
  /// What it says of itself; `nil` where it does not answer, or not to this user.
  let status: AgentCalls.StatusResults?
  let port: UInt16
  let peers: [Peer]

  /// MiB of transfers that many devices at once need; the package's own setting.
  private static let usbfsMemory = 256
  /// The sequence numbers of each half of a controller.
  private static let sequenceNumbers = "2147483648"
  /// Milliseconds from which on devices that answer often become slow.
  private static let longTrip = 20.0
  /// Free ports of a half below which it is time to say so.
  private static let fewPorts = 2
  /// Programs that open serial devices of their own accord, and what stops them.
  private static let grabbers = [
    ("ModemManager", "systemctl disable --now ModemManager"),
    ("brltty", "apt remove brltty"),
  ]

  /// All findings, in the order in which things are needed.
  var findings: [Finding] {
    kernel + sequences + [memory, agent] + configuration + [sleep, avahi]
      + Reachability(survey: survey, port: port).findings + [clock]
      + serial
      + peers.map(finding)
  }

  private var kernel: [Finding] {
    guard survey.hasVirtualHost else {
      return [
        Finding(
          .trouble, "vhci_hcd",
          "the kernel \(survey.release) does not have it: nothing can be attached",
          mend: bringingTheModule)
      ]
    }
    return [false, true].map { isSuperSpeed in
      let half = survey.ports.filter { $0.isSuperSpeed == isSuperSpeed }
      let free = half.count { $0.state == .free }
      let text =
        "\(free) of \(half.count) \(isSuperSpeed ? "SuperSpeed" : "high-speed") ports are free"
      guard free < Examination.fewPorts else { return Finding(.good, "vhci_hcd", text) }
      return Finding(
        free == 0 ? .trouble : .notice, "vhci_hcd", text,
        mend: "devconfig list shows what is attached; devconfig down DEVICE frees a port")
    }
  }

  /// The halves of controllers that run out of sequence numbers, or the one that has used the most.
  private var sequences: [Finding] {
    let halves = status?.controllers ?? []
    let found = halves.filter { $0.state != .fresh }.map(finding)
    guard found.isEmpty, let most = halves.map(\.used).max() else { return found }
    return [
      Finding(
        .good, "vhci_hcd",
        "no half of a controller has used more than \(most) of its \(Examination.sequenceNumbers) "
          + "sequence numbers")
    ]
  }

  private func finding(_ half: ControllerReport) -> Finding {
    let text =
      "the \(half.isSuperSpeed ? "SuperSpeed" : "high-speed") half of controller \(half.controller) "
      + "has used up to \(half.used) of its \(Examination.sequenceNumbers) sequence numbers"
    switch half.state {
    case .ending:
      return Finding(
        .notice, "vhci_hcd", text + ": the kernel loses its devices then",
        mend: "devconfig status names them; devconfig down ID and devconfig up ID moves one")
    case .worn where half.controller == 0:
      return Finding(
        .notice, "vhci_hcd",
        text + ", and has the control files: it is left alone while others have room",
        mend: "with nothing attached: modprobe -r vhci-hcd && modprobe vhci-hcd")
    case .worn, .fresh:
      return Finding(.good, "vhci_hcd", text + ": it is made anew once nothing is attached to it")
    }
  }

  /// The command that brings vhci_hcd: where it is not installed, the package that has it.
  private var bringingTheModule: String {
    if survey.isVirtualHostInstalled { return "modprobe vhci-hcd" }
    if survey.distribution == "ubuntu" {
      return "apt install linux-modules-extra-\(survey.release) && modprobe vhci-hcd"
    }
    // Debian's cloud kernel has no USB; its stock kernels have all of it.
    return "apt install linux-image-$(dpkg --print-architecture), then reboot into it"
  }

  private var memory: Finding {
    switch survey.usbfsMemory {
    case nil:
      Finding(.trouble, "usbfs", "the kernel has no usbcore: nothing can be shared")
    case 0:
      Finding(.good, "usbfs", "transfers may take any memory")
    case let size? where size < Examination.usbfsMemory:
      Finding(
        .notice, "usbfs",
        "all transfers together may take \(size) MiB: several fast devices need more",
        mend:
          "echo \(Examination.usbfsMemory) > /sys/module/usbcore/parameters/usbfs_memory_mb")
    case let size?:
      Finding(.good, "usbfs", "all transfers together may take \(size) MiB")
    }
  }

  private var agent: Finding {
    guard let agentFailure else { return Finding(.good, "devconfigd", "the agent answers") }
    return Finding(
      .trouble, "devconfigd", agentFailure, mend: "systemctl enable --now devconfigd")
  }

  private var configuration: [Finding] {
    guard status != nil || agentFailure != nil else {
      return [
        Finding(
          .notice, "devconfigd",
          "what is wrong with its configuration, and the sequence numbers of vhci_hcd, are told to "
            + "members of the group \(Product.group) only",
          mend: "as root: devconfig doctor")
      ]
    }
    return status?.mistake.map {
      [
        Finding(
          .trouble, "devconfig.yaml", $0, mend: "mend that, then: systemctl reload devconfigd")
      ]
    } ?? []
  }

  private var sleep: Finding {
    guard !survey.givesBackBeforeSleep else {
      return Finding(.good, "sleep", "everything is given back before this machine sleeps")
    }
    return Finding(
      .notice, "sleep", "the kernel does not suspend this machine while a device is attached",
      mend: "systemctl enable devconfig-sleep")
  }

  private var avahi: Finding {
    if survey.hasAvahi { return Finding(.good, "avahi", "avahi-daemon runs") }
    let mend =
      survey.isAvahiInstalled
      ? "systemctl enable --now avahi-daemon" : "apt install avahi-daemon"
    return Finding(
      .trouble, "avahi", "avahi-daemon does not run: other machines are not found", mend: mend)
  }

  private var clock: Finding {
    survey.isClockKept
      ? Finding(.good, "clock", "it is kept in time")
      : Finding(
        .notice, "clock", "nobody keeps it in time: journals of two machines do not compare",
        mend: "timedatectl set-ntp true")
  }

  private var serial: [Finding] {
    Examination.grabbers.filter { survey.programs.contains($0.0) }.map { program, mend in
      Finding(
        .notice, program, "it opens serial devices of its own accord, as they come", mend: mend)
    }
  }

  private func finding(_ peer: Peer) -> Finding {
    let place = "\(peer.host) (\(peer.address), port \(peer.port))"
    guard let time = peer.time else {
      return Finding(
        .trouble, place, "it cannot be reached: \(peer.failure ?? "no answer")",
        mend: "on \(peer.host): devconfig doctor; from here: ping \(peer.address)")
    }
    let text = "it answers within \(Double(Int(time * 10)) / 10) ms"
    guard time >= Examination.longTrip else { return Finding(.good, place, text) }
    return Finding(.notice, place, "\(text): devices that answer often are slow that far away")
  }
}
