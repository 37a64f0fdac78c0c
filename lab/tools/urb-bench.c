// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors
//
// Measures bulk transfers of one USB device through usbfs, and imports of a USB/IP exporter:
//
//     urb-bench stream NODE disk|plain in|out IN OUT LENGTH DEPTH MILLISECONDS [PROCESS...]
//     urb-bench latency NODE disk|plain in|out IN OUT LENGTH COUNT
//     urb-bench import ADDRESS PORT BUSID COUNT
//
// IN and OUT are the numbers of the bulk endpoints, LENGTH is the bytes of each URB, DEPTH how many are queued. A
// "disk" is asked for one long READ(10) or WRITE(10) after the other by the bulk-only transport, and the URBs are its
// data; what is "plain" sends and takes bytes without being asked. `stream` prints bytes, microseconds, and the
// microseconds of processor time that all threads of the processes with these names took meanwhile; `latency` prints
// the nanoseconds of each URB, one after the other on the wire, one a line; `import` the microseconds from connect to
// the whole import reply, one a line.

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 512, MAXIMUM_DEPTH = 64, PATIENCE = 20000 };
// One command of a disk; a multiple of every URB length that is a power of two.
static const uint32_t COMMAND_LENGTH = 16 << 20;

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("urb-bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct device {
    int node;
    bool is_disk;
    bool is_in;
    unsigned char in, out;
    uint32_t length;
    uint32_t tag;
    // Bytes the command under way still has; 0 asks for a new one.
    uint64_t left;
};

static void submit(struct device *device, struct usbdevfs_urb *urb, unsigned char endpoint, void *buffer, int length) {
    memset(urb, 0, sizeof *urb);
    urb->type = USBDEVFS_URB_TYPE_BULK;
    urb->endpoint = endpoint;
    urb->buffer = buffer;
    urb->buffer_length = length;
    if (ioctl(device->node, USBDEVFS_SUBMITURB, urb) < 0) fail("submit: %s", strerror(errno));
}

static struct usbdevfs_urb *reap(struct device *device) {
    struct usbdevfs_urb *urb = NULL;
    if (ioctl(device->node, USBDEVFS_REAPURB, &urb) < 0) fail("reap: %s", strerror(errno));
    if (urb->status != 0) fail("a URB ended with %d", urb->status);
    return urb;
}

static int transfer(struct device *device, unsigned char endpoint, void *buffer, int length) {
    struct usbdevfs_urb urb;
    submit(device, &urb, endpoint, buffer, length);
    return reap(device)->actual_length;
}

// USB Mass Storage Class, Bulk-Only Transport 1.0, section 5.1; SBC READ(10) and WRITE(10).
static void begin(struct device *device, uint32_t bytes) {
    device->left = device->is_disk ? bytes : UINT64_MAX;
    if (!device->is_disk) return;
    uint32_t blocks = bytes / BLOCK;
    unsigned char command[31] = {'U', 'S', 'B', 'C'};
    device->tag++;
    memcpy(command + 4, &device->tag, 4);
    memcpy(command + 8, &bytes, 4);
    command[12] = device->is_in ? 0x80 : 0;
    command[14] = 10;
    command[15] = device->is_in ? 0x28 : 0x2A;
    command[22] = (unsigned char)(blocks >> 8);
    command[23] = (unsigned char)blocks;
    if (transfer(device, device->out, command, sizeof command) != sizeof command) fail("a command was cut short");
}

static void finish(struct device *device) {
    unsigned char status[13];
    if (!device->is_disk) return;
    if (transfer(device, device->in, status, sizeof status) != sizeof status || status[12] != 0)
        fail("a command failed with %d", status[12]);
}

// A disk says first that it was plugged in (UNIT ATTENTION): TEST UNIT READY takes that note.
static void settle(struct device *device) {
    unsigned char command[31] = {'U', 'S', 'B', 'C'}, status[13];
    command[14] = 6;
    for (int times = 0; device->is_disk && times < 3; times++) {
        transfer(device, device->out, command, sizeof command);
        transfer(device, device->in, status, sizeof status);
    }
}

static struct device opened(char **arguments) {
    struct device device = {.node = open(arguments[0], O_RDWR | O_CLOEXEC)};
    if (device.node < 0) fail("%s: %s", arguments[0], strerror(errno));
    device.is_disk = strcmp(arguments[1], "disk") == 0;
    device.is_in = strcmp(arguments[2], "in") == 0;
    device.in = (unsigned char)(0x80 | atoi(arguments[3]));
    device.out = (unsigned char)atoi(arguments[4]);
    device.length = (uint32_t)atoi(arguments[5]);
    struct usbdevfs_disconnect_claim claim = {.interface = 0};
    if (ioctl(device.node, USBDEVFS_DISCONNECT_CLAIM, &claim) < 0) fail("claim: %s", strerror(errno));
    settle(&device);
    return device;
}

// Processor time of all threads of a process with one of these names, kernel threads too, in nanoseconds.
static int64_t processor_time(char **names, int count) {
    int64_t sum = 0;
    DIR *processes = opendir("/proc");
    for (struct dirent *entry; count > 0 && (entry = readdir(processes));) {
        char path[600], name[64] = "";
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
        snprintf(path, sizeof path, "/proc/%s/comm", entry->d_name);
        FILE *file = fopen(path, "r");
        if (!file) continue;
        if (!fgets(name, sizeof name, file)) name[0] = 0;
        fclose(file);
        name[strcspn(name, "\n")] = 0;
        bool wanted = false;
        for (int index = 0; index < count; index++) wanted = wanted || strcmp(name, names[index]) == 0;
        if (!wanted) continue;
        snprintf(path, sizeof path, "/proc/%s/task", entry->d_name);
        DIR *tasks = opendir(path);
        for (struct dirent *task; tasks && (task = readdir(tasks));) {
            long long time = 0;
            snprintf(path, sizeof path, "/proc/%s/task/%.20s/schedstat", entry->d_name, task->d_name);
            file = task->d_name[0] == '.' ? NULL : fopen(path, "r");
            if (file && fscanf(file, "%lld", &time) == 1) sum += time;
            if (file) fclose(file);
        }
        if (tasks) closedir(tasks);
    }
    closedir(processes);
    return sum;
}

