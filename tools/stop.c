/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "stop.h"

void vh_stop_init(VhStop *stop)
{
    static const int taken[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
    sigset_t set;

    sigemptyset(&set);
    for (unsigned i = 0; i < G_N_ELEMENTS(taken); i++) {
        sigaddset(&set, taken[i]);
    }
    sigprocmask(SIG_BLOCK, &set, NULL);
    stop->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    stop->requested = false;
}

void vh_stop_clear(VhStop *stop)
{
    if (stop->signals >= 0) {
        close(stop->signals);
    }
}

VhWait vh_stop_wait(void *opaque, int fd, short events, gint64 deadline)
{
    VhStop *stop = opaque;

    while (!stop->requested) {
        gint64 left = deadline - g_get_monotonic_time();
        GPollFD fds[] = {
            { .fd = fd, .events = events },
            { .fd = stop->signals, .events = G_IO_IN },
        };

        if (left <= 0) {
            return VH_WAIT_TIMEOUT;
        }
        if (g_poll(fds, G_N_ELEMENTS(fds), (left + 999) / 1000) < 0) {
            continue;
        }
        stop->requested = fds[1].revents;
        if (fds[0].revents && !stop->requested) {
            return VH_WAIT_READY;
        }
    }
    return VH_WAIT_INTERRUPTED;
}
