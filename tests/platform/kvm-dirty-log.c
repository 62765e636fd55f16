/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KVM's dirty log with manual protection: told are pages the guest wrote and no
 * others, again and again until they are cleared. A clear begins at a multiple
 * of 64 pages and is a multiple of 64 pages long, unless it ends with the slot.
 *
 * But a page that KVM has not mapped yet is mapped writable if it can be, and
 * then counts as written although the guest only read it (make_spte()). So
 * all pages are mapped before the log is believed.
 */
#include <sys/ioctl.h>

#include "check.h"
#include "kvm-guest.h"

#define PAGES 100 /* no multiple of 64 */
#define WORDS 2

typedef struct Bitmap {
    uint64_t word[WORDS];
} Bitmap;

static Bitmap bit(unsigned page)
{
    Bitmap b = { { 0 } };

    b.word[page / 64] = 1ULL << page % 64;
    return b;
}

static Bitmap get(const KvmGuest *g)
{
    Bitmap got = { { 0 } };
    struct kvm_dirty_log log = { .dirty_bitmap = &got };

    CHECK(ioctl(g->vm, KVM_GET_DIRTY_LOG, &log) == 0, "KVM_GET_DIRTY_LOG");
    return got;
}

static void expect(const KvmGuest *g, Bitmap want, const char *when)
{
    Bitmap got = get(g);

    CHECK(memcmp(&got, &want, sizeof(got)) == 0,
          "%s the dirty log tells 0x%lx 0x%lx, not 0x%lx 0x%lx", when,
          (unsigned long)got.word[0], (unsigned long)got.word[1],
          (unsigned long)want.word[0], (unsigned long)want.word[1]);
}

static int clear(const KvmGuest *g, unsigned first, unsigned n, Bitmap which)
{
    struct kvm_clear_dirty_log log = {
        .first_page = first,
        .num_pages = n,
        .dirty_bitmap = &which.word[first / 64],
    };

    return ioctl(g->vm, KVM_CLEAR_DIRTY_LOG, &log);
}

/* True when mapping a page by reading it counts as a write. */
static bool map_all(KvmGuest *g)
{
    Bitmap told;

    for (unsigned i = KVM_GUEST_FIRST_FREE; i < PAGES; i++) {
        kvm_guest_read(g, i);
    }
    told = get(g);
    CHECK(clear(g, 0, PAGES, told) == 0, "clearing the whole slot");
    return told.word[1] & bit(99).word[1];
}

static void check_told_until_cleared(KvmGuest *g)
{
    Bitmap none = { { 0 } }, low = bit(40), high = bit(99);
    Bitmap both = { { low.word[0], high.word[1] } };

    expect(g, none, "after a clear");
    kvm_guest_read(g, 50);
    expect(g, none, "after a read");
    kvm_guest_write(g, 40, 1);
    kvm_guest_write(g, 99, 1);
    expect(g, both, "after two writes");
    expect(g, both, "asked again");
    CHECK(clear(g, 0, 64, low) == 0, "clearing 64 pages");
    expect(g, high, "after one was cleared");
    kvm_guest_write(g, 40, 2);
    expect(g, both, "after it was written again");
    CHECK(clear(g, 64, PAGES - 64, high) == 0, "clearing to the slot's end");
    CHECK(clear(g, 0, 64, low) == 0, "clearing 64 pages");
    expect(g, none, "after both were cleared");
}

static void check_alignment(const KvmGuest *g)
{
    Bitmap none = { { 0 } };

    CHECK(clear(g, 0, 1, none) == -1, "one page is cleared");
    CHECK(clear(g, 0, 65, none) == -1, "65 of %d pages are cleared", PAGES);
    CHECK(clear(g, 1, 64, none) == -1, "a clear may begin at page 1");
    CHECK(clear(g, 0, 64, none) == 0, "64 pages are not cleared");
    CHECK(clear(g, 0, PAGES, none) == 0, "the whole slot is not cleared");
}

int main(void)
{
    uint8_t *mem = check_shared(PAGES * PAGE, PAGE);
    KvmGuest g;
    bool first;

    kvm_guest_open(&g);
    if (!(kvm_guest_cap(&g, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2) & 1)) {
        SKIP_FIX("Linux 5.2 or later", "KVM has no manual dirty log protection "
                                       "(KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2)");
    }
    kvm_guest_enable(&g, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, 1);
    kvm_guest_start(&g, mem, PAGES, KVM_MEM_LOG_DIRTY_PAGES);
    first = map_all(&g);
    check_told_until_cleared(&g);
    check_alignment(&g);
    kvm_guest_close(&g);
    check_seen("KVM's dirty log tells written pages until they are cleared%s",
               first ? "; a page's first read counts as a write" : "");
    return 0;
}
