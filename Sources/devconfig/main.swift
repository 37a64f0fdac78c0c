// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import DevconfigCommands

Devconfig.start()
