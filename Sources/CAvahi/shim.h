// SPDX-License-Identifier: Apache-2.0
#include <avahi-client/client.h>
#include <avahi-client/lookup.h>
#include <avahi-client/publish.h>
#include <avahi-common/address.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <avahi-common/simple-watch.h>
#include <avahi-common/strlst.h>
#include <pthread.h>
#include <sys/eventfd.h>
// glibc declares it for _GNU_SOURCE only, which a module map cannot ask for.
extern int pthread_setname_np(pthread_t thread, const char *name);
