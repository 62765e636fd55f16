/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "accel/calibrate.h"
#include "accel/uffd-share.h"
#include "vmheat/types.h"

#define ROUNDS 64
#define KVM_BARE_NS 4000
#define KVM_NESTED_NS 35000
#define KVM_BARE_WRITE_NS 2000
#define KVM_NESTED_WRITE_NS 30000
#define TCG_WRITE_NS 300

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

uint64_t vh_calibrate_fault(void)
{
    uint64_t ns = 0;
    void *page = mmap(NULL, VH_PAGE_SIZE, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (page != MAP_FAILED) {
        *(volatile uint8_t *)page = 1;
        ns = fault_ns(page);
        munmap(page, VH_PAGE_SIZE);
    }
    return ns;
}

uint64_t vh_estimate_fire(bool kvm, bool nested, uint64_t fault_ns)
{
    return fault_ns + (!kvm ? 0 : nested ? KVM_NESTED_NS : KVM_BARE_NS);
}

uint64_t vh_calibrate_fire(bool kvm, bool nested)
{
    return vh_estimate_fire(kvm, nested, vh_calibrate_fault());
}

/* The least of some rounds; 0 when the page cannot be protected. */
static uint64_t protect_ns(volatile uint8_t *page, VhUffd *uffd)
{
    uint64_t best = UINT64_MAX;
    size_t size = sysconf(_SC_PAGESIZE);

    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start;

        if (!vh_uffd_set(uffd, (void *)page, size, true)) {
            return 0;
        }
        start = vh_calibrate_now();
        *page = 1;
        best = MIN(best, vh_calibrate_now() - start);
    }
    return best;
}

uint64_t vh_calibrate_protect(bool kvm, bool nested, VhUffd *uffd)
{
    uint64_t ns = 0;
    size_t size = sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (page != MAP_FAILED && vh_uffd_hold(uffd, page, size)) {
        *(volatile uint8_t *)page = 1;
        ns = protect_ns(page, uffd);
        vh_uffd_drop(uffd, page, size, true);
    }
    if (page != MAP_FAILED) {
        munmap(page, size);
    }
    return vh_estimate_fire(kvm, nested, ns);
}

uint64_t vh_calibrate_write_fault(bool kvm, bool nested)
{
    return !kvm     ? TCG_WRITE_NS
           : nested ? KVM_NESTED_WRITE_NS
                    : KVM_BARE_WRITE_NS;
}
