// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors
//
// Keeps a queue of isochronous OUT URBs on a USB loudspeaker, as the 2005 paper does in its section 4.1.2:
//
//     paper-isochronous /dev/bus/usb/BBB/DDD QUEUE PACKETS URBS
//
// QUEUE URBs of PACKETS packets are submitted at once; each is submitted again as soon as it is reaped, until URBs of them
// have completed. For each one a line is printed in the end: the nanoseconds since the first submission at which it was
// reaped, and how many of its packets failed. The exit status is 1 when the device did not do what was asked, and 2 when
// the arguments were wrong.

#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

// QEMU's usb-audio, hw/usb/dev-audio.c: stereo, 16 bits, 48 kHz, a packet each millisecond.
enum { INTERFACE = 1, STEREO = 1, ENDPOINT = 0x01, PACKET = 192 };
// usbfs takes up to 128 packets in one URB.
enum { QUEUE = 64, PACKETS = 128, URBS = 100000 };

static int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "paper-isochronous: %s: %s\n", what, strerror(errno));
    exit(1);
}

int main(int count, char **arguments) {
    int queue = count == 5 ? atoi(arguments[2]) : 0;
    int packets = count == 5 ? atoi(arguments[3]) : 0;
    int urbs = count == 5 ? atoi(arguments[4]) : 0;
    if (queue < 1 || queue > QUEUE || packets < 1 || packets > PACKETS || urbs < queue || urbs > URBS) {
        fprintf(stderr, "usage: paper-isochronous DEVICE QUEUE PACKETS URBS\n");
        return 2;
    }
    int device = open(arguments[1], O_RDWR | O_CLOEXEC);
    if (device < 0) fail(arguments[1]);
    struct usbdevfs_disconnect_claim claim = {.interface = INTERFACE};
    if (ioctl(device, USBDEVFS_DISCONNECT_CLAIM, &claim) < 0) fail("claim");
    struct usbdevfs_setinterface setting = {.interface = INTERFACE, .altsetting = STEREO};
    if (ioctl(device, USBDEVFS_SETINTERFACE, &setting) < 0) fail("set interface");

    int64_t *times = calloc((size_t)urbs, sizeof *times);
    int *errors = calloc((size_t)urbs, sizeof *errors);
    struct usbdevfs_urb *waiting[QUEUE];
    if (!times || !errors) fail("memory");
    for (int index = 0; index < queue; index++) {
        struct usbdevfs_urb *urb = calloc(1, sizeof *urb + (size_t)packets * sizeof urb->iso_frame_desc[0]);
        void *silence = calloc((size_t)packets, PACKET);
        if (!urb || !silence) fail("memory");
        *urb = (struct usbdevfs_urb){.type = USBDEVFS_URB_TYPE_ISO, .endpoint = ENDPOINT, .flags = USBDEVFS_URB_ISO_ASAP,
                                     .buffer = silence, .buffer_length = packets * PACKET,
                                     .number_of_packets = packets};
        for (int packet = 0; packet < packets; packet++) urb->iso_frame_desc[packet].length = PACKET;
        waiting[index] = urb;
    }
    int64_t started = nanoseconds();
    for (int index = 0; index < queue; index++)
        if (ioctl(device, USBDEVFS_SUBMITURB, waiting[index]) < 0) fail("submit");
    for (int done = 0; done < urbs; done++) {
        struct usbdevfs_urb *urb = NULL;
        if (ioctl(device, USBDEVFS_REAPURB, &urb) < 0) fail("reap");
        times[done] = nanoseconds() - started;
        for (int packet = 0; packet < packets; packet++) errors[done] += urb->iso_frame_desc[packet].status != 0;
        if (urb->status != 0) errors[done] = packets;
        if (done + queue < urbs && ioctl(device, USBDEVFS_SUBMITURB, urb) < 0) fail("submit");
    }
    for (int done = 0; done < urbs; done++) printf("%lld %d\n", (long long)times[done], errors[done]);
    setting.altsetting = 0;
    if (ioctl(device, USBDEVFS_SETINTERFACE, &setting) < 0) fail("set interface");
    return 0;
}
