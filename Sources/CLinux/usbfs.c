// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

#include "usbfs.h"

#include <errno.h>
#include <sys/ioctl.h>

static int call(int descriptor, unsigned long request, void *argument) {
  int result;
  do {
    result = ioctl(descriptor, request, argument);
  } while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : 0;
}

int clinux_usbfs_submit(int descriptor, struct usbdevfs_urb *urb) {
  return call(descriptor, USBDEVFS_SUBMITURB, urb);
}

int clinux_usbfs_discard(int descriptor, struct usbdevfs_urb *urb) {
  return call(descriptor, USBDEVFS_DISCARDURB, urb);
}

int clinux_usbfs_reap(int descriptor, struct usbdevfs_urb **urb) {
  return call(descriptor, USBDEVFS_REAPURBNDELAY, urb);
}

int clinux_usbfs_capabilities(int descriptor, unsigned int *capabilities) {
  return call(descriptor, USBDEVFS_GET_CAPABILITIES, capabilities);
}

int clinux_usbfs_drop_privileges(int descriptor, unsigned int interfaces) {
  return call(descriptor, USBDEVFS_DROP_PRIVILEGES, &interfaces);
}

static const unsigned int session_requests[] = {
    // Every URB.
    USBDEVFS_SUBMITURB,
    USBDEVFS_REAPURBNDELAY,
    USBDEVFS_DISCARDURB,
    // libusb_wrap_sys_device of 1.0.26; CONTROL for GET_CONFIGURATION.
    USBDEVFS_CONNECTINFO,
    USBDEVFS_GET_SPEED,
    USBDEVFS_CONTROL,
    USBDEVFS_GET_CAPABILITIES,
    // Barriers. DISCONNECT_CLAIM is how libusb claims again after a reset.
    USBDEVFS_CLAIMINTERFACE,
    USBDEVFS_RELEASEINTERFACE,
    USBDEVFS_DISCONNECT_CLAIM,
    USBDEVFS_SETCONFIGURATION,
    USBDEVFS_SETINTERFACE,
    USBDEVFS_CLEAR_HALT,
    USBDEVFS_RESETEP,
    USBDEVFS_RESET,
};

unsigned int clinux_usbfs_session_request(int index) { return session_requests[index]; }

int clinux_usbfs_session_request_count(void) {
  return sizeof session_requests / sizeof session_requests[0];
}

unsigned long clinux_usbfs_urb_size(int packets) {
  return sizeof(struct usbdevfs_urb) +
         (unsigned long)packets * sizeof(struct usbdevfs_iso_packet_desc);
}

struct usbdevfs_iso_packet_desc *clinux_usbfs_packet(struct usbdevfs_urb *urb, int index) {
  return &urb->iso_frame_desc[index];
}
