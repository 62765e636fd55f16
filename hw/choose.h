/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Choosing primitives and the estimator.
 */
#ifndef VMHEAT_HW_CHOOSE_H
#define VMHEAT_HW_CHOOSE_H

#include "compat/qemu.h"
#include "vmheat/estimator.h"
#include "vmheat/monitor.h"

/**
 * struct VmheatVerdict - what speaks for and against a primitive just now
 * @ops: the primitive
 * @caps: what it could do; see VhCaps
 * @available: it can run here, as far as is known
 * @why: why it is not available, or NULL
 */
typedef struct VmheatVerdict {
    const VhPrimitiveOps *ops;
    VhCaps caps;
    bool available;
    char *why;
} VmheatVerdict;

/**
 * struct VmheatChooser - what a choice is made from
 * @map: guest memory
 * @host: surroundings
 * @plugin: a primitive from a shared object, or NULL
 * @faults: primitives that failed lately: VhPrimitiveOps * to VmheatFailure *
 */
typedef struct VmheatChooser {
    const VhMap *map;
    const VhHost *host;
    const VhPrimitiveOps *plugin;
    GHashTable *faults;
} VmheatChooser;

/**
 * struct VmheatFailure - a primitive that failed while it was in use
 * @why: what it said
 * @until_ms: not to be chosen before, QEMU_CLOCK_REALTIME
 * @times: how often it failed
 */
typedef struct VmheatFailure {
    char *why;
    int64_t until_ms;
    unsigned times;
} VmheatFailure;

/** vmheat_verdicts() - of all primitives that are not hidden; GPtrArray */
GPtrArray *vmheat_verdicts(const VmheatChooser *c);

/** vmheat_verdict() - of one; free with vmheat_verdict_free() */
VmheatVerdict *vmheat_verdict(const VmheatChooser *c,
                              const VhPrimitiveOps *ops);

/** vmheat_verdict_free() - frees it */
void vmheat_verdict_free(VmheatVerdict *v);

/**
 * vmheat_choose_primitive() - by name, or the best that can run here
 * @c: what to choose from
 * @name: a primitive's name or "auto"
 * @out: the primitive
 * @choice: out, why this one, in words; g_free()
 */
bool vmheat_choose_primitive(const VmheatChooser *c, const char *name,
                             VhSensor *out, char **choice, Error **errp);

/**
 * vmheat_choose_writes() - the one that tells writes apart
 * @c: what to choose from
 * @name: a primitive's name, "auto", or "none"
 * @primitive: the one that was chosen for accesses
 * @out: the primitive; none for "none", and for "auto" if there is none or
 *       @primitive delivers regions of its own
 */
bool vmheat_choose_writes(const VmheatChooser *c, const char *name,
                          const VhPrimitiveOps *primitive, VhSensor *out,
                          Error **errp);

/** vmheat_choose_estimator() - by name */
const VhEstimatorOps *vmheat_choose_estimator(const char *name, Error **errp);

#endif
