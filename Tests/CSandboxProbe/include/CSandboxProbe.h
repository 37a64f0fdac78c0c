// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

// Things to try in a sandbox, as plain system calls where a library would do something else first.
#ifndef CSANDBOXPROBE_H
#define CSANDBOXPROBE_H

// What `probe_attempt` answers for a name it does not know.
enum { PROBE_UNKNOWN = -100000 };

// Opens what some attempts need: a socket that is not connected. 0 or -errno.
int probe_prepare(void);
// Tries one thing: what the kernel answered, negative for an errno.
long probe_attempt(const char *_Nonnull name);
// Starts a thread that names itself and takes memory, and waits for it; 0, or an errno.
int probe_thread(void);
// Makes an event counter and an epoll set, and waits for a value; the events there were, or -errno.
int probe_events(void);
// Takes and touches `count` pieces of `length` bytes; how many there were. They stay taken.
int probe_memory(int count, unsigned long length);
// Duplicates descriptors until the kernel refuses: the highest number, or -errno of another refusal.
int probe_descriptors(void);
// fork(2), which Swift hides.
int probe_fork(void);
// Nanoseconds for one ioctl(2) that the kernel's driver refuses, over `count` of them.
double probe_ioctl_cost(int count);

#endif
