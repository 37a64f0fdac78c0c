// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

#define _GNU_SOURCE
#include "CSandboxProbe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/usbdevice_fs.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int loose_socket = -1;
static char *no_words[] = {NULL};

int probe_prepare(void)
{
    loose_socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return loose_socket < 0 ? -errno : 0;
}

// Files.
#ifdef SYS_open
static long try_open(void) { return syscall(SYS_open, "/etc/passwd", O_RDONLY); }
static long try_creat(void) { return syscall(SYS_creat, "/tmp/sandbox-probe", 0600); }
static long try_stat(void) { struct stat s; return syscall(SYS_stat, "/", &s); }
static long try_unlink(void) { return syscall(SYS_unlink, "/nonexistent"); }
#endif
static long try_openat(void) { return syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY); }
static long try_openat2(void)
{
    unsigned long how[3] = {O_RDONLY, 0, 0};
    return syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", how, sizeof how);
}
static long try_faccessat(void) { return syscall(SYS_faccessat, AT_FDCWD, "/etc/passwd", R_OK); }
static long try_chdir(void) { return syscall(SYS_chdir, "/"); }
static long try_mkdirat(void) { return syscall(SYS_mkdirat, AT_FDCWD, "/nonexistent/x", 0700); }
static long try_memfd(void) { return syscall(SYS_memfd_create, "probe", 0); }
static long try_readlinkat(void)
{
    char text[64];
    return syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", text, sizeof text);
}
static long try_mount(void) { return syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL); }
static long try_chroot(void) { return syscall(SYS_chroot, "/"); }
static long try_io_uring(void) { return syscall(SYS_io_uring_setup, 0, NULL); }

// Sockets.
static long try_socket(void) { return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0); }
static long try_socketpair(void)
{
    int pair[2];
    return syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, pair);
}
static struct sockaddr_in nowhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(1)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}
static long try_bind(void)
{
    struct sockaddr_in address = nowhere();
    address.sin_port = 0;
    return syscall(SYS_bind, loose_socket, &address, sizeof address);
}
static long try_listen(void) { return syscall(SYS_listen, loose_socket, 1); }
static long try_accept4(void) { return syscall(SYS_accept4, loose_socket, NULL, NULL, 0); }
static long try_connect(void)
{
    struct sockaddr_in address = nowhere();
    return syscall(SYS_connect, loose_socket, &address, sizeof address);
}
static long try_setsockopt_filter(void)
{
    return syscall(SYS_setsockopt, loose_socket, SOL_SOCKET, SO_ATTACH_FILTER, NULL, 0);
}
static long try_setsockopt_keepalive(void)
{
    int on = 1;
    return syscall(SYS_setsockopt, loose_socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

// Processes.
#ifdef SYS_fork
static long try_fork(void)
{
    long process = syscall(SYS_fork);
    if (process == 0)
        _exit(0);
    return process;
}
#endif
static long try_clone_process(void)
{
    long process = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);
    if (process == 0)
        _exit(0);
    return process;
}
static long try_clone3(void)
{
    struct clone_args arguments = {.exit_signal = SIGCHLD};
    long process = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (process == 0)
        _exit(0);
    return process;
}
static long try_execve(void) { return syscall(SYS_execve, "/bin/true", no_words, no_words); }
static long try_execveat(void)
{
    return syscall(SYS_execveat, AT_FDCWD, "/bin/true", no_words, no_words, 0);
}
static long try_kill(void) { return syscall(SYS_kill, getppid(), 0); }
static long try_tgkill(void) { return syscall(SYS_tgkill, getpid(), getpid(), 0); }
static long try_ptrace(void) { return syscall(SYS_ptrace, 0, 0, 0, 0); }
static long try_pidfd_open(void) { return syscall(SYS_pidfd_open, getpid(), 0); }
static long try_process_vm_readv(void)
{
    return syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0);
}
static long try_unshare(void) { return syscall(SYS_unshare, 0); }
static long try_setuid(void) { return syscall(SYS_setuid, getuid()); }
static long try_prlimit(void)
{
    unsigned long limit[2];
    return syscall(SYS_prlimit64, 0, 0, NULL, limit);
}
static long try_prctl(void) { return syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0); }
static long try_bpf(void) { return syscall(SYS_bpf, 0, NULL, 0); }
static long try_keyctl(void) { return syscall(SYS_keyctl, 0, 0, 0, 0, 0); }

// Memory that is code.
static long try_mmap_code(void)
{
    return syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
static long try_mprotect_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC);
}

