/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "accel/calibrate.h"
#include "vmheat/types.h"

#define ROUNDS 64
#define KVM_BARE_NS 4000
#define KVM_NESTED_NS 35000

uint64_t vh_calibrate_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* The median would be as good; the minimum ignores a busy machine. */
static uint64_t fault_ns(volatile uint8_t *page)
{
    uint64_t best = UINT64_MAX;

    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start;

        madvise((void *)page, VH_PAGE_SIZE, MADV_DONTNEED);
        start = vh_calibrate_now();
        (void)*page;
        best = MIN(best, vh_calibrate_now() - start);
    }
    return best;
}

uint64_t vh_calibrate_fire(bool kvm, bool nested)
{
    uint64_t ns = !kvm ? 0 : nested ? KVM_NESTED_NS : KVM_BARE_NS;
    void *page = mmap(NULL, VH_PAGE_SIZE, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (page != MAP_FAILED) {
        *(volatile uint8_t *)page = 1;
        ns += fault_ns(page);
        munmap(page, VH_PAGE_SIZE);
    }
    return ns;
}
