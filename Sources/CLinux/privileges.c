// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

#define _GNU_SOURCE
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int clinux_close_from(unsigned int first)
{
    return (int)syscall(SYS_close_range, first, ~0U, 0);
}

int clinux_no_new_privileges(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL);
}

int clinux_not_dumpable(void)
{
    return prctl(PR_SET_DUMPABLE, 0UL, 0UL, 0UL, 0UL);
}

int clinux_drop_bounding_set(void)
{
    // The kernel may know more capabilities than the header: EINVAL marks the end.
    for (unsigned long capability = 0;; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability, 0UL, 0UL, 0UL) == 0)
            continue;
        return errno == EINVAL && capability > 0 ? 0 : -1;
    }
}

int clinux_drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct nothing[_LINUX_CAPABILITY_U32S_3];

    memset(nothing, 0, sizeof nothing);
    return (int)syscall(SYS_capset, &header, nothing);
}

int clinux_become(unsigned int user, unsigned int group)
{
    if (setgroups(0, NULL) < 0)
        return -1;
    if (setresgid(group, group, group) < 0)
        return -1;
    return setresuid(user, user, user);
}

int clinux_change_root(const char *path)
{
    if (chroot(path) < 0)
        return -1;
    return chdir("/");
}

int clinux_filter_system_calls(const void *program, unsigned short count)
{
    struct sock_fprog filter = {.len = count, .filter = (struct sock_filter *)program};
    long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);

    // A positive answer is a thread that has another filter.
    if (result > 0)
        errno = EBUSY;
    return result == 0 ? 0 : -1;
}

int clinux_limit(int resource, unsigned long value)
{
    struct rlimit limit = {.rlim_cur = value, .rlim_max = value};

    return setrlimit(resource, &limit);
}

const int clinux_limit_core = RLIMIT_CORE;
const int clinux_limit_data = RLIMIT_DATA;
const int clinux_limit_descriptors = RLIMIT_NOFILE;
const int clinux_limit_file_size = RLIMIT_FSIZE;
const int clinux_limit_locks = RLIMIT_LOCKS;
const int clinux_limit_message_queues = RLIMIT_MSGQUEUE;
