/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hugepage, nohugepage and collapse, on memory of this process.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "accel/pagemap.h"
#include "accel/uffd-share.h"
#include "act.h"
#include "actions/advise.h"

#define SIZE (8 * MIB)
#define HUGE (2 * MIB)

static const RigKind kinds[] = { RIG_SHARED, RIG_ANONYMOUS };

/* Bytes mapped by huge pages, as the page tables have it. */
static uint64_t huge_bytes(const Act *a)
{
    g_autofree char *why = NULL;
    VhPagemap pm;
    uint64_t n = 0;

    g_assert_true(vh_pagemap_open(&pm, &why));
    for (uint64_t i = 0; i < a->size; i += HUGE) {
        n += vh_pagemap_query(&pm, a->mem + i) & VH_PAGE_HUGE ? HUGE : 0;
    }
    vh_pagemap_close(&pm);
    return n;
}

/* The same, as /proc/self/smaps has it. */
static uint64_t smaps_bytes(const Act *a)
{
    g_autofree char *text = NULL;
    uint64_t sum = 0, from, to, kib;
    bool inside = false;

    g_file_get_contents("/proc/self/smaps", &text, NULL, NULL);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
            inside =
                from < (uintptr_t)a->mem + a->size && to > (uintptr_t)a->mem;
        } else if (inside && (sscanf(line, "AnonHugePages: %lu", &kib) == 1 ||
                              sscanf(line, "ShmemPmdMapped: %lu", &kib) == 1)) {
            sum += kib << 10;
        }
    }
    return sum;
}

/* Memory of huge pages; false: none to be had, the test is skipped. */
static bool open_huge(Act *a, const char *name, RigKind kind)
{
    act_open_small(a, "collapse", kind, SIZE);
    act_run(a, NULL, 0, SIZE);
    if (huge_bytes(a) < SIZE) {
        g_test_skip("this host makes no huge pages just now");
        act_close(a);
        return false;
    }
    act_reopen(a, name);
    return true;
}

static void collapses(gconstpointer kind)
{
    VhApplied did;
    Act a;

    if (!act_probe("collapse", NULL)) {
        return;
    }
    act_open_small(&a, "collapse", *(const RigKind *)kind, SIZE);
    g_assert_cmpuint(huge_bytes(&a), ==, 0);
    did = act_run(&a, NULL, 0, SIZE);
    g_assert_cmpuint(did.applied, ==, huge_bytes(&a));
    g_assert_cmpuint(smaps_bytes(&a), ==, huge_bytes(&a));
    if (!did.error) {
        g_assert_cmpuint(did.applied, ==, SIZE);
    }
    act_assert_intact(&a);
    did = act_run(&a, NULL, 0, SIZE);
    g_assert_cmpuint(did.applied, <, SIZE); /* what is huge is not done again */
    act_close(&a);
}

/* Memory of small pages watched with userfaultfd, as that of the trap is. */
typedef struct Watched {
    Act a;
    VhUffd *u;
} Watched;

static bool watch_any(Watched *w)
{
    if (!act_probe("collapse", NULL)) {
        return false;
    }
    act_open_small(&w->a, "collapse", RIG_SHARED, SIZE);
    w->u = act_watch(&w->a);
    if (!w->u) {
        act_close(&w->a);
    }
    return w->u != NULL;
}

static bool watch(Watched *w)
{
    if (!act_kernel_is(6, 14)) {
        g_test_skip("until Linux 6.14 watched memory is mapped by small pages");
        return false;
    }
    return watch_any(w);
}

static void unwatch(Watched *w)
{
    act_unwatch(&w->a, w->u);
    act_close(&w->a);
}

static void collapses_watched(void)
{
    Watched w;
    VhApplied did;

    if (!watch(&w)) {
        return;
    }
    act_write(&w.a);
    for (int i = 0; i < 20 && huge_bytes(&w.a) < SIZE; i++) {
        act_run(&w.a, NULL, 0, SIZE);
    }
    act_write_stop(&w.a);
    g_assert_cmpuint(huge_bytes(&w.a), ==, SIZE);
    did = act_run(&w.a, NULL, 0, SIZE);
    g_assert_cmpuint(did.applied, ==, 0); /* not again */
    g_assert_null(w.a.ops->detail(w.a.state));
    unwatch(&w);
}

/* It says why not, and does not go on for ever. */
static void collapses_in_vain(void)
{
    g_autofree char *detail = NULL;
    Watched w;

    if (act_kernel_is(6, 14)) {
        g_test_skip("since Linux 6.14 watched memory is mapped by huge pages");
        return;
    }
    if (!watch_any(&w)) {
        return;
    }
    for (int i = 0; i < 3; i++) {
        act_run(&w.a, NULL, 0, SIZE);
    }
    detail = w.a.ops->detail(w.a.state);
    g_assert_nonnull(detail);
    g_assert_nonnull(strstr(detail, "6.14"));
    unwatch(&w);
}

/* What is made of small pages on purpose, at the start, says nothing about the
 * rest; the second mapping inherits its advice. */
