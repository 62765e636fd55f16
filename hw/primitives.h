/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which primitives are in use, and what happens when one fails. BQL held.
 */
#ifndef VMHEAT_HW_PRIMITIVES_H
#define VMHEAT_HW_PRIMITIVES_H

#include "compat/qemu.h"
#include "hw/choose.h"

/**
 * struct VmheatPrimitives - the primitives of a device
 * @name: property primitive
 * @writes_name: property write-primitive
 * @chooser: what to choose from; its map is kept up to date by the device
 * @primitive: in use
 * @writes: in use, or none
 * @choice: why @primitive was chosen
 * @writes_why: why there is none for writes although one was asked for, or NULL
 * @failed: it failed and there is nothing else to use; or NULL
 * @retry: tries again what failed
 * @changed: called when @primitive or @writes is another, or is to be opened
 *           anew
 * @opaque: for @changed
 */
typedef struct VmheatPrimitives {
    char *name;
    char *writes_name;
    VmheatChooser chooser;
    VhSensor primitive;
    VhSensor writes;
    char *choice;
    char *writes_why;
    const VhPrimitiveOps *failed;
    QEMUTimer *retry;
    void (*changed)(void *opaque);
    void *opaque;
} VmheatPrimitives;

/**
 * vmheat_primitives_start() - choose for the first time
 *
 * False when none can run, or one that was asked for by name cannot.
 */
bool vmheat_primitives_start(VmheatPrimitives *p, const VhMap *map,
                             const VhHost *host, void (*changed)(void *opaque),
                             void *opaque, Error **errp);

/** vmheat_primitives_stop() - no more changes; also after a failed start */
void vmheat_primitives_stop(VmheatPrimitives *p);

/**
 * vmheat_primitives_failed() - one of them failed while in use
 * @ops: which
 * @why: what it said
 *
 * Falls back to another if "auto" was asked for and one can run; else tries the
 * same again later.
 */
void vmheat_primitives_failed(VmheatPrimitives *p, const VhPrimitiveOps *ops,
                              const char *why);

/**
 * vmheat_primitives_reconsider() - the surroundings changed: choose anew
 *
 * What failed before may be chosen again, and what is in use is opened anew.
 */
void vmheat_primitives_reconsider(VmheatPrimitives *p);

/**
 * vmheat_primitives_reason() - why @v is not the one in use for accesses
 *
 * In words for g_free(); NULL when it is.
 */
char *vmheat_primitives_reason(const VmheatPrimitives *p,
                               const VmheatVerdict *v);

/** vmheat_primitives_through_migration() - may all in use go on during one? */
bool vmheat_primitives_through_migration(const VmheatPrimitives *p);

#endif
