// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors
//
// A library that is preloaded into devconfigd by the process tests; nothing calls it by name.
#ifndef CFAKEKERNELHOOKS_H
#define CFAKEKERNELHOOKS_H

// Names the UNIX socket (SOCK_SEQPACKET) of the fake kernel in the environment.
#define FAKE_KERNEL_VARIABLE "DEVCONFIG_FAKE_KERNEL"

#endif
