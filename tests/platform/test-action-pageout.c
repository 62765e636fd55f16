/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pageout on memory of this process: what leaves memory, what is counted, and
 * that nothing is lost, also of pages that are written meanwhile.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "accel/pagemap.h"
#include "act.h"
#include "actions/alias.h"
#include "actions/paged.h"
#include "actions/page-info.h"
#include "actions/resident.h"
#include "swap.h"

#define SIZE (32 * MIB)

static const RigKind kinds[] = { RIG_SHARED, RIG_ANONYMOUS };

static void leaves(gconstpointer kind)
{
    VhApplied did;
    Act a;

    act_open(&a, "pageout", *(const RigKind *)kind, SIZE);
    did = act_run(&a, NULL, 0, SIZE);
    g_assert_cmpuint(did.size, ==, SIZE);
    g_assert_cmpuint(did.applied, ==, SIZE - act_resident(&a));
    g_assert_cmpuint(did.applied, >=, SIZE / 10 * 9);
    g_assert_cmpuint(did.wait_ns, ==, 0); /* the guest is idle */
    /* What is out is passed over, and does not come back by that. */
    did = act_run(&a, NULL, 0, SIZE);
    g_assert_cmpuint(did.applied, <=, SIZE / 10);
    g_assert_cmpuint(act_resident(&a), <=, SIZE / 10);
    act_close(&a);
}

static void only_the_range(gconstpointer kind)
{
    Act a;
    uint64_t bits[VH_RESIDENT_WORDS];

    act_open(&a, "pageout", *(const RigKind *)kind, SIZE);
    act_run(&a, NULL, 5 * PAGE, 3 * PAGE);
    g_assert_cmpuint(act_resident(&a), ==, SIZE - 3 * PAGE);
    vh_resident(a.mem, 512, bits);
    g_assert_cmphex(bits[0], ==, ~(7ULL << 5));
    act_close(&a);
}

static void while_written(gconstpointer kind)
{
    Act a;

    act_open(&a, "pageout", *(const RigKind *)kind, SIZE);
    act_write(&a);
    for (int i = 0; i < 5; i++) {
        act_run(&a, NULL, 0, SIZE);
    }
    act_write_stop(&a);
    act_assert_intact(&a);
    act_close(&a);
}

/* Holes stay holes, and pages in swap stay there, around what goes. */
static void does_not_fill(void)
{
    Act a;
    uint64_t before;

    act_open(&a, "pageout", RIG_SHARED, SIZE);
    act_run(&a, NULL, 0, MIB);
    before = act_resident(&a);
    act_run(&a, NULL, 0, 2 * MIB);
    g_assert_cmpuint(act_resident(&a), <=, before - MIB / 10 * 9);
    act_close(&a);
}

/* The alias is not in the way of what it leaves: nothing is mapped twice. */
static void alias_is_gone(void)
{
    g_autofree char *before = NULL, *after = NULL;
    Act a;

    act_open(&a, "pageout", RIG_SHARED, SIZE);
    g_file_get_contents("/proc/self/maps", &before, NULL, NULL);
    act_run(&a, NULL, 0, SIZE);
    a.ops->set_map(a.state, NULL);
    g_file_get_contents("/proc/self/maps", &after, NULL, NULL);
    g_assert_cmpuint(strlen(strstr(after, "vmheat-rig")), <=,
                     strlen(strstr(before, "vmheat-rig")) + 200);
    g_assert_null(strstr(strstr(after, "vmheat-rig") + 1, "vmheat-rig"));
    a.ops->set_map(a.state, a.map);
    act_close(&a);
}

static void locked_stays(void)
{
    VhApplied did;
    Act a;

    act_open(&a, "pageout", RIG_ANONYMOUS, SIZE);
    if (syscall(SYS_mlock, a.mem, SIZE)) { /* mlock() is nothing under ASan */
        g_test_skip("mlock() is not allowed");
    } else {
        did = act_run(&a, NULL, 0, SIZE);
        g_assert_cmpuint(did.size, ==, SIZE);
        g_assert_cmpuint(did.applied, ==, 0);
        g_assert_cmpint(did.error, ==, 0);
        syscall(SYS_munlock, a.mem, SIZE);
    }
    act_close(&a);
}

/* Memory that only claims to be shared must not be unmapped. */
static void liar(void)
{
    Act a;

    act_open(&a, "pageout", RIG_PRIVATE, SIZE);
    a.ops->set_map(a.state, NULL);
    a.map->sections[0].shared = true;
    a.map->sections[0].file_backed = true;
    g_assert_false(vh_alias_proves_shared(act_section(&a)));
    a.ops->set_map(a.state, a.map);
    act_run(&a, NULL, 0, SIZE);
    act_assert_intact(&a);
    act_close(&a);
}

static void refusals(void)
{
    VhMapSection s = rig_section(RIG_GPA, NULL, SIZE);
    const VhActionOps *ops = act_find("pageout");
    char *why = NULL;

    s.flags = VH_SECTION_HUGETLB;
    g_assert_false(ops->suits(&s, &why));
    g_assert_nonnull(strstr(why, "hugetlb"));
    g_clear_pointer(&why, g_free);
    s.flags = VH_SECTION_PINNED;
    g_assert_false(ops->suits(&s, &why));
    g_assert_nonnull(strstr(why, "VFIO"));
    g_free(why);
}