static void collapses_behind_split(void)
{
    Watched w;

    if (!watch(&w)) {
        return;
    }
    g_assert_cmpint(madvise(w.a.mem, HUGE, MADV_NOHUGEPAGE), ==, 0);
    act_run(&w.a, NULL, HUGE, SIZE - HUGE);
    g_assert_cmpuint(huge_bytes(&w.a), ==, SIZE - HUGE);
    unwatch(&w);
}

/* A page that uffd-wp has armed keeps the 2 MiB mapped by small pages; they are
 * not unmapped for nothing, and the rest is done. */
static void collapses_beside_protected(void)
{
    g_autofree char *why = NULL;
    VhPagemap pm;
    Watched w;

    if (!watch(&w)) {
        return;
    }
    g_assert_true(vh_pagemap_open(&pm, &why));
    if (!pm.scan || vh_uffd_error(w.u) ||
        !vh_pagemap_protect(&pm, w.a.mem + 7 * PAGE, PAGE)) {
        g_test_skip("pages cannot be write-protected");
    } else {
        for (int i = 0; i < 3; i++) {
            act_run(&w.a, NULL, 0, SIZE);
            g_assert_cmpuint(huge_bytes(&w.a), ==, SIZE - HUGE);
            g_assert_true(vh_pagemap_present(&pm, w.a.mem + HUGE - PAGE));
        }
        g_assert_true(vh_uffd_set(w.u, w.a.mem, SIZE, false));
        act_run(&w.a, NULL, 0, SIZE);
        g_assert_cmpuint(huge_bytes(&w.a), ==, SIZE);
    }
    vh_pagemap_close(&pm);
    unwatch(&w);
}

/* Unmapped, as by the trap; and what is smaller than a huge page is let be. */
static void collapses_unmapped(void)
{
    VhApplied did;
    Act a;

    if (!act_probe("collapse", NULL)) {
        return;
    }
    act_open_small(&a, "collapse", RIG_SHARED, SIZE);
    g_assert_cmpint(madvise(a.mem, SIZE, MADV_DONTNEED), ==, 0);
    did = act_run(&a, NULL, PAGE, SIZE - PAGE);
    g_assert_cmpuint(did.size, ==, SIZE - PAGE);
    if (!did.error) {
        g_assert_cmpuint(did.applied, ==, SIZE - HUGE);
        g_assert_cmpuint(huge_bytes(&a), ==, SIZE - HUGE);
    }
    act_close(&a);
}

/* Mostly holes: a huge page would be bloat. */
static void collapse_fills_no_holes(gconstpointer kind)
{
    VhApplied did;
    Act a;

    if (!act_probe("collapse", NULL)) {
        return;
    }
    act_open_small(&a, "collapse", *(const RigKind *)kind, SIZE);
    for (uint64_t at = 0; at < SIZE; at += HUGE) {
        uint64_t keep = at ? HUGE / 2 - PAGE : HUGE / 2;

        g_assert_cmpint(
            madvise(a.mem + at + keep, HUGE - keep,
                    a.map->sections[0].shared ? MADV_REMOVE : MADV_DONTNEED),
            ==, 0);
    }
    did = act_run(&a, NULL, 0, SIZE);
    g_assert_cmpuint(did.applied, <=, HUGE);
    if (!did.error) {
        g_assert_cmpuint(did.applied, ==, HUGE);
    }
    rig_fill(a.mem, SIZE);
    act_close(&a);
}

static void splits(gconstpointer kind)
{
    g_autofree char *detail = NULL;
    VhApplied did;
    Act a;

    if (!act_probe("nohugepage", NULL) || !act_probe("collapse", NULL) ||
        !open_huge(&a, "nohugepage", *(const RigKind *)kind)) {
        return;
    }
    did = act_run(&a, NULL, 0, SIZE);
    g_assert_cmpuint(did.applied, ==, SIZE);
    act_assert_intact(&a); /* touches all of it again */
    g_assert_cmpuint(huge_bytes(&a), ==, 0);
    g_assert_cmpuint(smaps_bytes(&a), ==, 0);
    g_assert_cmpuint(act_resident(&a), ==, SIZE);
    detail = a.ops->detail(a.state);
    g_assert_cmpstr(detail, ==, "split 4 of 4 huge pages");
    /* It is the memory that is split, not only its mapping. */
    g_assert_cmpint(madvise(a.mem, SIZE, MADV_HUGEPAGE), ==, 0);
    act_assert_intact(&a);
    g_assert_cmpuint(huge_bytes(&a), ==, 0);
    did = act_run(&a, NULL, 0, SIZE);
    g_assert_cmpuint(did.applied, ==, 0);
    act_close(&a);
}

/* Only whole huge pages within the range. */
static void splits_inside(gconstpointer kind)
{
    VhApplied did;
    Act a;

    if (!act_probe("nohugepage", NULL) || !act_probe("collapse", NULL) ||
        !open_huge(&a, "nohugepage", *(const RigKind *)kind)) {
        return;
    }
    did = act_run(&a, NULL, PAGE, SIZE - 2 * PAGE);
    g_assert_cmpuint(did.applied, ==, SIZE - 2 * HUGE);
    act_assert_intact(&a);
    g_assert_cmpuint(huge_bytes(&a), ==, 2 * HUGE);
    act_close(&a);
}

