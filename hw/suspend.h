/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Times at which vmheat must leave guest memory alone.
 */
#ifndef VMHEAT_HW_SUSPEND_H
#define VMHEAT_HW_SUSPEND_H

#include "compat/qemu.h"

/**
 * struct VmheatSuspend - watches for reasons to suspend
 * @vm_state: QEMU's handle of the run state handler
 * @migration: tells of outgoing migration
 * @timer: looks again while an incoming postcopy is running
 * @migrating: an outgoing migration or background snapshot is under way
 * @changed: called under the BQL when the answer may have changed
 * @opaque: for @changed
 */
typedef struct VmheatSuspend {
    VMChangeStateEntry *vm_state;
    VhMigrationWatch migration;
    QEMUTimer *timer;
    bool migrating;
    void (*changed)(void *opaque);
    void *opaque;
} VmheatSuspend;

/** vmheat_suspend_start() - begin to watch */
void vmheat_suspend_start(VmheatSuspend *s, void (*changed)(void *opaque),
                          void *opaque);

/** vmheat_suspend_stop() - end watching */
void vmheat_suspend_stop(VmheatSuspend *s);

/**
 * vmheat_suspend_reason() - why not to sample now, or NULL
 * @through_migration: an outgoing migration is no reason
 * @release: out, somebody else needs guest memory: let go of it altogether
 */
const char *vmheat_suspend_reason(VmheatSuspend *s, bool through_migration,
                                  bool *release);

#endif
