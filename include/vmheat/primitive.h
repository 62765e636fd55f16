/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contract of an access-check primitive (DAMON: "operations set").
 *
 * A primitive answers one question: was this guest page accessed since it was
 * armed? One file in accel/ implements one primitive; one line in
 * accel/registry.c makes it known. Nothing else changes.
 *
 * Who calls what, when:
 *   probe    main thread under the BQL, at realize and when the user asks;
 *            must not block and must not change anything
 *   open     worker thread, once, before anything else
 *   set_map  worker thread, first after open and again whenever the guest
 *            memory map changed; no page is armed across a set_map
 *   arm      worker thread, each sampling interval
 *   collect  worker thread, each sampling interval, before the next arm
 *   idle     worker thread, when somebody else needs guest memory (migration):
 *            give up what could be in the way (userfaultfd registrations);
 *            set_map comes again before the next arm
 *   release  last, after idle, when the worker thread has ended (any thread)
 * So a primitive needs no locks of its own.
 */
#ifndef VMHEAT_PRIMITIVE_H
#define VMHEAT_PRIMITIVE_H

#include "vmheat/map.h"
#include "vmheat/types.h"

/** Version of VhPrimitiveOps; fields are only ever appended. */
#define VH_PRIMITIVE_VERSION 1

/** enum VhCheckState - what became of one access check */
typedef enum VhCheckState {
    VH_CHECK_NEW,     /* wanted by the estimator, not armed yet */
    VH_CHECK_ARMED,   /* armed: the next access will be seen */
    VH_CHECK_SILENT,  /* collected: not accessed since armed */
    VH_CHECK_FIRED,   /* collected: accessed since armed */
    VH_CHECK_SKIPPED, /* not armed: over budget or page not checkable */
    VH_CHECK_LOST,    /* armed, but the answer is unusable */
} VhCheckState;

/**
 * struct VhCheck - one access check of one page
 * @gpa: guest-physical address of the page, multiple of VH_PAGE_SIZE
 * @cookie: the estimator's; primitives leave it alone
 * @state: see VhCheckState
 * @granule: out of arm: bytes the answer speaks for (4096, 2 MiB, ...)
 * @present: out of arm: the page was mapped, so arming had to disturb it.
 *           An armed page that was not present was armed already or was never
 *           touched; it cost nothing.
 */
typedef struct VhCheck {
    uint64_t gpa;
    uint64_t cookie;
    VhCheckState state;
    bool present;
    uint64_t granule;
} VhCheck;

/** What a primitive can see: bits of VhCaps::sees */
#define VH_SEES_READS (1u << 0)
#define VH_SEES_WRITES (1u << 1)
#define VH_SEES_DMA (1u << 2) /* accesses by QEMU's own device models */

/**
 * struct VhCaps - what a primitive can do on this map
 * @sees: VH_SEES_* bits
 * @granule: smallest granule in bytes
 * @persistent: an armed page stays armed until touched
 * @blind: a sentence on what it cannot see, or NULL; static
 * @needs: a sentence on what it needs, or NULL; static
 */
typedef struct VhCaps {
    unsigned sees;
    uint64_t granule;
    bool persistent;
    const char *blind;
    const char *needs;
} VhCaps;

/**
 * struct VhPrimitiveStats - measured by the primitive itself, since open
 * @arms: pages armed by disturbing a present mapping
 * @arms_free: pages armed at no cost (they were not present)
 * @fires: armed pages found accessed
 * @lost: answers that had to be thrown away
 * @arm_ns: measured cost of arming one present page, to whom it is charged
 * @arm_batch_ns: fixed cost of one batch of arms
 * @collect_ns: measured cost of collecting one answer
 * @fire_ns: what a fire costs the guest: calibrated estimate
 * @vcpu_ns: time taken from vCPU threads so far (arming on them)
 * @detail: how it works right now ("worker, uffd-wp, 4 KiB"); static or
 *          owned by the primitive and valid until its next call
 */
typedef struct VhPrimitiveStats {
    uint64_t arms;
    uint64_t arms_free;
    uint64_t fires;
    uint64_t lost;
    uint64_t arm_ns;
    uint64_t arm_batch_ns;
    uint64_t collect_ns;
    uint64_t fire_ns;
    uint64_t vcpu_ns;
    const char *detail;
} VhPrimitiveStats;

/**
 * struct VhHost - what the surroundings offer a primitive
 * @run_on_vcpu: run @fn(@arg) on a vCPU's own thread, without the BQL held,
 *               and return at once; false when there is no vCPU. @fn runs
 *               exactly once, maybe after the caller gave up waiting. NULL
 *               when there are no vCPUs (tests).
 * @kvm: guest memory is accessed through KVM's page tables
 * @nested: this host is itself a virtual machine (fires cost more)
 * @script: for primitive=fake: its script; NULL otherwise
 * @clock: time for measurements and scripts
 * @opaque: for @run_on_vcpu
 */
typedef struct VhHost {
    bool (*run_on_vcpu)(void *opaque, void (*fn)(void *arg), void *arg);
    bool kvm;
    bool nested;
    const char *script;
    VhClock clock;
    void *opaque;
} VhHost;

/**
 * struct VhPrimitiveOps - one primitive
 * @size: sizeof(VhPrimitiveOps) the primitive was compiled with
 * @version: VH_PRIMITIVE_VERSION
 * @name: as in the ``primitive`` property
 * @summary: one line for humans
 * @hidden: never chosen by ``auto`` and not listed (tests)
 * @probe: can it run here? Fills @caps. Else false and @why: a sentence that
 *         names what is in the way and how to fix it (g_free)
 * @open: state, or NULL and @why. @host outlives the state.
 * @set_map: watch this map from now on; takes its own reference
 * @arm: arm the pages of @checks; sets state, present and granule of each
 * @collect: for each ARMED check sets SILENT, FIRED or LOST; a fired or lost
 *           page is no longer armed, a silent one is if caps.persistent
 * @idle: see above; may be NULL
 * @release: see above; frees the state
 * @stats: fill @out; never blocks; worker thread
 * @covers: can pages of this section of the current map be checked? Regions
 *          are made only of sections for which it says yes; NULL means all
 */
typedef struct VhPrimitiveOps {
    uint32_t size;
    uint32_t version;
    const char *name;
    const char *summary;
    bool hidden;
    bool (*probe)(const VhMap *map, const VhHost *host, VhCaps *caps,
                  char **why);
    void *(*open)(const VhHost *host, char **why);
    bool (*set_map)(void *p, VhMap *map, char **why);
    void (*arm)(void *p, VhCheck *checks, size_t n);
    void (*collect)(void *p, VhCheck *checks, size_t n);
    void (*idle)(void *p);
    void (*release)(void *p);
    void (*stats)(void *p, VhPrimitiveStats *out);
    bool (*covers)(void *p, const VhMapSection *section);
} VhPrimitiveOps;

/** vh_primitives() - all primitives, best first, NULL terminated */
const VhPrimitiveOps *const *vh_primitives(void);

/** vh_primitive_find() - by name, hidden ones too; NULL when unknown */
const VhPrimitiveOps *vh_primitive_find(const char *name);

#endif
