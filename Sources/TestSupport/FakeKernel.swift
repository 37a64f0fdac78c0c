// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
internal import LinuxHost
private import Synchronization
public import SystemPackage
public import USBModel

/// The kernel behind the files of a `SysfsTree`: carries out what is written to vhci_hcd's `attach`
/// and `detach`, and shows ports, devices and nodes as a real one does.
///
/// A program takes part when the library FakeKernelHooks is preloaded into it with `environment`: its
/// writes then return when they were carried out, with the errno the kernel would give.
public final class FakeKernel: Sendable {
  /// What was asked of it.
  public enum Event: Sendable, Hashable {
    /// A socket was handed over; `device` is bus number << 16 | device number on the exporter.
    case attached(port: Int, device: UInt32, speed: UInt32)
    /// A port was told to let go.
    case detached(port: Int)
    /// A request was refused, in the words it came in.
    case refused(String)
  }

  private struct State {
    var ports: [VirtualPort]
    var sockets: [Int: SharedDescriptor] = [:]
    var contested: Set<Int> = []
    var refusal: Errno?
  }

  /// What happened, in order.
  public let log = EventLog<Event>()
  /// The node of the disk that every attached device turns out to be.
  public let node: String

  private let tree: SysfsTree
  private let device: Device?
  private let disk: String
  private let state: Mutex<State>
  private let listener: SharedDescriptor

  /// Makes the files of vhci_hcd in `tree` and serves them until this object is gone.
  ///
  /// Every attached device is `device`, a disk, on a bus of its own; `nil` attaches and never
  /// enumerates. `taken` ports belong to another program. Throws `Errno` or `HostError`.
  public init(
    _ tree: SysfsTree, device: Device? = DeviceSamples.disk(), portsPerHub: Int = 2,
    taken: Set<Int> = [], disk: String = "sdq"
  ) throws {
    self.tree = tree
    self.device = device
    self.disk = disk
    node = tree.dev.appending(disk).string
    let ports = (0..<portsPerHub * 2).map { number in
      VirtualPort(
        number: number, controller: 0, isSuperSpeed: number >= portsPerHub,
        state: taken.contains(number) ? .used : .free)
    }
    state = Mutex(State(ports: ports))
    listener = try FakeKernel.listen(FakeKernel.socket(of: tree))
    try tree.addVirtualHost(portsPerHub: portsPerHub)
    try FakeKernel.show(ports, in: tree)
    BackgroundThread.start { [weak self, listener] in
      while true {
        let number = accept(listener.rawValue, nil, nil)
        guard number >= 0 else { return }
        let channel = ControlSocket(adopting: OwnedDescriptor(adopting: number))
        guard let self, let request = try? channel.receive(deadline: 20_000) else { continue }
        let code = self.take(request)
        try? channel.send(withUnsafeBytes(of: code.rawValue) { Array($0) })
      }
    }
  }

  deinit { _ = shutdown(listener.rawValue, Int32(SHUT_RDWR)) }

  /// What a program needs in its environment to have this kernel.
  public func environment(programs: FilePath) -> [String: String] {
    [
      "LD_PRELOAD": programs.appending("libFakeKernelHooks.so").string,
      "DEVCONFIG_FAKE_KERNEL": FakeKernel.socket(of: tree).string,
    ]
  }

  /// Lets another program take these ports at the moment they are chosen.
  public func contest(_ ports: Set<Int>) { state.withLock { $0.contested = ports } }

  /// Refuses each attach from now on; `nil` takes it again.
  public func refuse(with code: Errno?) { state.withLock { $0.refusal = code } }

  /// Cuts the connection of `port`, as when the exporter's machine loses power.
  public func cut(port: Int) { free(port) }

  private func take(_ request: ControlMessage) -> Errno {
    let text = String(decoding: request.bytes, as: UTF8.self)
    let words = text.split(separator: " ")
    let numbers = words.dropFirst().compactMap { UInt32($0) }
    var code = Errno.invalidArgument
    switch (words.first, numbers.count) {
    case ("attach", 4):
      if let socket = request.descriptors.first {
        code = attach(Int(numbers[0]), socket, device: numbers[2], speed: numbers[3])
      }
    case ("detach", 1):
      let port = Int(numbers[0])
      if state.withLock({ $0.sockets[port] != nil }) {
        log.record(.detached(port: port))
        free(port)
        return Errno(rawValue: 0)
      }
    default:
      break
    }
    if code.rawValue != 0 { log.record(.refused(text)) }
    return code
  }

