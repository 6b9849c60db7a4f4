// epoll and eventfd are not part of Swift's Glibc module. Their constants are enums and their event is a packed
// struct with a union, neither of which imports well: these wrappers give Swift plain integers.
#pragma once
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>

static const uint32_t cepoll_readable = EPOLLIN;
static const uint32_t cepoll_writable = EPOLLOUT;
static const uint32_t cepoll_broken = EPOLLERR | EPOLLHUP;

struct cepoll_ready {
    uint64_t token;
    uint32_t events;
};

static inline int cepoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline int cepoll_add(int epoll, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 ? 0 : errno;
}

static inline int cepoll_modify(int epoll, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) == 0 ? 0 : errno;
}

static inline int cepoll_remove(int epoll, int descriptor) {
    return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, 0) == 0 ? 0 : errno;
}

// Waits until something is ready and fills at most 64 entries; an interrupted wait counts as nothing ready.
static inline int cepoll_wait(int epoll, struct cepoll_ready *ready, int timeout_ms) {
    struct epoll_event events[64];
    int count = epoll_wait(epoll, events, 64, timeout_ms);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        ready[i].token = events[i].data.u64;
        ready[i].events = events[i].events;
    }
    return count;
}

// Whether the peer of a connected socket will send no more. EPOLLRDHUP is what poll calls POLLRDHUP, a name that is
// there for GNU sources alone.
static inline bool cepoll_is_hung_up(int descriptor) {
    struct pollfd question = {.fd = descriptor, .events = (short)EPOLLRDHUP};
    return poll(&question, 1, 0) == 1;
}

// For how many milliseconds no byte came on a TCP socket, in steps of the kernel's tick; a kernel that does not say so
// is taken to have seen none at all.
static inline uint32_t cepoll_silence(int descriptor) {
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    int status = getsockopt(descriptor, SOL_TCP, TCP_INFO, &info, &size);
    return status == 0 ? info.tcpi_last_data_recv : UINT32_MAX;
}

static inline int cepoll_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline void cepoll_signal(int eventfd) { (void)eventfd_write(eventfd, 1); }
static inline void cepoll_drain(int eventfd) {
    eventfd_t value;
    (void)eventfd_read(eventfd, &value);
}

// Names the calling thread; at most 15 bytes are kept.
static inline void cepoll_name_thread(const char *name) { (void)prctl(PR_SET_NAME, name, 0, 0, 0); }
