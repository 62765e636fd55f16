/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <time.h>

#include "accel/uffd-share.h"
#include "act.h"
#include "actions/resident.h"

/* Word of each page that the writer writes. */
#define SLOT 1
#define WORDS (PAGE / 8)

static uint64_t now_ns(void *opaque)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static double guest_busy(void *opaque)
{
    return ((Act *)opaque)->busy;
}

const VhActionOps *act_find(const char *name)
{
    for (const VhActionOps *const *o = vh_actions(); *o; o++) {
        if (g_str_equal((*o)->name, name)) {
            return *o;
        }
    }
    g_error("no action %s", name);
}

bool act_probe(const char *name, const VhActionArgs *args)
{
    VhActionEnv env = { .clock = { .now_ns = now_ns } };
    g_autofree char *why = NULL;

    if (!act_find(name)->probe(&env, args, &why)) {
        g_assert_nonnull(why);
        g_test_skip(why);
        return false;
    }
    g_assert_null(why);
    return true;
}

static void open_action(Act *a, const char *name)
{
    a->ops = act_find(name);
    a->state = a->ops->open(&a->env);
    g_assert_nonnull(a->state);
    if (a->ops->set_map) {
        a->ops->set_map(a->state, a->map);
    }
}

void act_open(Act *a, const char *name, RigKind kind, size_t size)
{
    VhMapSection s;

    *a = (Act){ .size = size, .mem = rig_memory(kind, size) };
    a->env = (VhActionEnv){ .clock = { .now_ns = now_ns },
                            .guest_busy = guest_busy,
                            .opaque = a };
    g_assert_nonnull(a->mem);
    rig_fill(a->mem, size);
    a->written = g_new0(uint64_t, size / PAGE);
    s = rig_section(RIG_GPA, a->mem, size);
    s.shared = kind == RIG_SHARED || kind == RIG_HUGETLB;
    s.file_backed = kind != RIG_ANONYMOUS;
    a->map = rig_map(&s, 1);
    open_action(a, name);
}

VhUffd *act_watch(const Act *a)
{
    VhHost host = { .size = sizeof(host) };
    VhUffd *u = vh_uffd_get(&host);

    if (!vh_uffd_hold(u, a->mem, a->size)) {
        g_test_skip("userfaultfd cannot be used");
        g_clear_pointer(&u, vh_uffd_unref);
    }
    return u;
}

void act_unwatch(const Act *a, VhUffd *u)
{
    vh_uffd_drop(u, a->mem, a->size, false);
    vh_uffd_unref(u);
}

bool act_kernel_is(unsigned major, unsigned minor)
{
    struct utsname name;
    unsigned a, b;

    return uname(&name) == 0 && sscanf(name.release, "%u.%u", &a, &b) == 2 &&
           (a > major || (a == major && b >= minor));
}

void act_open_small(Act *a, const char *name, RigKind kind, size_t size)
{
    act_open(a, name, kind, size);
    if (kind == RIG_ANONYMOUS) {
        g_assert_cmpint(madvise(a->mem, size, MADV_NOHUGEPAGE), ==, 0);
        g_assert_cmpint(madvise(a->mem, size, MADV_DONTNEED), ==, 0);
        rig_fill(a->mem, size);
    }
}

static void close_action(Act *a)
{
    if (a->ops->set_map) {
        a->ops->set_map(a->state, NULL);
        g_assert_cmpint(a->map->refs, ==, 1);
    }
    a->ops->close(a->state);
}

void act_reopen(Act *a, const char *name)
{
    close_action(a);
    open_action(a, name);
}

const VhMapSection *act_section(const Act *a)
{
    return &a->map->sections[0];
}

VhApplied act_run(Act *a, const VhActionArgs *args, uint64_t offset,
                  uint64_t size)
{
    VhApplied sum = { 0 };
    const VhActionArgs none = { 0 };

    for (unsigned idle = 0; sum.size < size && idle < 1000;) {
        VhApplied did =
            a->ops->apply(a->state, args ? args : &none, act_section(a),
                          offset + sum.size, size - sum.size);

        g_assert_cmpuint(did.size, <=, size - sum.size);
        g_assert_cmpuint(did.applied, <=, did.size);
        g_assert_cmpuint(did.size % PAGE, ==, 0);
        g_assert_true(did.size || did.error || did.wait_ns);
        idle += did.size == 0;
        sum.size += did.size;
        sum.applied += did.applied;
        sum.spent_ns += did.spent_ns;
        sum.wait_ns += did.wait_ns;
        sum.error = did.error ? did.error : sum.error;
    }
    return sum;
}

static volatile uint64_t *slot(const Act *a, size_t page)
{
    return (volatile uint64_t *)(a->mem + page * PAGE) + SLOT;
}

static uint64_t first_value(size_t page)
{
    return (page * WORDS + SLOT) * 0x9e3779b97f4a7c15ULL + 1;
}

static void write_all(Act *a)
{
    for (size_t i = 0; i < a->size / PAGE; i++) {
        uint64_t had = *slot(a, i);

        if (had != first_value(i) + a->written[i]) {
            g_error("a write to page %zu was lost", i);
        }
        a->written[i]++;
        *slot(a, i) = had + 1;
    }
}

static void *writer_main(void *opaque)
{
    Act *a = opaque;

    do {
        write_all(a);
    } while (!__atomic_load_n(&a->stop, __ATOMIC_ACQUIRE));
    return NULL;
}

void act_write(Act *a)
{
    a->stop = false;
    g_assert_cmpint(pthread_create(&a->writer, NULL, writer_main, a), ==, 0);
}

void act_write_stop(Act *a)
{
    __atomic_store_n(&a->stop, true, __ATOMIC_RELEASE);
    pthread_join(a->writer, NULL);
}

void act_assert_intact(const Act *a)
{
    for (size_t i = 0; i < a->size / 8; i++) {
        uint64_t want = i * 0x9e3779b97f4a7c15ULL + 1;

        if (i % WORDS == SLOT) {
            want += a->written[i / WORDS];
        }
        if (((const uint64_t *)a->mem)[i] != want) {
            g_error("contents lost in page %zu", i / (size_t)WORDS);
        }
    }
}

uint64_t act_resident(const Act *a)
{
    return vh_resident_size(a->map);
}

void act_close(Act *a)
{
    close_action(a);
    act_assert_intact(a);
    vh_map_unref(a->map);
    munmap(a->mem, a->size);
    g_free(a->written);
}
