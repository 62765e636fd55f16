/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pageout: put memory out of host memory, without stopping the guest for it.
 *
 * Theory of operation
 * -------------------
 * MADV_PAGEOUT of a guest's mapping unmaps one page at a time, and for each the
 * kernel makes KVM drop it from its page tables and every vCPU flush its TLB: a
 * running guest gets nearly nothing done meanwhile. So shared memory is paged
 * out through a second mapping (alias.h), 2 MiB at a time:
 *   1. zap the guest's mapping of it: one call, one flush; the data stays in
 * the page cache;
 *   2. map the pages that are in memory in the second mapping, for reading;
 *   3. take all access to the second mapping away: then no TLB can hold it, and
 *      the kernel interrupts no vCPU when it unmaps it (alias.c);
 *   4. MADV_PAGEOUT the second mapping: no vCPU has ever seen its addresses;
 *   5. zap the second mapping, for what the kernel left.
 * A page that the guest touches after 1 is mapped twice then, and the kernel
 * leaves such pages alone: whatever is still in use stays. The page is shared
 * and in the page cache all the time, so nothing can be lost. Step 1 is done
 * only to memory that is proved to be shared (docs/design/safety.md).
 *
 * What that still costs a running guest is paced (pace.c).
 *
 * Private memory has no second mapping. It is paged out the plain way in small
 * pieces, with much time in between for the guest. While it is idle there is
 * nothing to lose, and no rest. A huge page goes as a whole, with one flush.
 *
 * Pages that are mlocked, pinned or mapped by another process (vhost-user)
 * stay, by the kernel's own decision.
 *
 * What left memory is told by mincore() before and after. On a slow swap device
 * the kernel may still be writing then; what comes later is not counted.
 */
#include <errno.h>
#include <glib.h>
#include <sys/mman.h>

#include "accel/pagemap.h"
#include "actions/advise.h"
#include "actions/alias.h"
#include "actions/disk.h"
#include "actions/pace.h"
#include "actions/registry.h"
#include "actions/resident.h"

#define SMALL_CHUNK (64ULL << 10)
/* Memory that is out already is passed over so much at a time. */
#define PASS_OVER (64ULL << 20)
/* With less free swap it counts as full. */
#define SWAP_LEFT (2ULL << 20)

typedef struct Pageout {
    const VhActionEnv *env;
    VhMap *map;
    VhAlias alias;
    VhPagemap pagemap; /* fd -1: none */
    uint64_t left[VH_RESIDENT_WORDS];
} Pageout;

/* Says why @what cannot be paged out. */
static bool no_swap(const char *what, char **why)
{
    *why = g_strdup_printf("%s can only go to swap, and the host has none; add "
                           "some, best in compressed memory: modprobe zram, or "
                           "zramctl, mkswap and swapon",
                           what);
    return false;
}

static bool pageout_probe(const VhActionEnv *env, const VhActionArgs *args,
                          char **why)
{
    return vh_advise_probe(MADV_PAGEOUT, "MADV_PAGEOUT", "5.4", why) &&
           (vh_swap_bytes(false) || vh_disk_any() ||
            no_swap("guest memory", why));
}

static bool pageout_suits(const VhMapSection *s, char **why)
{
    g_autofree char *what = g_strdup_printf("memory '%s'", s->name);

    if (s->flags & VH_SECTION_HUGETLB) {
        *why = g_strdup_printf("%s is made of hugetlb pages, which Linux "
                               "cannot page out",
                               what);
        return false;
    }
    if (s->flags & VH_SECTION_PINNED) {
        *why = g_strdup_printf("%s is pinned for a device (VFIO)", what);
        return false;
    }
    return vh_swap_bytes(false) || vh_disk_backs(s) || no_swap(what, why);
}

static void *pageout_open(const VhActionEnv *env)
{
    Pageout *p = g_new0(Pageout, 1);
    g_autofree char *why = NULL;

    p->env = env;
    if (!vh_pagemap_open(&p->pagemap, &why)) {
        p->pagemap.fd = -1;
    }
    return p;
}

/* A second mapping that is not in use would confuse who reads smaps. */
static void pageout_rest(void *a)
{
    Pageout *p = a;

    vh_alias_close(&p->alias);
}

static void pageout_set_map(void *a, VhMap *map)
{
    Pageout *p = a;

    pageout_rest(p);
    vh_map_unref(p->map);
    p->map = vh_map_ref(map);
}

static void pageout_close(void *a)
{
    Pageout *p = a;

    pageout_set_map(p, NULL);
    if (p->pagemap.fd >= 0) {
        vh_pagemap_close(&p->pagemap);
    }
    g_free(p);
}

