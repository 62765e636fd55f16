/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <sys/ioctl.h>

#include "check.h"
#include "kvm-guest.h"

/* Guest-physical addresses. */
#define CODE 0x1000
#define SAID 0x2000 /* struct Said */
#define SPIN 0x10   /* offset of the loop in the code */
#define READ 0x08   /* and of the read */

/* KVM wants room for itself where the guest has no memory. */
#define IDENTITY_MAP 0xfffbc000ULL
#define TSS 0xfffbd000UL

typedef struct Said {
    volatile uint8_t seen;
    volatile uint8_t pad;
    volatile uint16_t rounds;
    volatile uint8_t stop;
} Said;

static const uint8_t write_code[] = {
    0x26, 0x88, 0x07, /* mov es:[bx], al */
    0xf4,             /* hlt */
};

static const uint8_t read_code[] = {
    0x26, 0x8a, 0x07, /* mov al, es:[bx] */
    0xf4,             /* hlt */
};

static const uint8_t spin_code[] = {
    0x26, 0x8a, 0x07,             /* 0: mov al, es:[bx] */
    0xa2, 0x00, 0x20,             /* mov [0x2000], al */
    0xff, 0x06, 0x02, 0x20,       /* inc word [0x2002] */
    0x80, 0x3e, 0x04, 0x20, 0x00, /* cmp byte [0x2004], 0 */
    0x74, 0xef,                   /* jz 0 */
    0xf4,                         /* hlt */
};

static const Said *said(const KvmGuest *g)
{
    return (const Said *)(g->mem + SAID);
}

void kvm_guest_open(KvmGuest *g)
{
    uint64_t identity = IDENTITY_MAP;

    *g = (KvmGuest){ .kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), .vcpu = -1 };
    if (g->kvm < 0 && (errno == EACCES || errno == EPERM)) {
        SKIP_FIX("add the user to the group kvm", "cannot open /dev/kvm: %s",
                 strerror(errno));
    }
    if (g->kvm < 0) {
        SKIP_FIX("modprobe kvm_intel or kvm_amd; switch virtualization on in "
                 "the firmware, or nesting on in the host of this host",
                 "cannot open /dev/kvm: %s", strerror(errno));
    }
    g->vm = ioctl(g->kvm, KVM_CREATE_VM, 0);
    CHECK(g->vm >= 0, "KVM_CREATE_VM");
    CHECK(ioctl(g->vm, KVM_SET_TSS_ADDR, TSS) == 0, "KVM_SET_TSS_ADDR");
    CHECK(ioctl(g->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity) == 0,
          "KVM_SET_IDENTITY_MAP_ADDR");
}

int kvm_guest_cap(const KvmGuest *g, int cap)
{
    int n = ioctl(g->vm, KVM_CHECK_EXTENSION, cap);

    return n > 0 ? n : 0;
}

void kvm_guest_enable(const KvmGuest *g, int cap, uint64_t arg)
{
    struct kvm_enable_cap enable = { .cap = cap, .args = { arg } };

    CHECK(ioctl(g->vm, KVM_ENABLE_CAP, &enable) == 0, "KVM_ENABLE_CAP of %d",
          cap);
}

static void add_vcpu(KvmGuest *g)
{
    g->vcpu = ioctl(g->vm, KVM_CREATE_VCPU, 0);
    CHECK(g->vcpu >= 0, "KVM_CREATE_VCPU");
    g->run_size = ioctl(g->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    g->run = check_mmap(g->run_size, MAP_SHARED, g->vcpu);
}

void kvm_guest_start(KvmGuest *g, uint8_t *mem, size_t pages, unsigned flags)
{
    struct kvm_userspace_memory_region slot = {
        .flags = flags,
        .memory_size = pages * PAGE,
        .userspace_addr = (uintptr_t)mem,
    };

    g->mem = mem;
    g->pages = pages;
    memcpy(mem + CODE, write_code, sizeof(write_code));
    memcpy(mem + CODE + READ, read_code, sizeof(read_code));
    memcpy(mem + CODE + SPIN, spin_code, sizeof(spin_code));
    CHECK(ioctl(g->vm, KVM_SET_USER_MEMORY_REGION, &slot) == 0,
          "KVM_SET_USER_MEMORY_REGION");
    add_vcpu(g);
}

static void point_segment(struct kvm_segment *s, unsigned page)
{
    s->selector = page * (PAGE / 16);
    s->base = page * PAGE;
}

/* Runs the code at @offset with es at @page until it halts; returns al. */
static uint8_t run(KvmGuest *g, unsigned offset, unsigned page, uint8_t al)
{
    struct kvm_sregs s;
    struct kvm_regs r = { .rip = CODE + offset, .rax = al, .rflags = 2 };

    CHECK(page < g->pages, "page %u of %zu", page, g->pages);
    CHECK(ioctl(g->vcpu, KVM_GET_SREGS, &s) == 0, "KVM_GET_SREGS");
    point_segment(&s.cs, 0);
    point_segment(&s.ds, 0);
    point_segment(&s.es, page);
    CHECK(ioctl(g->vcpu, KVM_SET_SREGS, &s) == 0, "KVM_SET_SREGS");
    CHECK(ioctl(g->vcpu, KVM_SET_REGS, &r) == 0, "KVM_SET_REGS");
    do {
        if (ioctl(g->vcpu, KVM_RUN, 0) < 0) {
            CHECK(errno == EINTR || errno == EAGAIN, "KVM_RUN");
            g->run->exit_reason = KVM_EXIT_INTR;
        }
    } while (g->run->exit_reason == KVM_EXIT_INTR);
    CHECK(g->run->exit_reason == KVM_EXIT_HLT,
          "the guest ends with KVM exit %u instead of HLT",
          g->run->exit_reason);
    CHECK(ioctl(g->vcpu, KVM_GET_REGS, &r) == 0, "KVM_GET_REGS");
    return r.rax;
}

void kvm_guest_write(KvmGuest *g, unsigned page, uint8_t value)
{
    run(g, 0, page, value);
}

uint8_t kvm_guest_read(KvmGuest *g, unsigned page)
{
    return run(g, READ, page, 0);
}

void kvm_guest_spin(KvmGuest *g, unsigned page)
{
    run(g, SPIN, page, 0);
}

uint8_t kvm_guest_seen(const KvmGuest *g)
{
    return said(g)->seen;
}

uint16_t kvm_guest_rounds(const KvmGuest *g)
{
    return said(g)->rounds;
}

void kvm_guest_stop_spin(KvmGuest *g)
{
    ((Said *)(g->mem + SAID))->stop = 1;
}

void kvm_guest_close(KvmGuest *g)
{
    if (g->vcpu >= 0) {
        munmap(g->run, g->run_size);
        close(g->vcpu);
    }
    close(g->vm);
    close(g->kvm);
}
