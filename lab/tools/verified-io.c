// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors
//
// Writes a disk and reads it back without pause, past all caches, and checks every block; pauses
// while the disk is away, and goes on with it under whatever name it comes back.
//
//   verified-io PATTERN BLOCKS
//
// PATTERN is a glob(7) of the disk's path, which may match nothing for a while; BLOCKS blocks of
// 64 KiB are used. Ends with SIGTERM, after a last look at every block. Prints
// `written read absences wrong`; the exit status is 1 where a block had anything but what was
// written last. A write that failed may have happened or not: both are right then.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 65536

static volatile sig_atomic_t stopping;

static void stop(int signal)
{
    (void)signal;
    stopping = 1;
}

static void nap(void)
{
    struct timespec time = { .tv_nsec = 50 * 1000 * 1000 };
    nanosleep(&time, NULL);
}

// Every eight bytes differ, by block, round and place.
static void fill(uint64_t *words, uint32_t block, uint32_t number)
{
    for (uint32_t i = 0; i < BLOCK / 8; i++)
        words[i] = (uint64_t)number << 32 | (block * (BLOCK / 8) + i);
}

static int open_disk(const char *pattern)
{
    glob_t found;
    int disk = -1;
    if (glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc > 0)
        disk = open(found.gl_pathv[0], O_RDWR | O_DIRECT | O_CLOEXEC);
    globfree(&found);
    return disk;
}

// True where every sector is one of `wanted`, or of `other` where that is not NULL.
static int matches(const uint64_t *words, const uint64_t *wanted, const uint64_t *other)
{
    const size_t sector = 512 / sizeof *words;
    for (size_t at = 0; at < BLOCK / sizeof *words; at += sector)
        if (memcmp(words + at, wanted + at, 512) != 0 &&
            (!other || memcmp(words + at, other + at, 512) != 0))
            return 0;
    return 1;
}

static uint64_t *buffer(void)
{
    void *memory;
    if (posix_memalign(&memory, 4096, BLOCK))
        exit(70);
    return memory;
}

int main(int count, char **arguments)
{
    uint32_t blocks = count == 3 ? (uint32_t)atoi(arguments[2]) : 0;
    if (blocks == 0)
        return 64;
    // The number that each block was filled from last; 0 before the first time.
    uint32_t *last = calloc(blocks, sizeof *last);
    uint64_t *new = buffer(), *old = buffer(), *seen = buffer();
    if (!last)
        return 70;
    signal(SIGTERM, stop);
    unsigned long written = 0, checked = 0, absences = 0, wrong = 0;
    uint32_t number = 0, block = 0, at_end = 0;
    unsigned random = 1;
    int disk = -1, was_there = 0;
    // True while a write of `block` was begun and has not succeeded: it is repeated until it does.
    int pending = 0;
    while (!stopping || pending || at_end < blocks) {
        if (disk < 0) {
            disk = open_disk(arguments[1]);
            if (disk < 0) {
                absences += was_there;
                was_there = 0;
                nap();
                continue;
            }
            was_there = 1;
        }
        off_t place = (off_t)block * BLOCK;
        if (pending) {
            // Before it is repeated: nothing but the old content and the new one may be there.
            if (pread(disk, seen, BLOCK, place) != BLOCK)
                goto away;
            if (last[block] && !matches(seen, new, old)) {
                fprintf(stderr, "block %u has neither %u nor %u\n", block, number, last[block]);
                wrong++;
            }
        } else if (!stopping) {
            block = (block + 1) % blocks;
            place = (off_t)block * BLOCK;
            fill(old, block, last[block]);
            fill(new, block, ++number);
            pending = 1;
        }
        if (pending) {
            if (pwrite(disk, new, BLOCK, place) != BLOCK)
                goto away;
            last[block] = number;
            pending = 0;
            written++;
        }
        uint32_t other = stopping ? at_end : (uint32_t)rand_r(&random) % blocks;
        if (last[other]) {
            if (pread(disk, seen, BLOCK, (off_t)other * BLOCK) != BLOCK)
                goto away;
            fill(old, other, last[other]);
            checked++;
            if (!matches(seen, old, NULL)) {
                fprintf(stderr, "block %u has not %u\n", other, last[other]);
                wrong++;
            }
        }
        at_end += stopping;
        continue;
    away:
        close(disk);
        disk = -1;
        // The node of a disk that is gone may stay for a moment.
        nap();
    }
    printf("%lu %lu %lu %lu\n", written, checked, absences, wrong);
    return wrong ? 1 : 0;
}
