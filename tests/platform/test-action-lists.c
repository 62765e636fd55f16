/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cold, lru-prio, willneed, merge and unmerge, on memory of this process. On
 * which list a page is, and whether it was merged, only root can see.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "act.h"
#include "swap.h"

#define SIZE (16 * MIB)
#define PFN_MASK ((1ULL << 55) - 1)
#define ACTIVE (1ULL << 6) /* of /proc/kpageflags */
#define KSM "/sys/kernel/mm/ksm/"

static const RigKind kinds[] = { RIG_SHARED, RIG_ANONYMOUS };

/* Pages that are mapped and on the active list; -1: cannot be seen. */
static int active_pages(const Act *a)
{
    int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    int flags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
    int n = 0;

    for (size_t i = 0; flags >= 0 && i < a->size / PAGE; i++) {
        uint64_t e = 0, f = 0;
        off_t at = ((uintptr_t)a->mem / PAGE + i) * 8;

        g_assert_cmpint(pread(map, &e, 8, at), ==, 8);
        if (e >> 63 && pread(flags, &f, 8, (e & PFN_MASK) * 8) == 8) {
            n += (f & ACTIVE) != 0;
        }
    }
    if (flags < 0) {
        n = -1;
    } else {
        close(flags);
    }
    close(map);
    return n;
}

static bool multi_gen(void)
{
    g_autofree char *text = NULL;

    return g_file_get_contents("/sys/kernel/mm/lru_gen/enabled", &text, NULL,
                               NULL) &&
           strtoul(text, NULL, 16) & 1;
}

static void up_and_down(gconstpointer kind)
{
    VhApplied did;
    Act a;
    int all = SIZE / PAGE;

    if (!act_probe("cold", NULL) || !act_probe("lru-prio", NULL)) {
        return;
    }
    act_open(&a, "cold", *(const RigKind *)kind, SIZE);
    did = act_run(&a, NULL, 0, SIZE);
    g_assert_cmpuint(did.applied, ==, SIZE);
    g_assert_cmpuint(act_resident(&a), ==, SIZE);
    if (active_pages(&a) < 0 || multi_gen()) {
        g_test_skip("the lists of the kernel cannot be seen");
        act_close(&a);
        return;
    }
    g_assert_cmpint(active_pages(&a), <=, all / 20);
    act_reopen(&a, "lru-prio");
    did = act_run(&a, NULL, 0, SIZE);
    g_assert_cmpuint(did.applied, ==, SIZE);
    g_assert_cmpint(active_pages(&a), >=, all - all / 20);
    act_reopen(&a, "lru-deprio");
    act_run(&a, NULL, 0, SIZE);
    g_assert_cmpint(active_pages(&a), <=, all / 20);
    act_close(&a);
}

/* Neither fills holes, and lru-prio does not bring back what is in swap. */
static void no_holes(void)
{
    Act a;
    uint64_t out;

    act_open(&a, "pageout", RIG_SHARED, SIZE);
    act_run(&a, NULL, 0, SIZE / 2);
    out = act_resident(&a);
    g_assert_cmpuint(out, <, SIZE);
    act_reopen(&a, "lru-prio");
    g_assert_cmpuint(act_run(&a, NULL, 0, SIZE).applied, ==, out);
    g_assert_cmpuint(act_resident(&a), ==, out);
    act_reopen(&a, "cold");
    act_run(&a, NULL, 0, SIZE);
    g_assert_cmpuint(act_resident(&a), ==, out);
    act_close(&a);
}

static void comes_back(gconstpointer kind)
{
    VhApplied did;
    Act a;
    uint64_t out;

    act_open(&a, "pageout", *(const RigKind *)kind, SIZE);
    act_run(&a, NULL, 0, SIZE);
    out = act_resident(&a);
    g_assert_cmpuint(out, <, SIZE / 2);
    act_reopen(&a, "willneed");
    did = act_run(&a, NULL, 0, SIZE);
    g_assert_cmpuint(act_resident(&a), ==, SIZE);
    /* Readahead may have brought some that a later quantum then found. */
    g_assert_cmpuint(did.applied, <=, SIZE - out);
    g_assert_cmpuint(did.applied, >=, (SIZE - out) / 10 * 9);
    g_assert_cmpuint(act_run(&a, NULL, 0, SIZE).applied, ==, 0);
    act_close(&a);
}

static void while_written(gconstpointer kind)
{
    static const char *const names[] = { "cold", "pageout", "lru-prio",
                                         "willneed" };
    Act a;

    act_open(&a, "cold", *(const RigKind *)kind, SIZE);
    act_write(&a);
    for (size_t i = 0; i < 3 * G_N_ELEMENTS(names); i++) {
        act_reopen(&a, names[i % G_N_ELEMENTS(names)]);
        act_run(&a, NULL, 0, SIZE);
    }
    act_write_stop(&a);
    act_close(&a);
}

static char *ksm_get(const char *name)
{
    g_autofree char *path = g_strconcat(KSM, name, NULL);
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, NULL);
    return text ? g_strstrip(text) : NULL;
}

static bool ksm_set(const char *name, const char *value)
{
    g_autofree char *path = g_strconcat(KSM, name, NULL);
    FILE *f = fopen(path, "w");
    bool ok = f && fputs(value, f) >= 0;

    return f && fclose(f) == 0 && ok;
}

