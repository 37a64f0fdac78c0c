// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing

/// Everything that starts agents, one test at a time: dozens at once would starve the tests of other
/// modules, which count seconds.
@Suite(.serialized) enum Processes {}
