// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// How many sequence numbers each half of each controller of vhci_hcd has used, at most.
///
/// The kernel counts them in an `int` for each half and shows it nowhere; behind 2^31 - 1 it takes no answer of an
/// exporter for the one it waits for, and loses every device of that half (drivers/usb/usbip/vhci_hcd.c,
/// `seqnum`). Each URB takes one number, and where it is taken back one more. So twice the URBs of all devices
/// that were ever attached to a half are an upper bound, but for what a device does between the last look at it and
/// its end: for that, what it did between the two looks before is taken again, and `allowance` at least.
///
/// A pure value: what is seen is given to it.
public struct SequenceBudget: Sendable, Codable, Hashable {
  /// The numbers of one half: the next one is not understood any more.
  public static let limit: UInt64 = 1 << 31
  /// From how many on a controller is left alone and, once empty, made anew, unless told otherwise.
  public static let defaultRenewal: UInt64 = 1 << 30
  /// URBs that a device does unseen before its end, at least: coming up takes about a hundred.
  static let allowance: UInt64 = 1000

  /// The ports of one controller for high speed and below, or those for SuperSpeed.
  public struct Half: Sendable, Codable, Hashable {
    /// The number of the controller.
    public var controller: Int
    /// True for the ports of SuperSpeed devices.
    public var isSuperSpeed: Bool

    /// Takes both.
    public init(controller: Int, isSuperSpeed: Bool) {
      self.controller = controller
      self.isSuperSpeed = isSuperSpeed
    }
  }

  /// What is seen of one half at one moment.
  public struct Sample: Sendable, Hashable {
    /// The half.
    public var half: Half
    /// Another number each time the kernel made the half, and its counter, anew.
    public var generation: UInt64
    /// The URBs of each device on it, by a number that no device before it had.
    public var urbs: [UInt64: UInt64]

    /// Takes all parts.
    public init(half: Half, generation: UInt64, urbs: [UInt64: UInt64]) {
      self.half = half
      self.generation = generation
      self.urbs = urbs
    }
  }

  /// How far a half is.
  public enum Wear: Sendable, Hashable {
    /// There is enough left.
    case fresh
    /// Nothing more is to be attached to its controller, which is to be made anew once it is empty.
    case worn
    /// What is attached to it should be moved, before the kernel loses it.
    case ending
  }

  private struct Device: Sendable, Codable, Hashable {
    var identity: UInt64
    var urbs: UInt64
    /// How many of them came between the last two looks.
    var growth: UInt64
  }

  private struct Account: Sendable, Codable, Hashable {
    var half: Half
    var generation: UInt64
    /// URBs of devices that are gone.
    var past: UInt64 = 0
    var devices: [Device] = []

    var used: UInt64 {
      let urbs = devices.reduce(past) { $0.adding($1.urbs) }
      return urbs.adding(urbs)
    }
  }

  private var accounts: [Account] = []

  /// Nothing was seen yet.
  public init() {}

  /// All halves, by controller, high speed first.
  public var halves: [Half] {
    accounts.map(\.half).sorted {
      ($0.controller, $0.isSuperSpeed ? 1 : 0) < ($1.controller, $1.isSuperSpeed ? 1 : 0)
    }
  }

  /// The sequence numbers `half` has used, at most.
  public func used(_ half: Half) -> UInt64 { accounts.first { $0.half == half }?.used ?? 0 }

  /// How far `half` is, where controllers are made anew from `renewal` numbers on.
  public func wear(_ half: Half, renewal: UInt64) -> Wear {
    let used = used(half)
    if used < renewal { return .fresh }
    return used < renewal.adding(renewal / 2) ? .worn : .ending
  }

  /// The controllers of which a half is not fresh.
  public func wornControllers(renewal: UInt64) -> Set<Int> {
    Set(accounts.filter { $0.used >= renewal }.map(\.half.controller))
  }

  /// Takes in what is seen of all halves at one moment.
  ///
  /// A half that is not seen, or in another generation, has used nothing.
  public mutating func take(_ samples: [Sample]) {
    accounts = samples.map { sample in
      let known = accounts.first {
        $0.half == sample.half && $0.generation == sample.generation
      }
      var account = known ?? Account(half: sample.half, generation: sample.generation)
      var devices: [Device] = []
      for (identity, urbs) in sample.urbs {
        let before = account.devices.first { $0.identity == identity }?.urbs ?? 0
        devices.append(
          Device(identity: identity, urbs: max(urbs, before), growth: max(urbs, before) - before))
      }
      for gone in account.devices where sample.urbs[gone.identity] == nil {
        account.past = account.past.adding(gone.urbs)
          .adding(max(gone.growth, SequenceBudget.allowance))
      }
      account.devices = devices.sorted { $0.identity < $1.identity }
      return account
    }
  }
}

extension UInt64 {
  /// The sum, or the greatest number where it does not fit.
  fileprivate func adding(_ other: UInt64) -> UInt64 {
    let (sum, isOver) = addingReportingOverflow(other)
    return isOver ? .max : sum
  }
}
