// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors
//
// Plays a script of USB requests on one device through usbfs, the same way every time:
//
//     usbfs-play /dev/bus/usb/BBB/DDD STEP...
//
//     claim:INTERFACE              take an interface, from its driver if it has one
//     alt:INTERFACE:SETTING        SET_INTERFACE
//     config:VALUE                 SET_CONFIGURATION; no interface may be claimed
//     release:INTERFACE            give an interface back to nobody
//     halt:ENDPOINT                CLEAR_FEATURE(ENDPOINT_HALT)
//     control:TYPE:REQUEST:VALUE:INDEX:LENGTH[:HEX]    OUT data repeats HEX, or is the pattern below
//     in:ENDPOINT:LENGTH:COUNT[:strict]                bulk or interrupt; strict: a short packet is an error
//     out:ENDPOINT:LENGTH:COUNT[:zero|:HEX]            zero: a zero-length packet ends full ones
//     unlink:ENDPOINT:LENGTH:COUNT:first|last          queue reads, wait, discard them, the first or the last one first
//     reset                        reset the device, whoever has it
//     wait:MILLISECONDS
//
// Numbers are decimal, or hexadecimal with 0x. OUT data is the pattern of the SourceSink gadget (byte N of a packet is
// N modulo 63). COUNT URBs are queued before the first one is reaped. For each step one line is printed: its number, 0
// or the negative errno; and one for each URB, in the order of their completion: the number of the step, the number of
// the URB in it, its status, its length, and IN data in hexadecimal. An URB that does not complete in 10 s is
// discarded. The exit status is 0 when every step was played, however it ended, and 2 when one could not be.

#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { SETUP = 8, FIELDS = 8, QUEUE = 64, LENGTH = 1 << 17, PACKET = 512, LIMIT = 10000, PAUSE = 50 };

struct request {
    struct usbdevfs_urb urb;
    unsigned char *data;
};

static int device;
static int step;
static struct request requests[QUEUE];

static void pattern(unsigned char *data, unsigned length) {
    for (unsigned index = 0; index < length; index++) data[index] = (unsigned char)(index % PACKET % 63);
}

// Fills data with the bytes of hexadecimal text, again and again.
static int bytes(const char *text, unsigned char *data, unsigned length) {
    unsigned count = (unsigned)strlen(text) / 2;
    if (count == 0 || strlen(text) % 2 != 0) return -1;
    for (unsigned index = 0; index < length; index++)
        if (sscanf(text + index % count * 2, "%2hhx", &data[index]) != 1) return -1;
    return 0;
}

static void show(int number) {
    struct request *request = &requests[number];
    printf("%d %d %d %d ", step, number, request->urb.status, request->urb.actual_length);
    unsigned char *data = request->data;
    int length = request->urb.actual_length;
    int in = request->urb.endpoint & 0x80;
    if (request->urb.type == USBDEVFS_URB_TYPE_CONTROL) {
        in = data[0] & 0x80;
        data += SETUP;
    }
    for (int index = 0; in && index < length; index++) printf("%02x", data[index]);
    printf("\n");
}

static int submit(int number, int type, int endpoint, int length, unsigned flags) {
    struct request *request = &requests[number];
    request->urb = (struct usbdevfs_urb){
        .type = (unsigned char)type,
        .endpoint = (unsigned char)endpoint,
        .buffer = request->data,
        .buffer_length = length,
        .flags = flags,
        .usercontext = request,
    };
    return ioctl(device, USBDEVFS_SUBMITURB, &request->urb) < 0 ? -errno : 0;
}

static void reap(int count) {
    int discarded = 0;
    while (count > 0) {
        struct pollfd event = {.fd = device, .events = POLLOUT};
        int ready = poll(&event, 1, LIMIT);
        struct usbdevfs_urb *urb = NULL;
        if (ioctl(device, USBDEVFS_REAPURBNDELAY, &urb) == 0) {
            struct request *request = urb->usercontext;
            show((int)(request - requests));
            count--;
        } else if (errno != EAGAIN || discarded) {
            return;
        } else if (ready == 0) {
            for (int index = 0; index < QUEUE; index++) ioctl(device, USBDEVFS_DISCARDURB, &requests[index].urb);
            discarded = 1;
        }
    }
}

static int number(const char *text) { return text ? (int)strtol(text, NULL, 0) : 0; }

