/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Being told of an outgoing migration or background snapshot: when it begins,
 * changes and is over.
 *
 * QEMU 7.2 calls with the migration's state. QEMU 9 and later call with the
 * phase of precopy, which says "done" when postcopy begins too; so the state is
 * asked for. They keep one list of notifiers for each mode (normal, CPR), and a
 * notifier is on one list only.
 */
#ifndef VMHEAT_COMPAT_MIGRATION_H
#define VMHEAT_COMPAT_MIGRATION_H

#include "compat/includes.h"

typedef struct VhMigrationWatch VhMigrationWatch;
typedef void VhMigrationChanged(VhMigrationWatch *w, bool under_way);

#ifdef VH_MIGRATION_EVENTS
typedef struct VhMigrationNode {
    NotifierWithReturn notifier;
    VhMigrationWatch *watch;
} VhMigrationNode;

struct VhMigrationWatch {
    VhMigrationNode nodes[MIG_MODE__MAX];
    VhMigrationChanged *changed;
};

static inline bool vh_migration_under_way(void)
{
    return migration_is_running();
}

static inline int vh_migration_event(NotifierWithReturn *n, MigrationEvent *e,
                                     Error **errp)
{
    VhMigrationNode *node = container_of(n, VhMigrationNode, notifier);

    node->watch->changed(node->watch, vh_migration_under_way());
    return 0;
}

static inline void vh_migration_watch(VhMigrationWatch *w,
                                      VhMigrationChanged *changed)
{
    w->changed = changed;
    for (int mode = 0; mode < MIG_MODE__MAX; mode++) {
        w->nodes[mode].watch = w;
        migration_add_notifier_mode(&w->nodes[mode].notifier,
                                    vh_migration_event, mode);
    }
}

static inline void vh_migration_unwatch(VhMigrationWatch *w)
{
    for (int mode = 0; mode < MIG_MODE__MAX; mode++) {
        migration_remove_notifier(&w->nodes[mode].notifier);
    }
}
#else
struct VhMigrationWatch {
    Notifier notifier;
    VhMigrationChanged *changed;
};

static inline bool vh_migration_under_way(void)
{
    return !migration_is_idle();
}

static inline void vh_migration_notify(Notifier *n, void *data)
{
    VhMigrationWatch *w = container_of(n, VhMigrationWatch, notifier);
    MigrationState *state = data;

    w->changed(w,
               !migration_has_finished(state) && !migration_has_failed(state));
}

static inline void vh_migration_watch(VhMigrationWatch *w,
                                      VhMigrationChanged *changed)
{
    w->changed = changed;
    w->notifier.notify = vh_migration_notify;
    add_migration_state_change_notifier(&w->notifier);
}

static inline void vh_migration_unwatch(VhMigrationWatch *w)
{
    remove_migration_state_change_notifier(&w->notifier);
}
#endif

#endif