/* What the trap has unmapped is split too. */
static void splits_unmapped(void)
{
    VhApplied did;
    Act a;

    if (!act_probe("nohugepage", NULL) || !act_probe("collapse", NULL) ||
        !open_huge(&a, "nohugepage", RIG_SHARED)) {
        return;
    }
    g_assert_cmpint(madvise(a.mem, SIZE, MADV_DONTNEED), ==, 0);
    did = act_run(&a, NULL, 0, SIZE);
    g_assert_cmpuint(did.applied, ==, SIZE);
    act_close(&a);
}

static void while_written(gconstpointer kind)
{
    Act a;

    if (!act_probe("nohugepage", NULL) || !act_probe("collapse", NULL)) {
        return;
    }
    act_open_small(&a, "collapse", *(const RigKind *)kind, SIZE);
    act_write(&a);
    for (int i = 0; i < 5; i++) {
        act_run(&a, NULL, 0, SIZE);
        g_assert_cmpuint(huge_bytes(&a), >, 0); /* also after a split */
        act_reopen(&a, "nohugepage");
        act_run(&a, NULL, 0, SIZE);
        act_reopen(&a, "collapse");
    }
    act_write_stop(&a);
    act_close(&a);
}

static void allows(void)
{
    VhApplied did;
    Act a;

    if (!act_probe("hugepage", NULL)) {
        return;
    }
    act_open(&a, "hugepage", RIG_ANONYMOUS, SIZE);
    /* Fresh: an emptied table of small pages stays (until Linux 6.14). */
    g_assert_true(mmap(a.mem, SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                       0) == a.mem);
    g_assert_cmpint(madvise(a.mem, SIZE, MADV_NOHUGEPAGE), ==, 0);
    did = act_run(&a, NULL, PAGE, SIZE - PAGE);
    g_assert_cmpuint(did.size, ==, SIZE - PAGE);
    g_assert_cmpuint(did.applied, ==, SIZE - HUGE);
    /* Whole 2 MiB only: what comes next is made of a huge page. */
    rig_fill(a.mem, SIZE);
    g_assert_cmpuint(huge_bytes(&a), <=, SIZE - HUGE);
    g_assert_cmpuint(huge_bytes(&a), >=, HUGE);
    did = act_run(&a, NULL, PAGE, HUGE);
    g_assert_cmpuint(did.applied, ==, 0);
    act_close(&a);
}

/* Of a file that is mapped at an address between. */
static void misaligned(const char *name)
{
    uint8_t *at = (uint8_t *)(8 * HUGE + 3 * PAGE);
    VhMapSection s = rig_section(RIG_GPA, at, SIZE);
    char *why = NULL;
    bool ok;

    s.flags = 0;
    s.file_backed = s.shared = true;
    g_assert_false(act_find(name)->suits(&s, &why));
    g_assert_nonnull(strstr(why, "align=2M"));
    g_clear_pointer(&why, g_free);
    s.region_offset = 3 * PAGE; /* so does the file's */
    ok = act_find(name)->suits(&s, &why);
    g_assert_true(ok || !strstr(why, "align=2M"));
    g_free(why);
}

static void refusals(void)
{
    static const char *const names[] = { "hugepage", "nohugepage", "collapse" };
    VhMapSection s = rig_section(RIG_GPA, NULL, SIZE);

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        char *why = NULL;

        s.flags = VH_SECTION_HUGETLB;
        g_assert_false(act_find(names[i])->suits(&s, &why));
        g_assert_nonnull(strstr(why, "hugetlb"));
        g_clear_pointer(&why, g_free);
        s.flags = VH_SECTION_UNPLUGS;
        if (i != 1) { /* to split is always possible */
            misaligned(names[i]);
            g_assert_false(act_find(names[i])->suits(&s, &why));
            g_assert_nonnull(strstr(why, "unplugged"));
            g_free(why);
        }
    }
}

static void add(const char *name, void (*fn)(gconstpointer))
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *path =
            g_strdup_printf("/huge/%s/%s", i ? "private" : "shared", name);

        g_test_add_data_func(path, &kinds[i], fn);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("collapses", collapses);
    add("collapse-fills-no-holes", collapse_fills_no_holes);
    add("splits", splits);
    add("splits-inside", splits_inside);
    add("while-written", while_written);
    g_test_add_func("/huge/watched/collapses", collapses_watched);
    g_test_add_func("/huge/watched/in-vain", collapses_in_vain);
    g_test_add_func("/huge/watched/behind-split", collapses_behind_split);
    g_test_add_func("/huge/watched/beside-protected",
                    collapses_beside_protected);
    g_test_add_func("/huge/collapses-unmapped", collapses_unmapped);
    g_test_add_func("/huge/splits-unmapped", splits_unmapped);
    g_test_add_func("/huge/allows", allows);
    g_test_add_func("/huge/refusals", refusals);
    return g_test_run();
}
