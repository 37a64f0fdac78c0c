// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors
//
// Times single bulk IN URBs, as the 2005 paper does in its section 4.1.1, on a mass storage device that serves as source:
//
//     paper-bulk /dev/bus/usb/BBB/DDD ROUNDS SIZE...
//
// SIZE is a multiple of 512 bytes. In each round each size is read once: a READ(10) asks for that much, one URB fetches
// it, and the time of that URB alone, from its submission until it is reaped, is printed as "SIZE NANOSECONDS". The
// command before it and the status after it are not in that time. Nothing else is queued meanwhile. The exit status is 1
// when the device did not do what was asked, and 2 when the arguments were wrong.

#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

// QEMU's usb-storage, hw/usb/dev-storage.c. The wrappers are of USB Mass Storage Class, Bulk-Only Transport, 5.1 and 5.2.
enum { INTERFACE = 0, IN = 0x81, OUT = 0x02, BLOCK = 512, COMMAND_WRAPPER = 31, STATUS_WRAPPER = 13, PASSED = 0 };
enum { TEST_UNIT_READY = 0x00, READ_10 = 0x28, LONGEST = 1 << 20, ATTEMPTS = 5 };

static int device;

static int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t transfer(int endpoint, void *data, int length) {
    struct usbdevfs_urb urb = {.type = USBDEVFS_URB_TYPE_BULK, .endpoint = (unsigned char)endpoint, .buffer = data,
                               .buffer_length = length};
    struct usbdevfs_urb *done = NULL;
    int64_t started = nanoseconds();
    if (ioctl(device, USBDEVFS_SUBMITURB, &urb) < 0 || ioctl(device, USBDEVFS_REAPURB, &done) < 0) {
        fprintf(stderr, "paper-bulk: %d bytes, endpoint %#x: %s\n", length, endpoint, strerror(errno));
        exit(1);
    }
    int64_t taken = nanoseconds() - started;
    if (urb.status != 0 || urb.actual_length != length) {
        fprintf(stderr, "paper-bulk: %d bytes, endpoint %#x: status %d, %d bytes\n", length, endpoint, urb.status,
                urb.actual_length);
        exit(1);
    }
    return taken;
}

// Returns whether the device did it; *taken is the time of the data, if there is any.
static int command(int operation, void *data, int length, int64_t *taken) {
    static uint32_t tag;
    unsigned char wrapper[COMMAND_WRAPPER] = {'U', 'S', 'B', 'C'}, status[STATUS_WRAPPER];
    tag++;
    memcpy(wrapper + 4, &tag, sizeof tag);
    memcpy(wrapper + 8, &length, sizeof length);
    wrapper[12] = length > 0 ? 0x80 : 0;
    wrapper[14] = operation == READ_10 ? 10 : 6;
    wrapper[15] = (unsigned char)operation;
    wrapper[15 + 7] = (unsigned char)(length / BLOCK >> 8);
    wrapper[15 + 8] = (unsigned char)(length / BLOCK);
    transfer(OUT, wrapper, COMMAND_WRAPPER);
    if (length > 0) *taken = transfer(IN, data, length);
    transfer(IN, status, STATUS_WRAPPER);
    return status[12] == PASSED;
}

int main(int count, char **arguments) {
    int rounds = count > 3 ? atoi(arguments[2]) : 0;
    if (rounds < 1) {
        fprintf(stderr, "usage: paper-bulk DEVICE ROUNDS SIZE...\n");
        return 2;
    }
    unsigned char *data = malloc(LONGEST);
    device = open(arguments[1], O_RDWR | O_CLOEXEC);
    struct usbdevfs_disconnect_claim claim = {.interface = INTERFACE};
    if (!data || device < 0 || ioctl(device, USBDEVFS_DISCONNECT_CLAIM, &claim) < 0) {
        fprintf(stderr, "paper-bulk: %s: %s\n", arguments[1], strerror(errno));
        return 1;
    }
    // A disk that has just come says so once before it does anything.
    int ready = 0;
    for (int attempt = 0; attempt < ATTEMPTS && !ready; attempt++) ready = command(TEST_UNIT_READY, NULL, 0, NULL);
    for (int round = 0; round < rounds; round++) {
        for (int index = 3; index < count; index++) {
            int size = atoi(arguments[index]);
            int64_t taken = 0;
            if (size < BLOCK || size > LONGEST || size % BLOCK != 0) {
                fprintf(stderr, "paper-bulk: not a size: %s\n", arguments[index]);
                return 2;
            }
            if (!command(READ_10, data, size, &taken)) {
                fprintf(stderr, "paper-bulk: the device refused to read %d bytes\n", size);
                return 1;
            }
            printf("%d %lld\n", size, (long long)taken);
        }
    }
    return 0;
}
