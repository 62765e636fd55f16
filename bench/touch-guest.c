/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "touch-guest.h"

#define PML4 0x1000
#define PDPT 0x2000
#define CODE 0x8000
#define COUNT 0x9000
#define PD 0x10000      /* four of them */
#define TABLE_BITS 0x27 /* present, writable, user, accessed */
#define PAGE_BITS 0xe7  /* the same, dirty, 2 MiB page */

#define IDENTITY_MAP 0xfffbc000ULL
#define TSS 0xfffbd000UL
#define SLOT_MAX 0xe0000000UL /* below the holes at the end of 4 GiB */

#define KICK SIGUSR1

/* rdi: from, rsi: to, rbx: COUNT, rcx: touches so far */
static const uint8_t code[] = {
    0x48, 0x89, 0xf8,                   /* 0: mov rax, rdi */
    0x48, 0x8b, 0x10,                   /* 3: mov rdx, [rax] */
    0x48, 0xff, 0x40, 0x08,             /* inc qword [rax + 8] */
    0x48, 0xff, 0xc1,                   /* inc rcx */
    0x48, 0x89, 0x0b,                   /* mov [rbx], rcx */
    0x48, 0x05, 0x00, 0x10, 0x00, 0x00, /* add rax, 4096 */
    0x48, 0x39, 0xf0,                   /* cmp rax, rsi */
    0x72, 0xe8,                         /* jb 3 */
    0xeb, 0xe3,                         /* jmp 0 */
};

static void put64(TouchGuest *g, uint64_t at, uint64_t value)
{
    memcpy(g->mem + at, &value, sizeof(value));
}

static void build_memory(TouchGuest *g)
{
    put64(g, PML4, PDPT | TABLE_BITS);
    for (uint64_t i = 0; i < 4; i++) {
        put64(g, PDPT + 8 * i, (PD + (i << 12)) | TABLE_BITS);
    }
    for (uint64_t i = 0; i < 2048; i++) {
        put64(g, PD + 8 * i, i << 21 | PAGE_BITS);
    }
    put64(g, COUNT, 0);
    memcpy(g->mem + CODE, code, sizeof(code));
}

static void set_ring3(struct kvm_sregs *s)
{
    struct kvm_segment flat = {
        .limit = 0xffffffff,
        .selector = 0x1b,
        .type = 3,
        .present = 1,
        .dpl = 3,
        .db = 1,
        .s = 1,
        .g = 1,
    };

    s->ds = s->es = s->fs = s->gs = s->ss = flat;
    flat.selector = 0x23;
    flat.type = 11;
    flat.db = 0;
    flat.l = 1;
    s->cs = flat;
    s->cr3 = PML4;
    s->cr4 |= 0x20;       /* PAE */
    s->cr0 |= 0x80000001; /* PG, PE */
    s->efer |= 0x500;     /* LME, LMA */
}

static bool set_registers(TouchGuest *g, uint64_t from, uint64_t to)
{
    struct kvm_sregs s;
    struct kvm_regs r = {
        .rip = CODE,
        .rdi = from,
        .rsi = to,
        .rbx = COUNT,
        .rflags = 2,
    };

    if (ioctl(g->vcpu, KVM_GET_SREGS, &s)) {
        return false;
    }
    set_ring3(&s);
    return ioctl(g->vcpu, KVM_SET_SREGS, &s) == 0 &&
           ioctl(g->vcpu, KVM_SET_REGS, &r) == 0;
}