/* KiB of the mapping's "name:" in smaps. */
static uint64_t smaps_kib(const Act *a, const char *name)
{
    g_autofree char *text = NULL;
    uint64_t sum = 0, from, to;
    bool inside = false;

    g_file_get_contents("/proc/self/smaps", &text, NULL, NULL);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
            inside =
                from >= (uintptr_t)a->mem && to <= (uintptr_t)a->mem + a->size;
        } else if (inside && g_str_has_prefix(line, name)) {
            sum += strtoul(line + strlen(name) + 1, NULL, 10);
        }
    }
    return sum;
}

/* Until ksmd has gone round twice; it is told to be quick. */
static void wait_for_ksm(void)
{
    g_autofree char *before = ksm_get("full_scans");
    uint64_t from = strtoul(before, NULL, 10);

    for (int i = 0; i < 2000; i++) {
        g_autofree char *now = ksm_get("full_scans");

        if (strtoul(now, NULL, 10) >= from + 3) {
            return;
        }
        g_usleep(10000);
    }
    g_error("ksmd does not get round");
}

static void merge_all(Act *a)
{
    VhApplied did;

    /* Two pages in three are equal to one another. */
    for (size_t i = 0; i < a->size / PAGE; i++) {
        if (i % 3) {
            memset(a->mem + i * PAGE, 7, PAGE);
        }
    }
    did = act_run(a, NULL, 0, a->size);
    g_assert_cmpuint(did.applied, ==, a->size);
    wait_for_ksm();
    g_assert_cmpuint(smaps_kib(a, "KSM"), >=, a->size / 1024 / 2);
    for (size_t i = 0; i < a->size / PAGE; i++) {
        g_assert_cmpint(i % 3 == 0 || a->mem[i * PAGE + 99] == 7, ==, 1);
    }
    act_reopen(a, "unmerge");
    did = act_run(a, NULL, 0, a->size);
    g_assert_cmpuint(did.applied, ==, a->size);
    g_assert_cmpuint(smaps_kib(a, "KSM"), ==, 0);
    for (size_t i = 0; i < a->size / PAGE; i++) {
        g_assert_cmpint(i % 3 == 0 || a->mem[i * PAGE + 99] == 7, ==, 1);
    }
    rig_fill(a->mem, a->size);
}

static void written_while_merged(Act *a)
{
    act_reopen(a, "merge");
    act_write(a);
    for (int i = 0; i < 3; i++) {
        act_run(a, NULL, 0, a->size);
        act_reopen(a, "unmerge");
        act_run(a, NULL, 0, a->size);
        act_reopen(a, "merge");
    }
    act_write_stop(a);
}

/* Of a subprocess, so that the settings come back also when it fails. */
static void merges_inside(void)
{
    Act a;

    act_open(&a, "merge", RIG_ANONYMOUS, SIZE / 4);
    g_assert_true(act_probe("merge", NULL));
    merge_all(&a);
    written_while_merged(&a);
    act_close(&a);
}

static void merges(void)
{
    g_autofree char *run = ksm_get("run"), *pages = ksm_get("pages_to_scan"),
                    *sleep = ksm_get("sleep_millisecs");

    if (g_test_subprocess()) {
        merges_inside();
        return;
    }
    if (!run || !ksm_set("run", "1")) {
        g_test_skip("KSM cannot be started: needs CONFIG_KSM and root");
        return;
    }
    ksm_set("pages_to_scan", "10000");
    ksm_set("sleep_millisecs", "1");
    g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
    ksm_set("run", run);
    ksm_set("pages_to_scan", pages);
    ksm_set("sleep_millisecs", sleep);
    g_test_trap_assert_passed();
}

static void merge_refuses(void)
{
    VhMapSection s = rig_section(RIG_GPA, NULL, SIZE);
    g_autofree char *run = ksm_get("run");
    char *why = NULL;

    g_assert_false(act_find("merge")->suits(&s, &why));
    g_assert_nonnull(strstr(why, "private"));
    g_clear_pointer(&why, g_free);
    if (run && g_str_equal(run, "0")) {
        VhActionEnv env = { 0 };

        g_assert_false(act_find("merge")->probe(&env, NULL, &why));
        g_assert_nonnull(strstr(why, "echo 1 > /sys/kernel/mm/ksm/run"));
        g_free(why);
    }
}

static void add(const char *name, void (*fn)(gconstpointer))
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *path =
            g_strdup_printf("/lists/%s/%s", i ? "private" : "shared", name);

        g_test_add_data_func(path, &kinds[i], fn);
    }
}

int main(int argc, char **argv)
{
    const char *why = NULL;
    Swap swap = { 0 };
    bool inner;
    int rc;

    g_test_init(&argc, &argv, NULL);
    inner = g_test_subprocess();
    if (!inner && !swap_start(&swap, 256 * MIB, &why)) {
        printf("1..0 # SKIP %s\n", why);
        return 77;
    }
    add("up-and-down", up_and_down);
    add("comes-back", comes_back);
    add("while-written", while_written);
    g_test_add_func("/lists/no-holes", no_holes);
    g_test_add_func("/lists/merges", merges);
    g_test_add_func("/lists/merge-refuses", merge_refuses);
    rc = g_test_run();
    if (!inner) {
        swap_stop(&swap);
    }
    return rc;
}
