// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

// signalfd(2), which the platform module does not show.
#ifndef DEVCONFIG_TERMINATION_H
#define DEVCONFIG_TERMINATION_H

#include <signal.h>
#include <sys/signalfd.h>

#endif
