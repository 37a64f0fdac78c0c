// SPDX-License-Identifier: Apache-2.0
// The fields CODE_FILE and so on come from the logger, not from this header's macros.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <sys/uio.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-journal.h>
#include <systemd/sd-login.h>