static int page_out_shared(Pageout *p, const VhMapSection *s, uint64_t offset,
                           uint64_t size, const uint64_t *bits)
{
    uint8_t *alias = vh_alias_show(&p->alias, offset, size, bits);
    int error = 0;

    if (!alias) {
        return errno;
    }
    if (!vh_alias_conceal(&p->alias, offset, size) ||
        madvise(alias, size, MADV_PAGEOUT) < 0) {
        error = errno;
    }
    vh_alias_forget(&p->alias, offset, size);
    return error;
}

/* Sets p->left to what is in @before and no more in memory; how many pages. */
static unsigned count_left(Pageout *p, const uint8_t *addr, unsigned pages,
                           const uint64_t *before)
{
    uint64_t now[VH_RESIDENT_WORDS];
    unsigned n = 0;

    vh_resident(addr, pages, now);
    for (unsigned i = 0; i < VH_RESIDENT_WORDS; i++) {
        p->left[i] = before[i] & ~now[i];
        n += __builtin_popcountll(p->left[i]);
    }
    return n;
}

/* Bytes from @offset on that are out already, whole chunks of them. */
static uint64_t out_already(const VhMapSection *s, uint64_t offset,
                            uint64_t size)
{
    uint64_t bits[VH_RESIDENT_WORDS], done = 0;

    while (done < MIN(size, PASS_OVER)) {
        uint64_t chunk = MIN(VH_HUGE_SIZE, size - done);

        if (vh_resident(s->hva + offset + done, chunk / VH_PAGE_SIZE, bits)) {
            break;
        }
        done += chunk;
    }
    return done;
}

/* A huge page goes as a whole, or it would be split first. */
static uint64_t quantum(const Pageout *p, bool shared, const uint8_t *addr,
                        uint64_t size)
{
    bool whole = shared || !p->env->kvm || vh_pace_idle(p->env) ||
                 (p->pagemap.fd >= 0 &&
                  vh_pagemap_query(&p->pagemap, addr) & VH_PAGE_HUGE);

    return MIN(vh_advise_chunk(addr, size), whole ? VH_HUGE_SIZE : SMALL_CHUNK);
}

static int why_none_left(const VhMapSection *s, int error)
{
    if (error) {
        return error;
    }
    return vh_swap_bytes(true) < SWAP_LEFT && !vh_disk_backs(s) ? ENOSPC : 0;
}

/* Fills in what became of the @did->size bytes at @offset; errno or 0. */
static void page_out(Pageout *p, const VhMapSection *s, uint64_t offset,
                     VhApplied *did)
{
    uint8_t *addr = s->hva + offset;
    unsigned pages = did->size / VH_PAGE_SIZE, was, left;
    uint64_t before[VH_RESIDENT_WORDS];
    int error = 0;

    was = vh_resident(addr, pages, before);
    if (p->alias.section == s) {
        error = page_out_shared(p, s, offset, did->size, before);
    } else if (madvise(addr, did->size, MADV_PAGEOUT) < 0) {
        error = errno;
    }
    left = count_left(p, addr, pages, before);
    did->applied = left * VH_PAGE_SIZE;
    did->left = p->left;
    if (left < was / 8 && error != EINVAL) {
        did->error = why_none_left(s, error);
    }
}

static VhApplied pageout_apply(void *a, const VhActionArgs *args,
                               const VhMapSection *s, uint64_t offset,
                               uint64_t size)
{
    Pageout *p = a;
    uint64_t start = vh_clock_now(&p->env->clock);
    VhApplied did = { .size = out_already(s, offset, size) };
    bool any = !did.size, shared = any && vh_alias_of(&p->alias, s);

    if (any) {
        did.size = quantum(p, shared, s->hva + offset, size);
        page_out(p, s, offset, &did);
    }
    did.spent_ns = vh_clock_now(&p->env->clock) - start;
    if (any && p->env->kvm) {
        did.wait_ns = vh_pace_wait(p->env, did.spent_ns,
                                   shared ? VH_PACE_ALIAS : VH_PACE_EACH);
    }
    return did;
}

const VhActionOps vh_action_pageout = {
    .name = "pageout",
    .summary = "put memory out of host memory, to swap or its file",
    .needs =
        "swap, best in compressed memory (zram, zswap), or memory that is a "
        "file on a disk",
    .prio = VH_PRIO_COLD,
    .counts_refaults = true,
    .probe = pageout_probe,
    .suits = pageout_suits,
    .open = pageout_open,
    .set_map = pageout_set_map,
    .apply = pageout_apply,
    .rest = pageout_rest,
    .close = pageout_close,
};
