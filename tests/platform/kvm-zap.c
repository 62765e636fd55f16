/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zapping shared memory under a running vCPU takes it from the guest too (KVM's
 * MMU notifier): the guest's next access maps it again, with its data.
 */
#include <pthread.h>
#include <time.h>

#include "check.h"
#include "kvm-guest.h"

#define PAGES 16
#define DATA 8 /* what the guest reads; only looked at through its eyes */
#define ROUNDS 20
#define PATIENCE_NS (3 * 1000000000LL)

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *vcpu_main(void *opaque)
{
    kvm_guest_spin(opaque, DATA);
    return NULL;
}

/* Until the guest went round twice: then it did so after the call. */
static void await_guest(const KvmGuest *g, const char *when)
{
    uint16_t begin = kvm_guest_rounds(g);
    int64_t end = now_ns() + PATIENCE_NS;

    while ((uint16_t)(kvm_guest_rounds(g) - begin) < 2) {
        CHECK(now_ns() < end, "the guest does not go on %s", when);
        usleep(100);
    }
}

static void zap_round(const KvmGuest *g, const VhPagemap *pm, int fd,
                      uint8_t value)
{
    CHECK(pwrite(fd, &value, 1, DATA * PAGE) == 1, "pwrite");
    CHECK(madvise(g->mem, PAGES * PAGE, MADV_DONTNEED) == 0, "MADV_DONTNEED");
    await_guest(g, "after a zap");
    CHECK(vh_pagemap_present(pm, g->mem + DATA * PAGE),
          "the guest reads a zapped page that is not mapped again");
    CHECK(kvm_guest_seen(g) == value,
          "the guest reads %u from a zapped page that holds %u",
          kvm_guest_seen(g), value);
}

int main(void)
{
    int fd = check_memfd(PAGES * PAGE, 0);
    uint8_t *mem = check_mmap(PAGES * PAGE, MAP_SHARED, fd);
    VhPagemap pm = check_pagemap();
    pthread_t vcpu;
    KvmGuest g;

    kvm_guest_open(&g);
    kvm_guest_start(&g, mem, PAGES, 0);
    CHECK(pthread_create(&vcpu, NULL, vcpu_main, &g) == 0, "pthread_create");
    await_guest(&g, "after its start");
    for (unsigned i = 0; i < ROUNDS; i++) {
        zap_round(&g, &pm, fd, i * 7 + 1);
    }
    kvm_guest_stop_spin(&g);
    pthread_join(vcpu, NULL);
    kvm_guest_close(&g);
    check_seen("a running guest maps zapped memory again and finds its data");
    return 0;
}
