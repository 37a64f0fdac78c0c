// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Agent
import ArgumentParser

/// Hands over to the command line of the agent.
@main struct Entry {
  static func main() async {
    await AgentCommand.main()
  }
}