static int stream(char **arguments, int count) {
    struct device device = opened(arguments);
    int depth = atoi(arguments[6]);
    int64_t limit = (int64_t)atoi(arguments[7]) * 1000000;
    if (depth < 1 || depth > MAXIMUM_DEPTH) fail("a depth of 1 to %d", MAXIMUM_DEPTH);
    struct usbdevfs_urb urbs[MAXIMUM_DEPTH];
    unsigned char *buffers = calloc((size_t)depth, device.length);
    unsigned char endpoint = device.is_in ? device.in : device.out;
    uint64_t bytes = 0;
    // The first command warms everything up.
    int64_t started = 0, processors = 0, now = 0;
    for (bool is_warm = false;; is_warm = true) {
        if (is_warm && started == 0) {
            processors = processor_time(arguments + 8, count);
            started = nanoseconds();
            bytes = 0;
        }
        begin(&device, COMMAND_LENGTH);
        uint64_t command = device.is_disk ? COMMAND_LENGTH : (uint64_t)device.length * (uint64_t)depth * 16;
        device.left = command;
        int queued = 0;
        for (; queued < depth && device.left > 0; queued++, device.left -= device.length)
            submit(&device, &urbs[queued], endpoint, buffers + (size_t)queued * device.length, (int)device.length);
        while (queued > 0) {
            struct usbdevfs_urb *urb = reap(&device);
            bytes += (uint64_t)urb->actual_length;
            queued--;
            if (device.left == 0) continue;
            submit(&device, urb, endpoint, urb->buffer, (int)device.length);
            device.left -= device.length;
            queued++;
        }
        finish(&device);
        now = nanoseconds();
        if (started != 0 && now - started >= limit) break;
    }
    int64_t used = processor_time(arguments + 8, count) - processors;
    printf("%llu %lld %lld\n", (unsigned long long)bytes, (long long)(now - started) / 1000, (long long)used / 1000);
    return 0;
}

static int latency(char **arguments) {
    struct device device = opened(arguments);
    int urbs = atoi(arguments[6]);
    unsigned char endpoint = device.is_in ? device.in : device.out;
    unsigned char *buffer = calloc(1, device.length);
    int64_t *times = calloc((size_t)urbs, sizeof *times);
    uint32_t command = (uint32_t)urbs * device.length;
    if (device.is_disk && (command % BLOCK != 0 || command > COMMAND_LENGTH)) fail("a count of whole blocks");
    begin(&device, command);
    for (int index = 0; index < urbs; index++) {
        int64_t started = nanoseconds();
        transfer(&device, endpoint, buffer, (int)device.length);
        times[index] = nanoseconds() - started;
    }
    finish(&device);
    for (int index = 0; index < urbs; index++) printf("%lld\n", (long long)times[index]);
    return 0;
}

static bool exchange(int socket, const void *request, size_t length, unsigned char *reply, size_t expected) {
    if (send(socket, request, length, MSG_NOSIGNAL) != (ssize_t)length) return false;
    for (size_t received = 0; received < expected;) {
        ssize_t result = recv(socket, reply + received, expected - received, 0);
        if (result <= 0) return false;
        received += (size_t)result;
        // A refusal is 8 bytes long: version, code, status.
        if (received >= 8 && (reply[4] | reply[5] | reply[6] | reply[7]) != 0) return false;
    }
    return true;
}

static int import(char **arguments) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1]))};
    if (inet_pton(AF_INET, arguments[0], &address.sin_addr) != 1) fail("%s is no address", arguments[0]);
    unsigned char request[40] = {0x01, 0x11, 0x80, 0x03};
    strncpy((char *)request + 8, arguments[2], 31);
    int64_t deadline = nanoseconds() + (int64_t)PATIENCE * 1000000;
    for (int done = 0; done < atoi(arguments[3]);) {
        unsigned char reply[320];
        int one = 1, connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        int64_t started = nanoseconds();
        if (connect(connection, (struct sockaddr *)&address, sizeof address) < 0) fail("connect: %s", strerror(errno));
        if (exchange(connection, request, sizeof request, reply, sizeof reply)) {
            int64_t now = nanoseconds();
            printf("%lld\n", (long long)(now - started) / 1000);
            done++;
            deadline = now + (int64_t)PATIENCE * 1000000;
        } else if (nanoseconds() > deadline) {
            fail("%s does not become free", arguments[2]);
        }
        close(connection);
        // The exporter takes the device back and resets it before it can be imported again.
        poll(NULL, 0, 20);
    }
    return 0;
}

int main(int count, char **arguments) {
    if (count >= 10 && strcmp(arguments[1], "stream") == 0) return stream(arguments + 2, count - 10);
    if (count == 9 && strcmp(arguments[1], "latency") == 0) return latency(arguments + 2);
    if (count == 6 && strcmp(arguments[1], "import") == 0) return import(arguments + 2);
    fail("see the head of urb-bench.c");
    return 2;
}
