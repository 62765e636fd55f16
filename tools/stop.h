/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_STOP_H
#define VMHEAT_TOOLS_STOP_H

#include <signal.h>

#include "client/client.h"

/**
 * struct VhStop - a wish to end, by Ctrl-C or a signal
 * @set: the signals
 * @signals: signalfd
 * @requested: it came
 */
typedef struct VhStop {
    sigset_t set;
    int signals;
    bool requested;
} VhStop;

/**
 * vh_stop_init() - take SIGINT, SIGTERM, SIGHUP and SIGQUIT from now on
 * @stop: filled in
 *
 * So work ends where it is ready to, with its files whole. Those that are
 * ignored stay so.
 */
void vh_stop_init(VhStop *stop);

/** vh_stop_clear() - let go of what vh_stop_init() took; signals stay blocked
 */
void vh_stop_clear(VhStop *stop);

/** vh_stop_requested() - did one come by now? */
bool vh_stop_requested(VhStop *stop);

/** vh_stop_again() - those that came are dealt with; wait for another one */
void vh_stop_again(VhStop *stop);

/**
 * vh_stop_obey() - let a signal that came have its usual effect
 *
 * Does not return then. Instead of vh_stop_clear().
 */
void vh_stop_obey(VhStop *stop);

/**
 * vh_stop_wait() - a VhWaitFunc that a signal ends
 * @opaque: a VhStop
 */
VhWait vh_stop_wait(void *opaque, int fd, short events, gint64 deadline);

#endif