static void refaults(void)
{
    VhScheme scheme = { .name = "r", .action = act_find("pageout") };
    VhPaged *paged = vh_paged_new();
    const VhActionArgs args = { 0 };
    uint64_t out = 0;
    Act a;

    act_open(&a, "pageout", RIG_SHARED, SIZE);
    vh_paged_retarget(paged, &scheme, 1);
    vh_paged_set_map(paged, a.map);
    for (uint64_t at = 0; at < SIZE;) {
        VhApplied did =
            a.ops->apply(a.state, &args, act_section(&a), at, SIZE - at);

        if (did.left) {
            vh_paged_add(paged, 0, act_section(&a), at, did.left,
                         did.size / PAGE);
        }
        out += did.applied;
        at += did.size;
    }
    vh_paged_scan(paged, &a.env.clock, UINT32_MAX);
    g_assert_cmpuint(vh_paged_refaults(paged, 0), ==, 0);
    act_assert_intact(&a); /* reads it all */
    /* A map of none, and the same again: not forgotten. */
    vh_paged_set_map(paged, NULL);
    vh_paged_scan(paged, &a.env.clock, UINT32_MAX);
    g_assert_cmpuint(vh_paged_refaults(paged, 0), ==, 0);
    vh_paged_set_map(paged, a.map);
    /* Bounded: no time is one piece of work, not all. */
    vh_paged_scan(paged, &a.env.clock, 0);
    g_assert_cmpuint(vh_paged_refaults(paged, 0), <=, 2 * MIB);
    vh_paged_scan(paged, &a.env.clock, UINT32_MAX);
    g_assert_cmpuint(vh_paged_refaults(paged, 0), ==, out);
    /* Counted once only. */
    vh_paged_scan(paged, &a.env.clock, UINT32_MAX);
    g_assert_cmpuint(vh_paged_refaults(paged, 0), ==, out);
    vh_paged_free(paged);
    act_close(&a);
}

static void present_filter(void)
{
    VhHost host = { .size = sizeof(host) };
    VhPageInfo *info = vh_page_info_new(&host);
    uint64_t until;
    Act a;

    act_open(&a, "pageout", RIG_SHARED, SIZE);
    act_run(&a, NULL, 0, 4 * PAGE);
    g_assert_false(vh_page_info(info, VH_FILTER_PRESENT, act_section(&a), 0,
                                SIZE, &until));
    g_assert_cmpuint(until, ==, 4 * PAGE);
    /* Unmapped, as by the trap, but in memory. */
    g_assert_cmpint(madvise(a.mem, SIZE, MADV_DONTNEED), ==, 0);
    g_assert_true(vh_page_info(info, VH_FILTER_PRESENT, act_section(&a),
                               4 * PAGE, SIZE, &until));
    vh_page_info_free(info);
    act_close(&a);
}

static void add(const char *name, void (*fn)(gconstpointer))
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *path =
            g_strdup_printf("/pageout/%s/%s", i ? "private" : "shared", name);

        g_test_add_data_func(path, &kinds[i], fn);
    }
}

/* Of a huge page only what holds something stays in memory when it is split. */
static void splits_and_gives_back_zeroes(gconstpointer kind)
{
    uint64_t size = 2 * MIB, used = 5 * PAGE;
    g_autofree uint8_t *copy = NULL;
    char *detail;
    Act a;

    if (!act_probe("nohugepage", NULL) || !act_probe("collapse", NULL)) {
        return;
    }
    act_open(&a, "collapse", *(const RigKind *)kind, size);
    copy = g_memdup2(a.mem, size);
    memset(a.mem, 0, size);
    a.mem[used] = 7;
    if (act_run(&a, NULL, 0, size).applied == size) {
        act_reopen(&a, "nohugepage");
        g_assert_cmpuint(act_run(&a, NULL, 0, size).applied, ==, size);
        detail = a.ops->detail(a.state);
        if (act_section(&a)->shared) { /* else the kernel maps its own zeroes */
            g_assert_cmpuint(act_resident(&a), ==, PAGE);
            g_assert_cmpstr(detail, ==,
                            "split 1 of 1 huge pages, and gave back 2044 KiB "
                            "of zeroes in them");
        }
        g_free(detail);
        for (uint64_t at = 0; at < size; at++) {
            g_assert_cmpuint(a.mem[at], ==, at == used ? 7 : 0);
        }
    } else {
        g_test_skip("this host makes no huge pages just now");
    }
    memcpy(a.mem, copy, size);
    act_close(&a);
}

int main(int argc, char **argv)
{
    const char *why = NULL;
    Swap swap;
    int rc;

    g_test_init(&argc, &argv, NULL);
    if (!swap_start(&swap, 256 * MIB, &why)) {
        printf("1..0 # SKIP %s\n", why);
        return 77;
    }
    add("leaves", leaves);
    add("only-the-range", only_the_range);
    add("while-written", while_written);
    add("splits-and-gives-back-zeroes", splits_and_gives_back_zeroes);
    g_test_add_func("/pageout/does-not-fill", does_not_fill);
    g_test_add_func("/pageout/alias-is-gone", alias_is_gone);
    g_test_add_func("/pageout/locked-stays", locked_stays);
    g_test_add_func("/pageout/liar", liar);
    g_test_add_func("/pageout/refusals", refusals);
    g_test_add_func("/pageout/refaults", refaults);
    g_test_add_func("/pageout/present", present_filter);
    rc = g_test_run();
    swap_stop(&swap);
    return rc;
}
