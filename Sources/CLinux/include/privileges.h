// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

// Giving up rights for good. Each function returns 0, or -1 with errno.
#ifndef DEVCONFIG_PRIVILEGES_H
#define DEVCONFIG_PRIVILEGES_H

// close_range(2): closes every descriptor from `first` on.
int clinux_close_from(unsigned int first);
// PR_SET_NO_NEW_PRIVS: no execve(2) gives more rights than there are.
int clinux_no_new_privileges(void);
// PR_SET_DUMPABLE 0: no core, and /proc/PID belongs to root.
int clinux_not_dumpable(void);
// PR_CAPBSET_DROP for every capability the kernel knows.
int clinux_drop_bounding_set(void);
// capset(2) with nothing in all three sets; the ambient set shrinks with them.
int clinux_drop_capabilities(void);
// No supplementary group; `group` and `user` as real, effective, saved and file system IDs.
int clinux_become(unsigned int user, unsigned int group);
// chroot(2) and chdir(2) into it.
int clinux_change_root(const char *_Nonnull path);
// seccomp(2) with SECCOMP_FILTER_FLAG_TSYNC: all threads, for good. `program` is an array of `count`
// struct sock_filter.
int clinux_filter_system_calls(const void *_Nonnull program, unsigned short count);
// setrlimit(2), soft and hard; `resource` is a RLIMIT_ number.
int clinux_limit(int resource, unsigned long value);

// The numbers of <sys/resource.h>, which the platform module shows as an enumeration.
extern const int clinux_limit_core;
extern const int clinux_limit_data;
extern const int clinux_limit_descriptors;
extern const int clinux_limit_file_size;
extern const int clinux_limit_locks;
extern const int clinux_limit_message_queues;

#endif
