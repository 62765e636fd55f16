/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An action on real memory, without QEMU; also while a thread writes to it.
 */
#ifndef VMHEAT_TESTS_ACT_H
#define VMHEAT_TESTS_ACT_H

#include <pthread.h>

#include "rig.h"
#include "vmheat/action.h"

/**
 * struct Act - an action under test
 * @ops: the action
 * @env: what it was opened with; not KVM
 * @busy: what env.guest_busy says
 * @state: its state
 * @mem: memory of the map, 2 MiB aligned, every page has contents of its own
 * @size: of @mem
 * @map: one reference
 * @written: how often the writer has written each page
 */
typedef struct Act {
    const VhActionOps *ops;
    VhActionEnv env;
    double busy;
    void *state;
    uint8_t *mem;
    size_t size;
    VhMap *map;
    uint64_t *written;
    pthread_t writer;
    bool stop;
} Act;

/** act_find() - the ops of action @name */
const VhActionOps *act_find(const char *name);

/** act_probe() - skips the test (false) when the action cannot run here */
bool act_probe(const char *name, const VhActionArgs *args);

/** act_open() - opens action @name on @size bytes of @kind */
void act_open(Act *a, const char *name, RigKind kind, size_t size);

/** act_open_small() - the same, of small pages wherever
 * transparent_hugepage/enabled is 'always'; the memory is advised against huge
 * pages */
void act_open_small(Act *a, const char *name, RigKind kind, size_t size);

/**
 * act_watch() - registers the memory with userfaultfd, as that of the trap is
 *
 * Skips the test (NULL) when that cannot be.
 */
struct VhUffd *act_watch(const Act *a);

/** act_unwatch() - ends it */
void act_unwatch(const Act *a, struct VhUffd *u);

/** act_kernel_is() - Linux @major.@minor or later */
bool act_kernel_is(unsigned major, unsigned minor);

/** act_reopen() - the same memory, action @name */
void act_reopen(Act *a, const char *name);

/** act_section() - of the map */
const VhMapSection *act_section(const Act *a);

/** act_run() - applies it to a range, quantum after quantum; the sums, and the
 * last error */
VhApplied act_run(Act *a, const VhActionArgs *args, uint64_t offset,
                  uint64_t size);

/** act_write() - a thread writes to all pages from now on, and checks that
 * what it wrote the last time is still there */
void act_write(Act *a);

/** act_write_stop() - it ends, when it has written each page at least once */
void act_write_stop(Act *a);

/** act_assert_intact() - nothing was lost */
void act_assert_intact(const Act *a);

/** act_resident() - bytes of it in host memory, mapped or not */
uint64_t act_resident(const Act *a);

/** act_close() - ends all; checks that nothing was lost, and that the action
 * has let go of the memory */
void act_close(Act *a);

#endif
