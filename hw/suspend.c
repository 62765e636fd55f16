/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Guest memory belongs to somebody else
 * - while an outgoing migration or background snapshot runs: it reads every
 *   page (all would look hot) and a background snapshot registers guest memory
 *   with a userfaultfd of its own, which fails if ours is still registered;
 * - while an incoming migration runs, until the end of postcopy: pages not yet
 *   received must not be touched;
 * - while the guest is stopped nobody accesses memory, and letting regions
 *   age would call memory cold that is only asleep.
 *
 * QEMU reports outgoing migration and run state changes. The end of an
 * incoming postcopy is not reported at a time when the state can be read, so a
 * timer looks again twice a second for as long as it lasts.
 */
#include "compat/qemu.h"
#include "hw/suspend.h"

#define POSTCOPY_POLL_MS 500

static void poll_postcopy(VmheatSuspend *s)
{
    if (migration_in_incoming_postcopy()) {
        timer_mod(s->timer,
                  qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + POSTCOPY_POLL_MS);
    }
}

static void changed(VmheatSuspend *s)
{
    poll_postcopy(s);
    s->changed(s->opaque);
}

static void vm_state_changed(void *opaque, bool running, RunState state)
{
    changed(opaque);
}

static void postcopy_poll(void *opaque)
{
    changed(opaque);
}

static void migration_changed(VhMigrationWatch *w, bool under_way)
{
    VmheatSuspend *s = container_of(w, VmheatSuspend, migration);

    s->migrating = under_way;
    changed(s);
}

void vmheat_suspend_start(VmheatSuspend *s, void (*cb)(void *opaque),
                          void *opaque)
{
    s->changed = cb;
    s->opaque = opaque;
    s->migrating = vh_migration_under_way();
    s->timer = timer_new_ms(QEMU_CLOCK_REALTIME, postcopy_poll, s);
    vh_migration_watch(&s->migration, migration_changed);
    s->vm_state = qemu_add_vm_change_state_handler(vm_state_changed, s);
    poll_postcopy(s);
}

void vmheat_suspend_stop(VmheatSuspend *s)
{
    if (!s->vm_state) {
        return;
    }
    qemu_del_vm_change_state_handler(s->vm_state);
    s->vm_state = NULL;
    vh_migration_unwatch(&s->migration);
    timer_free(s->timer);
}

const char *vmheat_suspend_reason(VmheatSuspend *s, bool through_migration,
                                  bool *release)
{
    *release = true;
    if (s->migrating && !through_migration) {
        return "migration in progress";
    }
    if (runstate_check(RUN_STATE_INMIGRATE)) {
        return "waiting for incoming migration";
    }
    if (migration_in_incoming_postcopy()) {
        return "incoming postcopy migration in progress";
    }
    *release = false;
    return runstate_is_running() ? NULL : "guest is stopped";
}