static bool create(TouchGuest *g, const char **why)
{
    uint64_t identity = IDENTITY_MAP;
    struct kvm_userspace_memory_region slot = {
        .memory_size = g->size,
        .userspace_addr = (uintptr_t)g->mem,
    };

    *why = "cannot open /dev/kvm";
    g->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (g->kvm < 0) {
        return false;
    }
    *why = "KVM does not give a virtual machine";
    g->vm = ioctl(g->kvm, KVM_CREATE_VM, 0);
    if (g->vm < 0 || g->size > SLOT_MAX ||
        ioctl(g->vm, KVM_SET_TSS_ADDR, TSS) ||
        ioctl(g->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity) ||
        ioctl(g->vm, KVM_SET_USER_MEMORY_REGION, &slot)) {
        return false;
    }
    g->vcpu = ioctl(g->vm, KVM_CREATE_VCPU, 0);
    g->run_size = ioctl(g->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (g->vcpu < 0) {
        return false;
    }
    g->run =
        mmap(NULL, g->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, g->vcpu, 0);
    return g->run != MAP_FAILED;
}

static void kicked(int sig)
{
}

/* Of a vCPU that is out of the guest. */
static void change_range(TouchGuest *g)
{
    struct kvm_regs r;

    if (ioctl(g->vcpu, KVM_GET_REGS, &r) == 0) {
        r.rip = CODE;
        r.rdi = g->from;
        r.rsi = g->to;
        ioctl(g->vcpu, KVM_SET_REGS, &r);
    }
}

static void wait_while_paused(TouchGuest *g)
{
    struct kvm_run *run = g->run;

    while (__atomic_load_n(&g->pause, __ATOMIC_ACQUIRE)) {
        run->immediate_exit = 0;
        __atomic_store_n(&g->paused, true, __ATOMIC_RELEASE);
        usleep(1000);
    }
    __atomic_store_n(&g->paused, false, __ATOMIC_RELEASE);
}

static void *vcpu_main(void *opaque)
{
    TouchGuest *g = opaque;
    struct kvm_run *run = g->run;

    __atomic_store_n(&g->tid, gettid(), __ATOMIC_RELEASE);
    while (!__atomic_load_n(&g->stop, __ATOMIC_ACQUIRE)) {
        wait_while_paused(g);
        if (__atomic_exchange_n(&g->change, false, __ATOMIC_ACQ_REL)) {
            run->immediate_exit = 0;
            change_range(g);
        }
        if (ioctl(g->vcpu, KVM_RUN, 0) == 0) {
            g->exit_reason = run->exit_reason;
            __atomic_store_n(&g->failed, true, __ATOMIC_RELEASE);
            break;
        }
        if (errno != EINTR && errno != EAGAIN) {
            g->exit_reason = 1000 + errno;
            __atomic_store_n(&g->failed, true, __ATOMIC_RELEASE);
            break;
        }
    }
    return NULL;
}

static void free_guest(TouchGuest *g)
{
    if (g->run && g->run != MAP_FAILED) {
        munmap(g->run, g->run_size);
    }
    for (int i = 0; i < 3; i++) {
        int fd = (const int[]){ g->vcpu, g->vm, g->kvm }[i];

        if (fd >= 0) {
            close(fd);
        }
    }
    free(g);
}

TouchGuest *touch_guest_start(uint8_t *mem, size_t size, uint64_t from,
                              uint64_t to, const char **why)
{
    struct sigaction sa = { .sa_handler = kicked };
    TouchGuest *g = calloc(1, sizeof(*g));

    *g = (TouchGuest){
        .kvm = -1, .vm = -1, .vcpu = -1, .mem = mem, .size = size
    };
    build_memory(g);
    sigaction(KICK, &sa, NULL);
    if (!create(g, why) || !set_registers(g, from, to) ||
        pthread_create(&g->thread, NULL, vcpu_main, g)) {
        free_guest(g);
        return NULL;
    }
    return g;
}

void touch_guest_pause(TouchGuest *g, bool pause)
{
    struct kvm_run *run = g->run;

    __atomic_store_n(&g->pause, pause, __ATOMIC_RELEASE);
    if (pause) {
        run->immediate_exit = 1;
        pthread_kill(g->thread, KICK);
        while (!__atomic_load_n(&g->paused, __ATOMIC_ACQUIRE)) {
            usleep(100);
        }
    }
}

void touch_guest_range(TouchGuest *g, uint64_t from, uint64_t to)
{
    struct kvm_run *run = g->run;

    g->from = from;
    g->to = to;
    __atomic_store_n(&g->change, true, __ATOMIC_RELEASE);
    run->immediate_exit = 1;
    pthread_kill(g->thread, KICK);
}

uint64_t touch_guest_count(const TouchGuest *g)
{
    return __atomic_load_n((const uint64_t *)(g->mem + COUNT),
                           __ATOMIC_RELAXED);
}

void touch_guest_stop(TouchGuest *g)
{
    struct kvm_run *run = g->run;

    __atomic_store_n(&g->stop, true, __ATOMIC_RELEASE);
    run->immediate_exit = 1;
    pthread_kill(g->thread, KICK);
    pthread_join(g->thread, NULL);
    free_guest(g);
}