  private func attach(
    _ port: Int, _ socket: SharedDescriptor, device number: UInt32, speed: UInt32
  ) -> Errno {
    let code = state.withLock { state -> Errno in
      if let refusal = state.refusal { return refusal }
      guard let index = state.ports.firstIndex(where: { $0.number == port }) else {
        return .invalidArgument
      }
      if state.contested.contains(port) { state.ports[index].state = .used }
      defer { try? FakeKernel.show(state.ports, in: tree) }
      guard state.ports[index].state == .free else { return .resourceBusy }
      state.ports[index].state = .notAssigned
      state.ports[index].deviceID = number
      state.sockets[port] = socket
      return Errno(rawValue: 0)
    }
    guard code.rawValue == 0 else { return code }
    log.record(.attached(port: port, device: number, speed: speed))
    // A real kernel answers the write now and enumerates afterwards.
    BackgroundThread.start { [self] in enumerate(port) }
    return code
  }

  private func enumerate(_ port: Int) {
    guard var device else { return }
    device.busID = FakeKernel.busID(port)
    device.busNumber = 9
    device.deviceNumber = UInt32(port + 2)
    let bound = device.interfaces
    device.interfaces = bound.map { Interface(number: $0.number, classCode: $0.classCode) }
    _ = try? tree.add(device, below: SysfsTree.virtualController)
    change(port) { entry in
      entry.state = .used
      entry.localBusID = device.busID
    }
    // The driver last: its appearance is what a look at the tree notices.
    try? tree.addDisk(disk, below: device.busID)
    for interface in bound { _ = try? tree.add(interface, to: device.busID) }
  }

  private func free(_ port: Int) {
    change(port) { entry in
      entry.state = .free
      entry.deviceID = 0
      entry.localBusID = nil
    }
    state.withLock { $0.sockets[port] = nil }
    tree.remove(FilePath("dev/\(disk)"))
    try? tree.remove(FakeKernel.busID(port))
  }

  private func change(_ port: Int, _ edit: (inout VirtualPort) -> Void) {
    state.withLock { state in
      guard let index = state.ports.firstIndex(where: { $0.number == port }) else { return }
      edit(&state.ports[index])
      try? FakeKernel.show(state.ports, in: tree)
    }
  }

  /// Replaced as a whole: nobody ever reads half of it.
  private static func show(_ ports: [VirtualPort], in tree: SysfsTree) throws {
    let next = SysfsTree.virtualController.appending(".status.next")
    try tree.write(SysfsTree.statusText(ports), to: next)
    let from = tree.root.appending(next.string)
    let to = tree.root.appending(SysfsTree.virtualController.appending("status").string)
    let result = from.withCString { from in to.withCString { rename(from, $0) } }
    guard result == 0 else { throw Errno(rawValue: errno) }
  }

  private static func listen(_ path: FilePath) throws -> SharedDescriptor {
    let type = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = OwnedDescriptor(adopting: Glibc.socket(AF_UNIX, type, 0))
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let text = path.string.utf8
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: text.prefix(107)) }
    let length = socklen_t(MemoryLayout<sockaddr_un>.size)
    let isListening = withUnsafeMutablePointer(to: &address) { whole in
      whole.withMemoryRebound(to: sockaddr.self, capacity: 1) { start in
        bind(descriptor.rawValue, start, length) == 0
          && Glibc.listen(descriptor.rawValue, 16) == 0
      }
    }
    guard isListening else { throw Errno(rawValue: errno) }
    return SharedDescriptor(descriptor)
  }

  private static func socket(of tree: SysfsTree) -> FilePath { tree.root.appending("kernel.sock") }

  private static func busID(_ port: Int) -> BusID { DeviceSamples.busID("9-\(port + 1)") }
}
