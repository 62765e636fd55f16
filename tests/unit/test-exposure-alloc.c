/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The estimator exposure allocates nothing in a tick. */
#include <stdlib.h>

#include "exposure-lab.h"

/* With a sanitizer, malloc() is its own. */
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define COUNTS 1

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static bool counting;
static uint64_t allocations;

void *malloc(size_t n)
{
    allocations += counting;
    return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    allocations += counting;
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    allocations += counting;
    return __libc_realloc(p, n);
}
#else
#define COUNTS 0
static bool counting;
static uint64_t allocations;
#endif

/* As lab_tick(), but counts what the estimator does. */
static void counted_tick(Lab *l)
{
    size_t n;

    l->now_ns += l->attrs.sampling_us * 1000;
    g_hash_table_remove_all(l->answers[0]);
    for (size_t i = 0; i < l->nr[0]; i++) {
        lab_collect(l, &l->checks[0][i]);
    }
    counting = true;
    lab_ops->tick(l->e, l->now_ns);
    lab_ops->observe(l->e, l->checks[0], l->nr[0]);
    n = l->nr[0] = lab_ops->plan(l->e, &l->budget, l->checks[0]);
    lab_ops->owed(l->e);
    lab_ops->shorter(l->e);
    counting = false;
    for (size_t i = 0; i < n; i++) {
        if (l->checks[0][i].state == VH_CHECK_NEW) {
            lab_arm(l, &l->checks[0][i]);
        }
    }
}

static void test_ticks(void)
{
    Lab l;

    if (!COUNTS) {
        g_test_skip("malloc() cannot be counted here");
        return;
    }
    lab_begin(&l, 1024 * MIB, 1);
    l.hot[0] = (LabHot){ { 100 * MIB, 300 * MIB }, 10, 0 };
    l.hot[1] = (LabHot){ { 500 * MIB, 501 * MIB }, 200, 0 };
    lab_run(&l, 5);
    for (int i = 0; i < 400; i++) {
        counted_tick(&l);
    }
    g_assert_cmpuint(allocations, ==, 0);
    counting = true;
    lab_ops->set_ranges(l.e, l.ranges, l.nr_ranges);
    counting = false;
    g_assert_cmpuint(allocations, >, 0); /* so they are counted */
    lab_end(&l);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/exposure/alloc/ticks", test_ticks);
    return g_test_run();
}
