// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors
#include <seccomp.h>
// SCMP_ACT_ERRNO, a macro with an argument.
static inline unsigned int cseccomp_refuse(int code) { return SCMP_ACT_ERRNO(code); }
