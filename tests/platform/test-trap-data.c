/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest data is sacred: thousands of random arm and collect cycles while
 * writers write, and not one write is lost.
 */
#include <glib.h>
#include <string.h>

#include "rig.h"

#define SIZE (8 * MIB)
#define CYCLES 2000
#define BATCH 48
#define WRITERS 2

/* Writes counters to word @slot of all pages and remembers them. */
typedef struct Writer {
    uint8_t *mem;
    size_t slot;
    uint64_t seed;
    int *stop;
    uint64_t writes;
    uint64_t last[SIZE / PAGE];
} Writer;

static uint64_t *slot_of(const Writer *w, size_t page)
{
    return (uint64_t *)(w->mem + page * PAGE) + w->slot;
}

static void *writer(void *opaque)
{
    Writer *w = opaque;
    VhRng rng;

    vh_rng_seed(&rng, w->seed);
    while (!__atomic_load_n(w->stop, __ATOMIC_RELAXED)) {
        size_t page = vh_rng_below(&rng, SIZE / PAGE);

        w->last[page] = ++w->writes;
        *slot_of(w, page) = w->writes;
        if (w->writes % 256 == 0) {
            g_thread_yield();
        }
    }
    return NULL;
}

static void cycles(Rig *r)
{
    uint64_t armed = 0, fired = 0;
    VhCheck c[BATCH];
    VhRng rng;

    vh_rng_seed(&rng, 7);
    for (int i = 0; i < CYCLES; i++) {
        size_t n = 1 + vh_rng_below(&rng, BATCH);

        for (size_t k = 0; k < n; k++) {
            c[k] = rig_check(vh_rng_below(&rng, SIZE / PAGE));
        }
        r->ops->arm(r->trap, c, n);
        for (size_t k = 0; k < n; k++) {
            armed += c[k].state == VH_CHECK_ARMED;
        }
        r->ops->collect(r->trap, c, n);
        for (size_t k = 0; k < n; k++) {
            fired += c[k].state == VH_CHECK_FIRED;
        }
    }
    g_test_message("%" G_GUINT64_FORMAT " armed, %" G_GUINT64_FORMAT " fired",
                   armed, fired);
    g_assert_cmpuint(armed, >, CYCLES);
    g_assert_cmpuint(fired, ==, rig_stats(r).fires);
    g_assert_cmpuint(rig_stats(r).arms, >, CYCLES);
}

static void check_writer(const Writer *w)
{
    g_assert_cmpuint(w->writes, >, 0);
    for (size_t page = 0; page < SIZE / PAGE; page++) {
        if (w->last[page]) {
            g_assert_cmpuint(*slot_of(w, page), ==, w->last[page]);
        }
        *slot_of(w, page) = 0;
    }
}

/* The same words of a freshly filled page, so that the rest can be compared. */
static void forget_slots(uint8_t *mem)
{
    for (size_t page = 0; page < SIZE / PAGE; page++) {
        memset(mem + page * PAGE, 0, WRITERS * sizeof(uint64_t));
    }
}

static void check_rest(const uint8_t *mem)
{
    g_autofree uint8_t *want = g_malloc(SIZE);

    rig_fill(want, SIZE);
    forget_slots(want);
    g_assert_cmpint(memcmp(mem, want, SIZE), ==, 0);
}

static void test_data(const void *with_vcpu)
{
    g_autofree Writer *w = g_new0(Writer, WRITERS);
    pthread_t thread[WRITERS];
    int stop = 0;
    Rig r;

    rig_open(&r, SIZE, with_vcpu);
    rig_set_map(&r);
    for (int i = 0; i < WRITERS; i++) {
        w[i].mem = r.mem;
        w[i].slot = i;
        w[i].seed = i + 1;
        w[i].stop = &stop;
        g_assert_cmpint(pthread_create(&thread[i], NULL, writer, &w[i]), ==, 0);
    }
    cycles(&r);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(thread[i], NULL);
    }
    for (int i = 0; i < WRITERS; i++) {
        check_writer(&w[i]);
    }
    forget_slots(r.mem);
    check_rest(r.mem);
    rig_close(&r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/trap/data/worker", NULL, test_data);
    g_test_add_data_func("/trap/data/vcpu", "", test_data);
    return g_test_run();
}
