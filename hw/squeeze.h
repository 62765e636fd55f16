/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Squeezing the guest for a moment (actions/squeeze.h).
 *
 * Once begun, it ends by itself in the main thread, whatever becomes of the
 * worker that wanted it.
 */
#ifndef VMHEAT_HW_SQUEEZE_H
#define VMHEAT_HW_SQUEEZE_H

#include "compat/qemu.h"

typedef struct VmheatSqueeze VmheatSqueeze;

/**
 * vmheat_squeeze_begin() - have the guest give at most @most bytes for a moment
 * @why: out, when it returns NULL: why not, a constant
 *
 * Main thread, BQL held.
 */
VmheatSqueeze *vmheat_squeeze_begin(uint64_t most, const char **why);

/** vmheat_squeeze_is_over() - the balloon was asked to let go; any thread */
bool vmheat_squeeze_is_over(VmheatSqueeze *q);

/** vmheat_squeeze_taken() - bytes the guest gave; when it is over */
uint64_t vmheat_squeeze_taken(const VmheatSqueeze *q);

/** vmheat_squeeze_unref() - not interested any more; any thread */
void vmheat_squeeze_unref(VmheatSqueeze *q);

#endif
