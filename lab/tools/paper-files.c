// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors
//
// Times sequential work on one file, block by block, as Bonnie++ does in section 4.2.1 of the 2005 paper:
//
//     paper-files FILE MEBIBYTES
//
// It writes the file, rewrites it (reads each block, changes it, writes it back) and reads it, and prints a line for
// each: its name and the nanoseconds it took. What was written is on the disk when the time ends, and nothing of the
// file is in memory when it begins. The exit status is 1 when something failed, and 2 when the arguments were wrong.

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 1 << 16, BLOCKS_PER_MEBIBYTE = (1 << 20) / BLOCK, MOST = 4096 };
enum work { WRITE, REWRITE, READ };

static int file;
static unsigned char data[BLOCK];

static int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void check(int good, const char *what) {
    if (good) return;
    fprintf(stderr, "paper-files: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void go(const char *name, enum work work, int blocks) {
    // What is on the disk already can be dropped from memory.
    check(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0, "drop");
    int64_t started = nanoseconds();
    for (int block = 0; block < blocks; block++) {
        off_t place = (off_t)block * BLOCK;
        if (work != WRITE) check(pread(file, data, BLOCK, place) == BLOCK, "read");
        data[block % BLOCK]++;
        if (work != READ) check(pwrite(file, data, BLOCK, place) == BLOCK, "write");
    }
    if (work != READ) check(fsync(file) == 0, "sync");
    printf("%s %lld\n", name, (long long)(nanoseconds() - started));
}

int main(int count, char **arguments) {
    int mebibytes = count == 3 ? atoi(arguments[2]) : 0;
    if (mebibytes < 1 || mebibytes > MOST) {
        fprintf(stderr, "usage: paper-files FILE MEBIBYTES\n");
        return 2;
    }
    file = open(arguments[1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(file >= 0, arguments[1]);
    int blocks = mebibytes * BLOCKS_PER_MEBIBYTE;
    go("write", WRITE, blocks);
    go("rewrite", REWRITE, blocks);
    go("read", READ, blocks);
    check(unlink(arguments[1]) == 0, arguments[1]);
    return 0;
}
