/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A timer of the main thread looks ten times a second whether it is over. When
 * a migration begins, or the guest is stopped (to be saved, maybe), it is over
 * at once: the state would have a balloon that nobody lets go of later.
 *
 * Two hold references: the main thread until it is over, and who began it.
 */
#include "hw/squeeze.h"
#include "actions/squeeze.h"
#include "hw/balloon.h"

#define LOOK_MS 100

struct VmheatSqueeze {
    int refs;
    bool over;
    VhSqueeze state; /* main thread, until it is over */
    QEMUTimer *timer;
    VhMigrationWatch migration;
    VMChangeStateEntry *vm_state;
};

void vmheat_squeeze_unref(VmheatSqueeze *q)
{
    if (qatomic_fetch_dec(&q->refs) == 1) {
        g_free(q);
    }
}

bool vmheat_squeeze_is_over(VmheatSqueeze *q)
{
    return qatomic_load_acquire(&q->over);
}

uint64_t vmheat_squeeze_taken(const VmheatSqueeze *q)
{
    return vh_squeeze_taken(&q->state);
}

/* Lets go, unless somebody else has moved the balloon meanwhile. */
static void finish(VmheatSqueeze *q)
{
    VhBalloonSight s;

    if (vmheat_balloon_look(&s, NULL) && s.target == q->state.goal) {
        vmheat_balloon_set(q->state.back);
    }
    timer_free(q->timer);
    vh_migration_unwatch(&q->migration);
    qemu_del_vm_change_state_handler(q->vm_state);
    qatomic_store_release(&q->over, true);
    vmheat_squeeze_unref(q);
}

static void look(void *opaque)
{
    VmheatSqueeze *q = opaque;
    VhBalloonSight s;

    if (!vmheat_balloon_look(&s, NULL) ||
        vh_squeeze_over(&q->state, &s, get_clock())) {
        finish(q);
        return;
    }
    timer_mod(q->timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + LOOK_MS);
}

static void migration_changed(VhMigrationWatch *w, bool under_way)
{
    finish(container_of(w, VmheatSqueeze, migration));
}

static void vm_state_changed(void *opaque, bool running, RunState state)
{
    if (!running) {
        finish(opaque);
    }
}

VmheatSqueeze *vmheat_squeeze_begin(uint64_t most, const char **why)
{
    VmheatSqueeze *q;
    VhSqueeze state;
    VhBalloonSight s;

    if (!vmheat_balloon_look(&s, NULL)) {
        *why = "there is no balloon device";
        return NULL;
    }
    if (vh_migration_under_way()) {
        *why = "a migration is under way";
        return NULL;
    }
    if (!vh_squeeze_begin(&state, &s, most, get_clock(), why)) {
        return NULL;
    }
    q = g_new0(VmheatSqueeze, 1);
    q->refs = 2;
    q->state = state;
    q->timer = timer_new_ms(QEMU_CLOCK_REALTIME, look, q);
    vh_migration_watch(&q->migration, migration_changed);
    q->vm_state = qemu_add_vm_change_state_handler(vm_state_changed, q);
    vmheat_balloon_set(state.goal);
    timer_mod(q->timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + LOOK_MS);
    return q;
}
