/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel refuses: no memory, no huge page, a page that is locked. madvise()
 * is wrapped (-Wl,--wrap) and fails as it is told to, the real one does the
 * rest. What may pass is reported, so that the scheme backs off and comes back;
 * what may not is left alone. Nothing is lost, and the next try succeeds.
 */
#include <errno.h>
#include <sys/mman.h>

#include "accel/uffd-share.h"
#include "act.h"
#include "actions/advise.h"

#define SIZE (4 * MIB)

/* Which call fails how; in a test of its own thread. */
static struct {
    const uint8_t *mem; /* there only; NULL: wherever */
    int advice;
    int error;
    unsigned times;
    unsigned failed;
} fault;

int __real_madvise(void *addr, size_t size, int advice);
int __wrap_madvise(void *addr, size_t size, int advice);

int __wrap_madvise(void *addr, size_t size, int advice)
{
    const uint8_t *at = addr;

    if (advice == fault.advice && fault.failed < fault.times && size &&
        (!fault.mem || (at >= fault.mem && at < fault.mem + SIZE))) {
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
    fault.mem = NULL;
}

typedef struct Fault {
    const char *path;
    const char *action;
    int advice;
    int error;
    bool passes;
    RigKind kind;
} Fault;

static const Fault faults[] = {
    { "/faults/collapse/no-memory", "collapse", MADV_COLLAPSE, ENOMEM, true,
      RIG_ANONYMOUS },
    { "/faults/collapse/again", "collapse", MADV_COLLAPSE, EAGAIN, true,
      RIG_ANONYMOUS },
    { "/faults/collapse/busy", "collapse", MADV_COLLAPSE, EBUSY, true,
      RIG_ANONYMOUS },
    { "/faults/collapse/unfit", "collapse", MADV_COLLAPSE, EINVAL, false,
      RIG_ANONYMOUS },
    { "/faults/collapse/shared/no-memory", "collapse", MADV_COLLAPSE, ENOMEM,
      true, RIG_SHARED },
    { "/faults/collapse/shared/unfit", "collapse", MADV_COLLAPSE, EINVAL, false,
      RIG_SHARED },
    { "/faults/cold/again", "cold", MADV_COLD, EAGAIN, true, RIG_ANONYMOUS },
    { "/faults/cold/unfit", "cold", MADV_COLD, EINVAL, false, RIG_ANONYMOUS },
    { "/faults/hugepage/no-memory", "hugepage", MADV_HUGEPAGE, ENOMEM, true,
      RIG_ANONYMOUS },
    { "/faults/nohugepage/no-memory", "nohugepage", MADV_NOHUGEPAGE, ENOMEM,
      true, RIG_ANONYMOUS },
    { "/faults/merge/again", "merge", MADV_MERGEABLE, EAGAIN, true,
      RIG_ANONYMOUS },
    { "/faults/unmerge/no-memory", "unmerge", MADV_UNMERGEABLE, ENOMEM, true,
      RIG_ANONYMOUS },
};

static void reports(gconstpointer opaque)
{
    const Fault *f = opaque;
    VhApplied did;
    Act a;

    if (!act_probe(f->action, NULL)) {
        return;
    }
    act_open_small(&a, f->action, f->kind, SIZE);
    act_write(&a);
    arm(f->advice, f->error, G_MAXUINT);
    did = act_run(&a, NULL, 0, SIZE);
    g_assert_cmpuint(fault.failed, >, 0);
    g_assert_cmpint(did.error, ==, f->passes ? f->error : 0);
    g_assert_cmpuint(did.applied, ==, 0);
    g_assert_cmpuint(act_resident(&a), ==, SIZE);
    arm(0, 0, 0);
    for (int i = 0; i < 100; i++) { /* the writer may be in the way */
        did = act_run(&a, NULL, 0, SIZE);
        if (!did.error) {
            break;
        }
    }
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

/*
 * Watched with userfaultfd, memory is unmapped to come back as a huge page:
 * what fails then is in vain, not lost, and after a few times it is left alone.
 */
static void mapped_anew(gconstpointer advice)
{
    g_autofree char *detail = NULL;
    unsigned failed;
    VhUffd *u;
    Act a;

    if (!act_probe("collapse", NULL)) {
        return;
    }
    act_open_small(&a, "collapse", RIG_SHARED, SIZE);
    u = act_watch(&a);
    if (u) {
        act_write(&a);
        arm(GPOINTER_TO_INT(advice), ENOMEM, G_MAXUINT);
        fault.mem = a.mem;
        for (int i = 0; i < 8; i++) {
            g_assert_cmpuint(act_run(&a, NULL, 0, SIZE).applied, ==, 0);
        }
        g_assert_cmpuint(act_resident(&a), ==, SIZE);
        failed = fault.failed;
        if (act_kernel_is(6, 7)) { /* else it isn't known what is huge */
            g_assert_cmpuint(failed, >, 0);
        }
        g_assert_cmpuint(failed, <, 8 * SIZE / VH_HUGE_SIZE);
        detail = a.ops->detail(a.state);
        /* what is unmapped comes back as a huge page by itself */
        g_assert_true(detail || fault.advice == MADV_POPULATE_WRITE);
        arm(0, 0, 0);
        act_write_stop(&a);
        act_unwatch(&a, u);
    }
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
    g_test_add_data_func("/faults/collapse/watched/unmapping",
                         GINT_TO_POINTER(MADV_DONTNEED), mapped_anew);
    g_test_add_data_func("/faults/collapse/watched/mapping",
                         GINT_TO_POINTER(MADV_POPULATE_WRITE), mapped_anew);
    g_test_add_func("/faults/willneed/no-memory", willneed);
    return g_test_run();
}
