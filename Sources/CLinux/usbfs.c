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

unsigned long clinux_usbfs_urb_size(int packets) {
  return sizeof(struct usbdevfs_urb) +
         (unsigned long)packets * sizeof(struct usbdevfs_iso_packet_desc);
}

struct usbdevfs_iso_packet_desc *clinux_usbfs_packet(struct usbdevfs_urb *urb, int index) {
  return &urb->iso_frame_desc[index];
}
