/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "stop.h"

/* As nohup(1) has it, and shells in the background. */
static bool is_ignored(int number)
{
    struct sigaction old;

    return !sigaction(number, NULL, &old) && old.sa_handler == SIG_IGN;
}

void vh_stop_init(VhStop *stop)
{
    static const int taken[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

    sigemptyset(&stop->set);
    for (unsigned i = 0; i < G_N_ELEMENTS(taken); i++) {
        if (!is_ignored(taken[i])) {
            sigaddset(&stop->set, taken[i]);
        }
    }
    sigprocmask(SIG_BLOCK, &stop->set, NULL);
    stop->signals = signalfd(-1, &stop->set, SFD_CLOEXEC | SFD_NONBLOCK);
    stop->requested = false;
}

bool vh_stop_requested(VhStop *stop)
{
    GPollFD fd = { .fd = stop->signals, .events = G_IO_IN };

    stop->requested |= g_poll(&fd, 1, 0) > 0;
    return stop->requested;
}

void vh_stop_again(VhStop *stop)
{
    struct signalfd_siginfo si;

    while (read(stop->signals, &si, sizeof(si)) > 0) {
    }
    stop->requested = false;
}

void vh_stop_obey(VhStop *stop)
{
    vh_stop_clear(stop);
    sigprocmask(SIG_UNBLOCK, &stop->set, NULL);
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
