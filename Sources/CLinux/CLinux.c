// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

int clinux_accept(int listener, void *address)
{
    socklen_t length = sizeof(struct sockaddr_storage);

    return accept4(listener, address, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

int clinux_peer_credentials(int descriptor, pid_t *process, uid_t *user, gid_t *group)
{
    struct ucred credentials;
    socklen_t length = sizeof credentials;

    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
        return -1;
    *process = credentials.pid;
    *user = credentials.uid;
    *group = credentials.gid;
    return 0;
}

// The kernel wants control messages aligned as a cmsghdr.
union control_buffer {
    char bytes[CMSG_SPACE(CLINUX_MAXIMUM_DESCRIPTORS * sizeof(int))];
    struct cmsghdr alignment;
};

ssize_t clinux_send_message(int descriptor, const void *bytes, size_t length,
                            const int *descriptors, size_t count, int flags)
{
    union control_buffer control;
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (count > CLINUX_MAXIMUM_DESCRIPTORS) {
        errno = EINVAL;
        return -1;
    }
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
    }
    return sendmsg(descriptor, &message, flags | MSG_NOSIGNAL);
}

ssize_t clinux_receive_message(int descriptor, void *bytes, size_t capacity, int *descriptors,
                               size_t *count, int *truncated, int flags)
{
    union control_buffer control;
    struct iovec part = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };

    *count = 0;
    *truncated = 0;
    ssize_t length = recvmsg(descriptor, &message, flags | MSG_CMSG_CLOEXEC);
    if (length < 0)
        return -1;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        size_t arrived = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < arrived; index++) {
            int number;
            memcpy(&number, CMSG_DATA(header) + index * sizeof(int), sizeof number);
            if (*count < CLINUX_MAXIMUM_DESCRIPTORS) {
                descriptors[*count] = number;
                *count += 1;
            } else {
                // Cannot happen with this buffer; a lost number would stay open for ever.
                close(number);
                *truncated = 1;
            }
        }
    }
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
        *truncated = 1;
    return length;
}

pid_t clinux_spawn(const char *path, char *const *arguments, char *const *environment, int control)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    pid_t process = -1;
    int error;

    sigemptyset(&none);
    sigfillset(&all);
    if ((error = posix_spawn_file_actions_init(&actions)) != 0) {
        errno = error;
        return -1;
    }
    if ((error = posix_spawnattr_init(&attributes)) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        errno = error;
        return -1;
    }
    // dup2 onto itself clears close-on-exec here (glibc 2.29 and later), so 3 needs no special case.
    if ((error = posix_spawn_file_actions_adddup2(&actions, control, 3)) == 0 &&
        (error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)) == 0 &&
        (error = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)) == 0 &&
        (error = posix_spawn_file_actions_addclosefrom_np(&actions, 4)) == 0 &&
        (error = posix_spawnattr_setsigmask(&attributes, &none)) == 0 &&
        (error = posix_spawnattr_setsigdefault(&attributes, &all)) == 0 &&
        (error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK |
                                                           POSIX_SPAWN_SETSIGDEF |
                                                           POSIX_SPAWN_SETSID)) == 0)
        error = posix_spawn(&process, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        errno = error;
        return -1;
    }
    return process;
}

int clinux_pipe(int ends[2])
{
    return pipe2(ends, O_CLOEXEC);
}

int clinux_pidfd_open(pid_t process)
{
    return (int)syscall(SYS_pidfd_open, process, 0);
}

int clinux_pidfd_signal(int pidfd, int signal)
{
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int clinux_reap(int pidfd, int *code, int *status)
{
    siginfo_t information = {.si_pid = 0};

    if (waitid(P_PIDFD, (id_t)pidfd, &information, WEXITED | WNOHANG) < 0)
        return -1;
    if (information.si_pid == 0)
        return 0;
    *code = information.si_code;
    *status = information.si_status;
    return 1;
}

int clinux_usb_claim_port(int hub, unsigned int port)
{
    return ioctl(hub, USBDEVFS_CLAIM_PORT, &port);
}

int clinux_usb_release_port(int hub, unsigned int port)
{
    return ioctl(hub, USBDEVFS_RELEASE_PORT, &port);
}

int clinux_file_kind(int directory, const char *path, uint32_t *mode, uint32_t *major,
                     uint32_t *minor)
{
    struct statx information;

    if (statx(directory, path, AT_STATX_DONT_SYNC, STATX_TYPE, &information) < 0)
        return -1;
    *mode = information.stx_mode & S_IFMT;
    *major = information.stx_rdev_major;
    *minor = information.stx_rdev_minor;
    return 0;
}

int clinux_name_thread(const char *name)
{
    return pthread_setname_np(pthread_self(), name);
}

int clinux_sync_file_system(int descriptor)
{
    return syncfs(descriptor);
}

int clinux_is_clock_kept(void)
{
    struct timex state = {.modes = 0};

    return adjtimex(&state) != -1 && (state.status & STA_UNSYNC) == 0;
}