static void pause_for(int milliseconds) {
    struct timespec time = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

// 0 or a negative errno of the step; 1 when it is not a step.
static int control(char **field) {
    int length = number(field[5]);
    if (length < 0 || length > LENGTH - SETUP) return 1;
    unsigned char *data = requests[0].data;
    data[0] = (unsigned char)number(field[1]);
    data[1] = (unsigned char)number(field[2]);
    for (int index = 0; index < 3; index++) {
        int value = index == 2 ? length : number(field[3 + index]);
        data[2 + 2 * index] = (unsigned char)value;
        data[3 + 2 * index] = (unsigned char)(value >> 8);
    }
    pattern(data + SETUP, (unsigned)length);
    if (field[6] && bytes(field[6], data + SETUP, (unsigned)length) < 0) return 1;
    int failed = submit(0, USBDEVFS_URB_TYPE_CONTROL, 0, SETUP + length, 0);
    if (!failed) reap(1);
    return failed;
}

static int transfer(char **field) {
    int in = strcmp(field[0], "out") != 0, unlinking = strcmp(field[0], "unlink") == 0;
    int endpoint = number(field[1]), length = number(field[2]), count = number(field[3]);
    if (length < 0 || length > LENGTH || count < 1 || count > QUEUE || (in && !(endpoint & 0x80))) return 1;
    unsigned flags = 0;
    int last = field[4] && strcmp(field[4], "last") == 0;
    if (field[4] && strcmp(field[4], "strict") == 0) flags = USBDEVFS_URB_SHORT_NOT_OK;
    if (field[4] && strcmp(field[4], "zero") == 0) flags = USBDEVFS_URB_ZERO_PACKET;
    int failed = 0, queued = 0;
    for (; queued < count && !failed; queued++) {
        unsigned char *data = requests[queued].data;
        pattern(data, (unsigned)length);
        if (!in && field[4] && !flags && bytes(field[4], data, (unsigned)length) < 0) return 1;
        // usbfs takes a bulk request for an interrupt endpoint as an interrupt request.
        failed = submit(queued, USBDEVFS_URB_TYPE_BULK, endpoint, length, flags);
    }
    if (failed) queued--;
    if (unlinking) {
        // vhci_hcd may send an unlinking before the request it is about; here it shall have sent the request.
        pause_for(PAUSE);
        for (int index = 0; index < queued; index++)
            ioctl(device, USBDEVFS_DISCARDURB, &requests[last ? queued - 1 - index : index].urb);
    }
    reap(queued);
    return failed;
}

static int play(char **field) {
    if (strcmp(field[0], "control") == 0) return control(field);
    if (strcmp(field[0], "in") == 0 || strcmp(field[0], "out") == 0 || strcmp(field[0], "unlink") == 0)
        return transfer(field);
    unsigned value = (unsigned)number(field[1]);
    int result = 1;
    if (strcmp(field[0], "wait") == 0) {
        pause_for((int)value);
        return 0;
    } else if (strcmp(field[0], "reset") == 0) {
        result = ioctl(device, USBDEVFS_RESET, NULL);
    } else if (strcmp(field[0], "claim") == 0) {
        struct usbdevfs_disconnect_claim claim = {.interface = value};
        result = ioctl(device, USBDEVFS_DISCONNECT_CLAIM, &claim);
    } else if (strcmp(field[0], "release") == 0) {
        result = ioctl(device, USBDEVFS_RELEASEINTERFACE, &value);
    } else if (strcmp(field[0], "alt") == 0) {
        struct usbdevfs_setinterface setting = {.interface = value, .altsetting = (unsigned)number(field[2])};
        result = ioctl(device, USBDEVFS_SETINTERFACE, &setting);
    } else if (strcmp(field[0], "config") == 0) {
        result = ioctl(device, USBDEVFS_SETCONFIGURATION, &value);
    } else if (strcmp(field[0], "halt") == 0) {
        result = ioctl(device, USBDEVFS_CLEAR_HALT, &value);
    }
    return result < 0 ? -errno : result;
}

int main(int count, char **arguments) {
    if (count < 3) {
        fprintf(stderr, "usage: usbfs-play DEVICE STEP...\n");
        return 2;
    }
    device = open(arguments[1], O_RDWR | O_CLOEXEC);
    if (device < 0) {
        fprintf(stderr, "usbfs-play: %s: %s\n", arguments[1], strerror(errno));
        return 2;
    }
    for (int index = 0; index < QUEUE; index++) {
        requests[index].data = calloc(1, LENGTH);
        if (!requests[index].data) return 2;
    }
    for (step = 0; step < count - 2; step++) {
        char *field[FIELDS] = {0}, *rest = arguments[step + 2];
        for (int index = 0; index < FIELDS - 1 && rest; index++) field[index] = strsep(&rest, ":");
        int status = play(field);
        if (status > 0) {
            fprintf(stderr, "usbfs-play: not a step: %s\n", arguments[step + 2]);
            return 2;
        }
        printf("%d %d\n", step, status);
        fflush(stdout);
    }
    return 0;
}
