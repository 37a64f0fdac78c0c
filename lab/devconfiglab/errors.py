# SPDX-License-Identifier: Apache-2.0
"""What can go wrong in the lab, as messages for the person at the keyboard."""


class LabError(Exception):
    """The lab cannot do what was asked; the message says why and what to do."""


class CommandFailed(LabError):
    """A command in a machine ended badly; the message shows everything it printed."""


class NotReached(LabError):
    """A condition was not met within its limit."""


class ScenarioSkipped(Exception):
    """The scenario cannot be played here; the message says what is missing."""