// Descriptors: 0 is /dev/null, which knows no ioctl.
static long try_terminal_ioctl(void) { return syscall(SYS_ioctl, 0, TIOCSTI, "x"); }
static long try_driver_ioctl(void)
{
    struct usbdevfs_ioctl command = {.ifno = 0, .ioctl_code = USBDEVFS_DISCONNECT, .data = NULL};
    return syscall(SYS_ioctl, 0, USBDEVFS_IOCTL, &command);
}
static long try_port_ioctl(void)
{
    unsigned int port = 1;
    return syscall(SYS_ioctl, 0, USBDEVFS_CLAIM_PORT, &port);
}
static long try_submit_ioctl(void) { return syscall(SYS_ioctl, 0, USBDEVFS_SUBMITURB, NULL); }
static long try_reset_ioctl(void) { return syscall(SYS_ioctl, 0, USBDEVFS_RESET, NULL); }
static long try_own_signals(void) { return syscall(SYS_fcntl, loose_socket, F_SETOWN, getppid()); }
static long try_lock(void)
{
    struct flock lock = {.l_type = F_RDLCK};
    return syscall(SYS_fcntl, loose_socket, F_SETLK, &lock);
}

static const struct {
    const char *name;
    long (*function)(void);
} attempts[] = {
#ifdef SYS_open
    {"open", try_open}, {"creat", try_creat}, {"stat", try_stat}, {"unlink", try_unlink},
#endif
    {"openat", try_openat}, {"openat2", try_openat2}, {"faccessat", try_faccessat},
    {"chdir", try_chdir}, {"mkdirat", try_mkdirat}, {"memfd_create", try_memfd},
    {"readlinkat", try_readlinkat}, {"mount", try_mount}, {"chroot", try_chroot},
    {"io_uring_setup", try_io_uring},
    {"socket", try_socket}, {"socketpair", try_socketpair}, {"bind", try_bind},
    {"listen", try_listen}, {"accept4", try_accept4}, {"connect", try_connect},
    {"setsockopt-filter", try_setsockopt_filter},
    {"setsockopt-keepalive", try_setsockopt_keepalive},
#ifdef SYS_fork
    {"fork", try_fork},
#endif
    {"clone-process", try_clone_process}, {"clone3", try_clone3}, {"execve", try_execve},
    {"execveat", try_execveat}, {"kill", try_kill}, {"tgkill", try_tgkill},
    {"ptrace", try_ptrace}, {"pidfd_open", try_pidfd_open},
    {"process_vm_readv", try_process_vm_readv}, {"unshare", try_unshare},
    {"setuid", try_setuid}, {"prlimit", try_prlimit}, {"prctl-dumpable", try_prctl},
    {"bpf", try_bpf}, {"keyctl", try_keyctl},
    {"mmap-code", try_mmap_code}, {"mprotect-code", try_mprotect_code},
    {"ioctl-terminal", try_terminal_ioctl}, {"ioctl-driver", try_driver_ioctl},
    {"ioctl-port", try_port_ioctl}, {"ioctl-submit", try_submit_ioctl},
    {"ioctl-reset", try_reset_ioctl}, {"fcntl-owner", try_own_signals}, {"fcntl-lock", try_lock},
};

long probe_attempt(const char *name)
{
    for (size_t index = 0; index < sizeof attempts / sizeof attempts[0]; index++) {
        if (strcmp(attempts[index].name, name) != 0)
            continue;
        long result = attempts[index].function();
        return result == -1 ? -errno : result;
    }
    return PROBE_UNKNOWN;
}

static void *run_thread(void *argument)
{
    pthread_setname_np(pthread_self(), "probe-helper");
    // Enough that the thread gets an arena of its own.
    char *memory = malloc(1 << 16);
    if (memory)
        memset(memory, 1, 1 << 16);
    free(memory);
    return memory ? argument : NULL;
}

int probe_thread(void)
{
    pthread_t thread;
    void *result = NULL;
    int error = pthread_create(&thread, NULL, run_thread, &thread);
    if (error != 0)
        return error;
    if ((error = pthread_join(thread, &result)) != 0)
        return error;
    return result == &thread ? 0 : ENOMEM;
}

int probe_events(void)
{
    int set = epoll_create1(EPOLL_CLOEXEC);
    int counter = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN};
    int count = -1;
    if (set >= 0 && counter >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, counter, &event) == 0) {
        count = epoll_wait(set, &event, 1, 1);
        if (count == 0 && eventfd_write(counter, 1) == 0)
            count = epoll_wait(set, &event, 1, 10000);
    }
    if (count < 0)
        count = -errno;
    close(counter);
    close(set);
    return count;
}

int probe_memory(int count, unsigned long length)
{
    for (int index = 0; index < count; index++) {
        char *piece = malloc(length);
        if (!piece)
            return index;
        for (unsigned long offset = 0; offset < length; offset += 4096)
            ((volatile char *)piece)[offset] = 1;
    }
    return count;
}

int probe_descriptors(void)
{
    int highest = -1;
    for (;;) {
        int number = fcntl(0, F_DUPFD_CLOEXEC, 0);
        if (number < 0)
            return errno == EMFILE ? highest : -errno;
        highest = number;
    }
}

int probe_fork(void) { return fork(); }

double probe_ioctl_cost(int count)
{
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int index = 0; index < count; index++)
        syscall(SYS_ioctl, 0, USBDEVFS_REAPURBNDELAY, NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    return ((double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec)) / count;
}
