/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_STOP_H
#define VMHEAT_TOOLS_STOP_H

#include "client/client.h"

/**
 * struct VhStop - a wish to end, by Ctrl-C or a signal
 * @signals: signalfd
 * @requested: it came
 */
typedef struct VhStop {
    int signals;
    bool requested;
} VhStop;

/**
 * vh_stop_init() - take SIGINT, SIGTERM, SIGHUP and SIGQUIT from now on
 * @stop: filled in
 *
 * So work ends where it is ready to, with its files whole.
 */
void vh_stop_init(VhStop *stop);

/** vh_stop_clear() - let go of what vh_stop_init() took; signals stay blocked
 */
void vh_stop_clear(VhStop *stop);

/**
 * vh_stop_wait() - a VhWaitFunc that a signal ends
 * @opaque: a VhStop
 */
VhWait vh_stop_wait(void *opaque, int fd, short events, gint64 deadline);

#endif
