// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors
#include <libusb.h>
static inline void clibusb_no_device_discovery(void) { libusb_set_option(NULL, LIBUSB_OPTION_NO_DEVICE_DISCOVERY); }
