// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors
//
// Runs cases of the kernel's usbtest driver on one device, one after the other:
//
//     usbtest-run /dev/bus/usb/BBB/DDD CASE:ITERATIONS:LENGTH:VARY:QUEUE...
//
// LENGTH and VARY are bytes, QUEUE is the number of URBs or scatter-gather entries. Each case prints one line when it
// has ended: its number, 0 or the negative errno, and the milliseconds it took. The exit status is 0 when all cases
// were run, however they ended; 2 when the arguments were wrong or the device could not be opened.

#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

// What usbtest takes through USBDEVFS_IOCTL; drivers/usb/misc/usbtest.c, USBTEST_REQUEST_32. Native byte order.
struct parameters {
    uint32_t number;
    uint32_t iterations;
    uint32_t length;
    uint32_t vary;
    uint32_t queue;
    // The kernel fills these only when the case passes, so the time is taken here instead.
    int32_t seconds;
    int32_t microseconds;
};

_Static_assert(sizeof(struct parameters) == 28, "the request number contains this size");

enum { INTERFACE = 0 };
static const unsigned int REQUEST = _IOWR('U', 100, struct parameters);

static int64_t milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int run(int device, struct parameters *parameters) {
    struct usbdevfs_ioctl call = {.ifno = INTERFACE, .ioctl_code = (int)REQUEST, .data = parameters};
    return ioctl(device, USBDEVFS_IOCTL, &call) < 0 ? -errno : 0;
}

int main(int count, char **arguments) {
    if (count < 3) {
        fprintf(stderr, "usage: usbtest-run DEVICE CASE:ITERATIONS:LENGTH:VARY:QUEUE...\n");
        return 2;
    }
    int device = open(arguments[1], O_RDWR | O_CLOEXEC);
    if (device < 0) {
        fprintf(stderr, "usbtest-run: %s: %s\n", arguments[1], strerror(errno));
        return 2;
    }
    for (int index = 2; index < count; index++) {
        struct parameters parameters = {0};
        int end = 0;
        int found = sscanf(arguments[index], "%u:%u:%u:%u:%u%n", &parameters.number, &parameters.iterations,
                           &parameters.length, &parameters.vary, &parameters.queue, &end);
        if (found != 5 || arguments[index][end] != '\0') {
            fprintf(stderr, "usbtest-run: not a case: %s\n", arguments[index]);
            return 2;
        }
        int64_t started = milliseconds();
        int status = run(device, &parameters);
        printf("%u %d %lld\n", parameters.number, status, (long long)(milliseconds() - started));
        // A case that never ends shall not hide the ones before it.
        fflush(stdout);
    }
    return 0;
}
