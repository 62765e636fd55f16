/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KVM's dirty ring: each page the guest writes is told once; when the entries
 * were harvested and the ring was reset, the next write is told again. As with
 * the dirty log, a page's first read may count as a write.
 */
#include <sys/ioctl.h>

#include "check.h"
#include "kvm-guest.h"

#define PAGES 64
#define ENTRIES 1024
#define RING_SIZE (ENTRIES * sizeof(struct kvm_dirty_gfn))

#ifndef KVM_CAP_DIRTY_LOG_RING_ACQ_REL
#define KVM_CAP_DIRTY_LOG_RING_ACQ_REL 223
#endif

typedef struct Ring {
    struct kvm_dirty_gfn *entry;
    unsigned next;
} Ring;

static int ring_cap(const KvmGuest *g)
{
    static const int caps[] = { KVM_CAP_DIRTY_LOG_RING_ACQ_REL,
                                KVM_CAP_DIRTY_LOG_RING };

    for (unsigned i = 0; i < 2; i++) {
        if (kvm_guest_cap(g, caps[i])) {
            return caps[i];
        }
    }
    SKIP_FIX("Linux 5.11 or later (x86)", "KVM has no dirty ring "
                                          "(KVM_CAP_DIRTY_LOG_RING)");
}

/* All entries there are, as a bitmap of pages. */
static uint64_t harvest(Ring *r, unsigned *n)
{
    uint64_t pages = 0;

    for (*n = 0; *n < ENTRIES; (*n)++) {
        struct kvm_dirty_gfn *e = &r->entry[r->next % ENTRIES];

        if (__atomic_load_n(&e->flags, __ATOMIC_ACQUIRE) !=
            KVM_DIRTY_GFN_F_DIRTY) {
            break;
        }
        CHECK(e->slot == 0 && e->offset < PAGES, "slot %u, page %lu", e->slot,
              (unsigned long)e->offset);
        pages |= 1ULL << e->offset;
        __atomic_store_n(&e->flags, KVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
        r->next++;
    }
    return pages;
}

static uint64_t harvest_and_reset(const KvmGuest *g, Ring *r)
{
    unsigned n;
    uint64_t got = harvest(r, &n);
    int reset = ioctl(g->vm, KVM_RESET_DIRTY_RINGS, 0);

    CHECK(reset == (int)n, "%d of %u harvested entries were reset", reset, n);
    return got;
}

static void expect(const KvmGuest *g, Ring *r, uint64_t want, const char *when)
{
    uint64_t got = harvest_and_reset(g, r);

    CHECK(got == want, "%s the dirty ring tells pages 0x%lx, not 0x%lx", when,
          (unsigned long)got, (unsigned long)want);
}

static void map_ring(const KvmGuest *g, Ring *r)
{
    r->entry = mmap(NULL, RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
                    g->vcpu, KVM_DIRTY_LOG_PAGE_OFFSET * PAGE);
    CHECK(r->entry != MAP_FAILED, "mmap of the dirty ring");
}

static void check_told_once(KvmGuest *g, Ring *r)
{
    kvm_guest_read(g, 50);
    expect(g, r, 0, "after a read");
    kvm_guest_write(g, 20, 1);
    kvm_guest_write(g, 20, 2);
    kvm_guest_write(g, 40, 1);
    expect(g, r, 1ULL << 20 | 1ULL << 40, "after writes to two pages");
    expect(g, r, 0, "after a reset");
    kvm_guest_write(g, 20, 3);
    expect(g, r, 1ULL << 20, "after one more write");
}

int main(void)
{
    uint8_t *mem = check_shared(PAGES * PAGE, PAGE);
    Ring r = { NULL };
    KvmGuest g;
    bool first;

    kvm_guest_open(&g);
    kvm_guest_enable(&g, ring_cap(&g), RING_SIZE);
    kvm_guest_start(&g, mem, PAGES, KVM_MEM_LOG_DIRTY_PAGES);
    map_ring(&g, &r);
    for (unsigned i = KVM_GUEST_FIRST_FREE; i < PAGES; i++) {
        kvm_guest_read(&g, i);
    }
    first = harvest_and_reset(&g, &r) & 1ULL << 50;
    check_told_once(&g, &r);
    munmap(r.entry, RING_SIZE);
    kvm_guest_close(&g);
    check_seen("KVM's dirty ring tells written pages, and again after a "
               "reset%s",
               first ? "; a page's first read counts as a write" : "");
    return 0;
}
