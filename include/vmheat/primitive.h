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
 *   rest     worker thread, when there will be no arm and no collect for a while
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

/**
 * Version of VhPrimitiveOps, VhHost, VhCaps and VhPrimitiveStats. A new version
 * only appends members to these. VhCheck, VhMap and VhMapSection, of which
 * there are arrays, never change their size.
 */
#define VH_PRIMITIVE_VERSION 1

/** enum VhCheckState - what became of one access check */
typedef enum VhCheckState {
    VH_CHECK_NEW,     /* wanted by the estimator, not armed yet */
    VH_CHECK_ARMED,   /* armed, now or earlier: the next access will be seen */
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
 * @write: the estimator asks for writes only; such checks go to the second
 *         primitive (write-primitive), which may ignore this
 * @reserved: 0
 */
typedef struct VhCheck {
    uint64_t gpa;
    uint64_t cookie;
    VhCheckState state;
    bool present;
    bool write;
    uint64_t granule;
    uint64_t reserved;
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
 * @through_migration: it may go on while an outgoing migration runs: it never
 *                     takes a page away and migration reading memory is no
 *                     access to it
 * @batch: what it costs the guest does not depend on how many pages are
 *         checked, so all checks that are wanted may be made
 * @cost_ns: estimate of the guest time that one check of a page in use takes;
 *           ``auto`` prefers the cheapest of those that see the most
 * @waits_for_grant: it cannot run, but for want of a file that ``vmheat grant``
 *                   can hand over later
 */
typedef struct VhCaps {
    unsigned sees;
    uint64_t granule;
    bool persistent;
    const char *blind;
    const char *needs;
    bool through_migration;
    bool batch;
    uint64_t cost_ns;
    bool waits_for_grant;
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
 * @host_ns: time taken of other threads of this process that are no vCPUs
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
    uint64_t host_ns;
} VhPrimitiveStats;

/**
 * struct VhDirtyPage - one page of the write log
 * @gpa: guest-physical address
 * @dirty: out: written since it was last cleared
 * @cleared: for hw/dirty.c
 */
typedef struct VhDirtyPage {
    uint64_t gpa;
    bool dirty;
    bool cleared;
} VhDirtyPage;

/**
 * struct VhDirtyOps - QEMU's log of guest writes (hw/dirty.c)
 * @start: log writes to all sections of @map from now on; false and @why when
 *         that cannot be, without @why when it was only given up. Sections of
 *         the map before that are in @map too stay as they are.
 * @stop: end logging; may be done later
 * @read: fill in @dirty of @pages, which all lie in the map of start; false
 *        when there is no answer
 * @clear: fill in @dirty of @pages as read does, then begin anew for them;
 *         false when it is not certain that it was done for all
 * @each: call @fn for every page of the map that was written since start, and
 *        log no more; false when there is no answer
 * @spent_ns: time all of this took of QEMU's main thread so far
 * @lost: a sentence why logging was ended since start, or NULL; static
 *
 * Worker thread. They wait for QEMU's main thread, but give up (false) when
 * that waits for the worker.
 */
typedef struct VhDirtyOps {
    bool (*start)(void *opaque, VhMap *map, char **why);
    void (*stop)(void *opaque);
    bool (*read)(void *opaque, VhDirtyPage *pages, size_t n);
    bool (*clear)(void *opaque, VhDirtyPage *pages, size_t n);
    bool (*each)(void *opaque, void (*fn)(void *arg, uint64_t gpa), void *arg);
    uint64_t (*spent_ns)(void *opaque);
    const char *(*lost)(void *opaque);
} VhDirtyOps;

/** enum VhDirtyKind - what QEMU's write log is made from */
typedef enum VhDirtyKind {
    VH_DIRTY_NONE, /* there is no log */
    VH_DIRTY_LOG,  /* KVM's dirty bitmap, or TCG's */
    VH_DIRTY_RING, /* KVM's dirty rings (-accel kvm,dirty-ring-size=) */
} VhDirtyKind;

/* Files of the host that a privileged helper may hand over (vmheat grant). */
#define VH_GRANT_PAGE_IDLE "page-idle-bitmap" /* open for reading and writing */
#define VH_GRANT_PAGEMAP "pagemap"            /* of QEMU, with page frame numbers */
#define VH_GRANT_DAMON "damon"                /* socket of a running vmheat grant */

/**
 * struct VhHost - what the surroundings offer a primitive
 * @size: sizeof(VhHost) of the vmheat that made it
 * @run_on_vcpu: run @fn(@arg) on a vCPU's own thread, without the BQL held,
 *               and return at once; false when there is no vCPU. @fn runs
 *               exactly once, maybe after the caller gave up waiting. NULL
 *               when there are no vCPUs (tests).
 * @kvm: guest memory is accessed through KVM's page tables
 * @page_size: of this host: 4, 16 or 64 KiB; 0: VH_PAGE_SIZE
 * @nested: this host is itself a virtual machine (fires cost more)
 * @script: for primitive=fake: its script; NULL otherwise
 * @clock: time for measurements and scripts
 * @opaque: for @run_on_vcpu
 * @dirty_kind: main thread or worker: is there a write log?
 * @dirty_refusal: a sentence on what forbids write logging just now, or NULL;
 *                 main thread (probe); static
 * @dirty: the write log; NULL when @dirty_kind is VH_DIRTY_NONE
 * @dirty_opaque: for @dirty
 * @fault_ns: measured: a minor page fault of this host, 0 if unknown
 * @granted: was the file VH_GRANT_... handed over? With @fd, also duplicates it
 *           for the caller to close. Any thread. NULL: nothing ever is.
 * @grant_opaque: for @granted
 * @uffd: userfaultfd that all primitives share (accel/uffd-share.h); NULL: each
 *        has its own, and then two of them cannot watch the same memory
 */
typedef struct VhHost {
    uint32_t size;
    bool (*run_on_vcpu)(void *opaque, void (*fn)(void *arg), void *arg);
    bool kvm;
    uint64_t page_size;
    bool nested;
    const char *script;
    VhClock clock;
    void *opaque;
    VhDirtyKind dirty_kind;
    const char *(*dirty_refusal)(void *dirty_opaque);
    const VhDirtyOps *dirty;
    void *dirty_opaque;
    uint64_t fault_ns;
    bool (*granted)(void *grant_opaque, const char *what, int *fd);
    void *grant_opaque;
    struct VhUffd *uffd;
} VhHost;

/** vh_host_page() - bytes of a page of this host */
static inline uint64_t vh_host_page(const VhHost *h)
{
    return h->page_size ? h->page_size : VH_PAGE_SIZE;
}

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
 *           page is no longer armed, a silent one is if caps.persistent. Then
 *           there are also checks of pages that an arm() before the latest one
 *           armed, with the granule it said, and in a batch without any arm().
 * @idle: see above; may be NULL
 * @release: see above; frees the state
 * @stats: fill @out; never blocks; worker thread
 * @covers: can pages of this section of the current map be checked? Regions
 *          are made only of sections for which it says yes; NULL means all
 * @broken: after collect: it stopped working and has to be replaced: a
 *          sentence why (g_free), else NULL. May be NULL.
 * @regions: a region provider (kernel DAMON) instead of arm and collect: the
 *           regions of its latest aggregation if it is a new one, else NULL.
 *           Called each sampling interval; must not wait. Addresses are
 *           guest-physical and of the current map; attrs and max_nr_accesses
 *           are filled in, sequence and times are not. NULL: not a provider.
 * @attrs: a region provider is told the attributes in force, after open and
 *         whenever they change; may be NULL
 * @allow: before arm: how many fires it may cause until the next call, less
 *         than 0 while it owes some; for primitives with caps.batch. May be
 *         NULL.
 * @rest: nothing will be asked for a while (vmheat-pause, a stopped guest): end
 *        what goes on costing the guest something, but for what the pages
 *        armed last may. Worker thread, maybe several times; set_map, arm or
 *        idle comes next. May be NULL.
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
    char *(*broken)(void *p);
    void (*allow)(void *p, double fires);
    struct VhSnapshot *(*regions)(void *p);
    void (*attrs)(void *p, const VhAttrs *attrs);
    void (*rest)(void *p);
} VhPrimitiveOps;

/** vh_primitives() - all primitives, best first, NULL terminated */
const VhPrimitiveOps *const *vh_primitives(void);

/** vh_primitive_find() - by name, hidden ones too; NULL when unknown */
const VhPrimitiveOps *vh_primitive_find(const char *name);

#endif
