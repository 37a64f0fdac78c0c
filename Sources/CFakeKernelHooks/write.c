// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors
//
// Gives writes to vhci_hcd's `attach` and `detach` to a fake kernel in another process, because a
// plain file can do two things a real kernel's cannot: take a request before it is carried out, and
// take every request. Here write(2) returns when the fake has answered, with the errno it answers,
// and the socket that an attach names goes along.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "CFakeKernelHooks.h"

// The longest request; the kernel's own are shorter.
#define REQUEST_LENGTH 128

// "attach" or "detach" where `fd` is one of the two files, else NULL.
static const char *control_file(int fd)
{
    char link[32], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return NULL;
    path[length] = '\0';
    static const char *const names[] = { "attach", "detach" };
    for (int i = 0; i < 2; i++) {
        char tail[64];
        int size = snprintf(tail, sizeof tail, "/vhci_hcd.0/%s", names[i]);
        if (length >= size && strcmp(path + length - size, tail) == 0)
            return names[i];
    }
    return NULL;
}

// Sends the request, with the socket it names; returns the errno the fake kernel answers.
static int ask(const char *kernel, const char *request, int passed)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(kernel) >= sizeof address.sun_path)
        return ENAMETOOLONG;
    strcpy(address.sun_path, kernel);
    int channel = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (channel < 0)
        return errno;
    int answer = EIO;
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec piece = { .iov_base = (void *)request, .iov_len = strlen(request) };
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
    if (passed >= 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = sizeof control.room;
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(head), &passed, sizeof passed);
    }
    if (connect(channel, (struct sockaddr *)&address, sizeof address) != 0)
        answer = errno;
    else if (sendmsg(channel, &message, MSG_NOSIGNAL) < 0)
        answer = errno == EBADF ? EINVAL : errno; // a number that is no open descriptor
    else if (recv(channel, &answer, sizeof answer, 0) != sizeof answer)
        answer = EIO;
    close(channel);
    return answer;
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    const char *kernel = getenv(FAKE_KERNEL_VARIABLE);
    const char *name = NULL;
    if (kernel && count < REQUEST_LENGTH - 16)
        name = control_file(fd);
    if (!name)
        return syscall(SYS_write, fd, bytes, count);
    char request[REQUEST_LENGTH];
    snprintf(request, sizeof request, "%s %.*s", name, (int)count, (const char *)bytes);
    int port, passed = -1;
    if (strcmp(name, "attach") == 0)
        sscanf(request, "attach %d %d", &port, &passed);
    int code = ask(kernel, request, passed);
    if (code == 0)
        return (ssize_t)count;
    errno = code;
    return -1;
}
