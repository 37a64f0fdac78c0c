// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import PackageDescription

// Modules and the direction of their arrows: docs/architecture.md. `./dev check` proves it.

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let lifecycle = Target.Dependency.product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(
  name: "UnixSignals", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
  name: "devconfig",
  products: [
    .executable(name: "devconfig", targets: ["devconfig"]),
    .executable(name: "devconfigd", targets: ["devconfigd"]),
    .executable(name: "devconfig-session", targets: ["devconfig-session"]),
    // Preloaded into devconfigd by process tests; not installed.
    .library(name: "FakeKernelHooks", type: .dynamic, targets: ["CFakeKernelHooks"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
  ],
  targets: [
    // C: system libraries and shims.
    .systemLibrary(
      name: "CLibUSB", pkgConfig: "libusb-1.0", providers: [.apt(["libusb-1.0-0-dev"])]),
    .systemLibrary(name: "CUdev", pkgConfig: "libudev", providers: [.apt(["libudev-dev"])]),
    .systemLibrary(name: "CAvahi", providers: [.apt(["libavahi-client-dev"])]),
    .systemLibrary(
      name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
    .systemLibrary(
      name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
    .target(name: "CLinux"),
    .target(name: "CFakeKernelHooks"),

    // Pure: no I/O, no C, no clock.
    .target(name: "USBModel"),
    .target(name: "USBIPWire", dependencies: ["USBModel"]),
    .target(name: "USBCapture", dependencies: ["USBModel"]),
    .target(name: "SharePolicy", dependencies: ["USBModel"]),
    .target(name: "PacketFilter"),

    // Contract.
    .target(name: "AgentAPI", dependencies: ["USBModel"]),

    // Doors: one outside world each.
    .target(name: "LinuxHost", dependencies: ["CLinux", "USBModel", system]),
    .target(name: "Hotplug", dependencies: ["CUdev", "USBModel"]),
    .target(name: "Discovery", dependencies: ["CAvahi", "USBModel"]),
    .target(name: "USBHost", dependencies: ["CLibUSB", "USBModel"]),
    .target(name: "Systemd", dependencies: ["CLinux", "CSystemd", logging]),
    .target(name: "Seccomp", dependencies: ["CSeccomp", "CLinux", system]),
    .target(name: "Sandbox", dependencies: ["CLinux", system]),

    // Services: actors that know protocols, no C, no sockets.
    .target(
      name: "Sharing", dependencies: ["USBModel", "SharePolicy", "AgentAPI", logging]),
    .target(name: "Attaching", dependencies: ["USBModel", "AgentAPI", logging]),

    // Border.
    .target(
      name: "Agent",
      dependencies: [
        "USBModel", "SharePolicy", "AgentAPI", "LinuxHost", "Hotplug", "Discovery", "USBHost",
        "Systemd", "Seccomp", "Sharing", "Attaching", logging, system, lifecycle, signals, yams,
        argumentParser,
      ]),
    .target(name: "SessionControl", dependencies: ["USBModel", "AgentAPI", "LinuxHost", system]),
    .target(
      name: "ExportSession",
      dependencies: [
        "USBModel", "USBIPWire", "USBCapture", "AgentAPI", "LinuxHost", "USBHost", "SessionControl",
        system,
      ]),
    .target(
      name: "ImportSession",
      dependencies: ["USBModel", "USBIPWire", "AgentAPI", "LinuxHost", "SessionControl", system]),
    .target(
      name: "DevconfigCommands",
      dependencies: [
        "USBCapture", "PacketFilter", "AgentAPI", "LinuxHost", argumentParser, system,
      ]),

    // Executables: composition only.
    .executableTarget(name: "devconfig", dependencies: ["DevconfigCommands", argumentParser]),
    .executableTarget(name: "devconfigd", dependencies: ["Agent", argumentParser]),
    .executableTarget(
      name: "devconfig-session",
      dependencies: [
        "ExportSession", "ImportSession", "SessionControl", "AgentAPI", "LinuxHost", "Sandbox",
        "USBHost", system,
      ]),
    // Enters the sandbox and tries one thing; started by process tests, not installed.
    .executableTarget(
      name: "sandbox-probe", dependencies: ["Seccomp", "Sandbox", "CSandboxProbe", system],
      path: "Tests/sandbox-probe"),
    .target(name: "CSandboxProbe", path: "Tests/CSandboxProbe"),

    // Fakes of each door, virtual USB devices, sysfs trees.
    .target(
      name: "TestSupport",
      dependencies: [
        "USBModel", "USBIPWire", "AgentAPI", "LinuxHost", "SessionControl", "ExportSession",
        "Sharing", "Attaching", system, logging,
      ]),

    .testTarget(name: "USBModelTests", dependencies: ["USBModel", "TestSupport"]),
    .testTarget(name: "USBIPWireTests", dependencies: ["USBIPWire", "USBModel", "TestSupport"]),
    .testTarget(
      name: "USBCaptureTests", dependencies: ["USBCapture", "USBModel", "TestSupport"]),
    .testTarget(name: "SharePolicyTests", dependencies: ["SharePolicy", "TestSupport"]),
    .testTarget(name: "PacketFilterTests", dependencies: ["PacketFilter", "TestSupport"]),
    .testTarget(name: "AgentAPITests", dependencies: ["AgentAPI", "USBModel", "TestSupport"]),
    .testTarget(name: "LinuxHostTests", dependencies: ["LinuxHost", "TestSupport"]),
    .testTarget(name: "HotplugTests", dependencies: ["Hotplug", "TestSupport"]),
    .testTarget(name: "DiscoveryTests", dependencies: ["Discovery", "TestSupport"]),
    .testTarget(name: "USBHostTests", dependencies: ["USBHost", "TestSupport"]),
    .testTarget(name: "SystemdTests", dependencies: ["Systemd", "TestSupport"]),
    .testTarget(
      name: "SharingTests",
      dependencies: ["Sharing", "SharePolicy", "AgentAPI", "USBModel", "TestSupport", logging]),
    .testTarget(
      name: "AttachingTests",
      dependencies: ["Attaching", "AgentAPI", "USBModel", "TestSupport", logging]),
    .testTarget(name: "AgentTests", dependencies: ["Agent", "Systemd", "TestSupport"]),
    .testTarget(
      name: "ExportSessionTests", dependencies: ["ExportSession", "SessionControl", "TestSupport"]),
    .testTarget(
      name: "ImportSessionTests", dependencies: ["ImportSession", "SessionControl", "TestSupport"]),
    .testTarget(
      name: "DevconfigCommandsTests", dependencies: ["DevconfigCommands", "TestSupport"],
      exclude: ["Golden"]),
    .testTarget(
      name: "ProcessTests",
      dependencies: [
        "AgentAPI", "LinuxHost", "USBModel", "USBIPWire", "CFakeKernelHooks", "TestSupport",
        "devconfig", "devconfigd", "devconfig-session", "sandbox-probe", system,
      ]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu17
)

// Warnings are errors in CI only, so that a newer compiler does not break a packager's build.
let strict = Context.environment["DEVCONFIG_STRICT"] == "1"

let doors: Set = [
  "LinuxHost", "Hotplug", "Discovery", "USBHost", "Systemd", "Seccomp", "Sandbox",
]

for target in package.targets where target.type != .system {
  var settings: [SwiftSetting] = target.swiftSettings ?? []
  settings += [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
  ]
  if doors.contains(target.name) {
    settings.append(.strictMemorySafety())
  }
  if strict {
    settings.append(.treatAllWarnings(as: .error))
  }
  target.swiftSettings = settings
}
