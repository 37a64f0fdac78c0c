// SPDX-License-Identifier: Apache-2.0
#include <libudev.h>
#include <pthread.h>
#include <sys/eventfd.h>
// glibc declares it for _GNU_SOURCE only, which a module map cannot ask for.
extern int pthread_setname_np(pthread_t thread, const char *name);
