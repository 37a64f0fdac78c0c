// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

// The usbfs calls of the data path. Each returns 0 or a negative errno and allocates nothing.
#ifndef DEVCONFIG_USBFS_H
#define DEVCONFIG_USBFS_H

#include <linux/usbdevice_fs.h>

// USBDEVFS_SUBMITURB; the block stays the kernel's until it is reaped.
int clinux_usbfs_submit(int descriptor, struct usbdevfs_urb *urb);
// USBDEVFS_DISCARDURB; -EINVAL where it has completed already.
int clinux_usbfs_discard(int descriptor, struct usbdevfs_urb *urb);
// USBDEVFS_REAPURBNDELAY; -EAGAIN where nothing has completed.
int clinux_usbfs_reap(int descriptor, struct usbdevfs_urb **urb);
// USBDEVFS_GET_CAPABILITIES.
int clinux_usbfs_capabilities(int descriptor, unsigned int *capabilities);
// USBDEVFS_DROP_PRIVILEGES: from now on this open node takes no interface from a driver; bit n of
// `interfaces` leaves interface n claimable.
int clinux_usbfs_drop_privileges(int descriptor, unsigned int interfaces);

// The requests a session makes on its node, those of libusb included.
unsigned int clinux_usbfs_session_request(int index);
int clinux_usbfs_session_request_count(void);

// Bytes of one block with room for `packets` isochronous packets.
unsigned long clinux_usbfs_urb_size(int packets);
// The isochronous descriptor `index` of a block.
struct usbdevfs_iso_packet_desc *clinux_usbfs_packet(struct usbdevfs_urb *urb, int index);

#endif
