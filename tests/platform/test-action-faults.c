/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel refuses: no memory, no huge page, a page that is locked. madvise()
 * is wrapped (-Wl,--wrap) and fails as it is told to, the real one does the
 * rest. What may pass is reported, so that the scheme backs off and comes back;
 * what may not is left alone. Nothing is lost, and the next try succeeds.
 */
#include <errno.h>
#include <sys/mman.h>

#include "act.h"
#include "actions/advise.h"

#define SIZE (4 * MIB)

/* Which call fails how; in a test of its own thread. */
static struct {
    int advice;
    int error;
    unsigned times;
    unsigned failed;
} fault;

int __real_madvise(void *addr, size_t size, int advice);
int __wrap_madvise(void *addr, size_t size, int advice);

int __wrap_madvise(void *addr, size_t size, int advice)
{
    if (advice == fault.advice && fault.failed < fault.times && size) {
        fault.failed++;
        errno = fault.error;
        return -1;
    }
    return __real_madvise(addr, size, advice);
}

static void arm(int advice, int error, unsigned times)
{
    fault.advice = advice;
    fault.error = error;
    fault.times = times;
    fault.failed = 0;
}

typedef struct Fault {
    const char *path;
    const char *action;
    int advice;
    int error;
    bool passes;
} Fault;

static const Fault faults[] = {
    { "/faults/collapse/no-memory", "collapse", MADV_COLLAPSE, ENOMEM, true },
    { "/faults/collapse/again", "collapse", MADV_COLLAPSE, EAGAIN, true },
    { "/faults/collapse/busy", "collapse", MADV_COLLAPSE, EBUSY, true },
    { "/faults/collapse/unfit", "collapse", MADV_COLLAPSE, EINVAL, false },
    { "/faults/cold/again", "cold", MADV_COLD, EAGAIN, true },
    { "/faults/cold/unfit", "cold", MADV_COLD, EINVAL, false },
    { "/faults/hugepage/no-memory", "hugepage", MADV_HUGEPAGE, ENOMEM, true },
    { "/faults/nohugepage/no-memory", "nohugepage", MADV_NOHUGEPAGE, ENOMEM,
      true },
    { "/faults/merge/again", "merge", MADV_MERGEABLE, EAGAIN, true },
    { "/faults/unmerge/no-memory", "unmerge", MADV_UNMERGEABLE, ENOMEM, true },
};

static void reports(gconstpointer opaque)
{
    const Fault *f = opaque;
    VhApplied did;
    Act a;

    if (!act_probe(f->action, NULL)) {
        return;
    }
    act_open_small(&a, f->action, RIG_ANONYMOUS, SIZE);
    act_write(&a);
    arm(f->advice, f->error, G_MAXUINT);
    did = act_run(&a, NULL, 0, SIZE);
    g_assert_cmpuint(fault.failed, >, 0);
    g_assert_cmpint(did.error, ==, f->passes ? f->error : 0);
    g_assert_cmpuint(did.applied, ==, 0);
    g_assert_cmpuint(act_resident(&a), ==, SIZE);
    arm(0, 0, 0);
    did = act_run(&a, NULL, 0, SIZE);
    g_assert_cmpint(did.error, ==, 0);
    g_assert_cmpuint(did.size, ==, SIZE);
    act_write_stop(&a);
    act_close(&a);
}

/* One of several fails: the others are done, and it is done the next time. */
static void one_of_several(void)
{
    VhApplied did;
    Act a;

    if (!act_probe("collapse", NULL)) {
        return;
    }
    act_open_small(&a, "collapse", RIG_ANONYMOUS, SIZE);
    arm(MADV_COLLAPSE, ENOMEM, 1);
    did = act_run(&a, NULL, 0, SIZE);
    g_assert_cmpint(did.error, ==, ENOMEM);
    g_assert_cmpuint(did.applied, ==, SIZE - VH_HUGE_SIZE);
    did = act_run(&a, NULL, 0, SIZE);
    g_assert_cmpint(did.error, ==, 0);
    g_assert_cmpuint(did.applied, ==, VH_HUGE_SIZE);
    act_close(&a);
}

/* What is missing stays missing, and comes with the next try. */
static void willneed(void)
{
    VhApplied did;
    Act a;

    if (!act_probe("willneed", NULL)) {
        return;
    }
    act_open(&a, "willneed", RIG_ANONYMOUS, SIZE);
    g_assert_cmpint(__real_madvise(a.mem, SIZE, MADV_DONTNEED), ==, 0);
    arm(MADV_POPULATE_READ, ENOMEM, G_MAXUINT);
    did = act_run(&a, NULL, 0, SIZE);
    g_assert_cmpint(did.error, ==, ENOMEM);
    g_assert_cmpuint(did.applied, ==, 0);
    arm(0, 0, 0);
    did = act_run(&a, NULL, 0, SIZE);
    g_assert_cmpint(did.error, ==, 0);
    g_assert_cmpuint(did.applied, >, 0);
    rig_fill(a.mem, SIZE);
    act_close(&a);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
        g_test_add_data_func(faults[i].path, &faults[i], reports);
    }
    g_test_add_func("/faults/collapse/one-of-several", one_of_several);
    g_test_add_func("/faults/willneed/no-memory", willneed);
    return g_test_run();
}
