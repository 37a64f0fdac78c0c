// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

// What Swift's Glibc module does not show: headers it leaves out, calls that need _GNU_SOURCE, and
// macros with arguments. Each function returns what the call it stands for returns, and sets errno.
// Headers that Glibc does show are not included here: Swift would take their types for this module's.

#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <sys/types.h>

// Most descriptors that travel beside one message.
enum { CLINUX_MAXIMUM_DESCRIPTORS = 4 };

// accept4(2) with SOCK_CLOEXEC and SOCK_NONBLOCK; `address` has room for a sockaddr_storage.
int clinux_accept(int listener, void *_Nonnull address);

// SO_PEERCRED of a connected UNIX socket; 0 or -1.
int clinux_peer_credentials(int descriptor, pid_t *_Nonnull process, uid_t *_Nonnull user,
                            gid_t *_Nonnull group);

// sendmsg(2) of one message with `count` descriptors beside it (SCM_RIGHTS), never SIGPIPE.
// EINVAL for more than CLINUX_MAXIMUM_DESCRIPTORS.
ssize_t clinux_send_message(int descriptor, const void *_Nonnull bytes, size_t length,
                            const int *_Nullable descriptors, size_t count, int flags);

// recvmsg(2) of one message. `descriptors` has room for CLINUX_MAXIMUM_DESCRIPTORS, which the
// caller owns (close-on-exec) even where `truncated` says that bytes or descriptors were lost.
ssize_t clinux_receive_message(int descriptor, void *_Nonnull bytes, size_t capacity,
                               int *_Nonnull descriptors, size_t *_Nonnull count,
                               int *_Nonnull truncated, int flags);

// Starts a program in a session of its own with /dev/null as 0 and 1, our 2, `control` as 3,
// nothing else open, no signal blocked and each at its default. The process ID, or -1.
pid_t clinux_spawn(const char *_Nonnull path, char *_Nullable const *_Nonnull arguments,
                   char *_Nullable const *_Nonnull environment, int control);

// pipe2(2) with O_CLOEXEC: the end to read, then the end to write. 0 or -1.
int clinux_pipe(int ends[_Nonnull 2]);

// pidfd_open(2): a close-on-exec descriptor that becomes readable when the process ends.
int clinux_pidfd_open(pid_t process);
// syncfs(2): 0 or -1.
int clinux_sync_file_system(int descriptor);

// 1 where the kernel's clock is kept in time by somebody (adjtimex(2)), else 0.
int clinux_is_clock_kept(void);

// pidfd_send_signal(2); 0 or -1.
int clinux_pidfd_signal(int pidfd, int signal);

// waitid(2) on a pidfd without waiting: 1 and si_code, si_status where the child was reaped, 0 while
// it runs, -1 with ECHILD where it is no child of ours.
int clinux_reap(int pidfd, int *_Nonnull code, int *_Nonnull status);

// USBDEVFS_CLAIM_PORT and USBDEVFS_RELEASE_PORT on a hub's usbfs descriptor; ports count from 1.
int clinux_usb_claim_port(int hub, unsigned int port);
int clinux_usb_release_port(int hub, unsigned int port);

// What a path names, links followed, without asking a network file system: the file type bits of
// st_mode, and major and minor of a device node. 0 or -1.
int clinux_file_kind(int directory, const char *_Nonnull path, uint32_t *_Nonnull mode,
                     uint32_t *_Nonnull major, uint32_t *_Nonnull minor);

// Names the calling thread for debuggers and top; 15 bytes at most, ERANGE as the result beyond.
int clinux_name_thread(const char *_Nonnull name);

#include "privileges.h"
#include "termination.h"
#include "usbfs.h"

#endif
