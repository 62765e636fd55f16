/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * migrate-hot and -cold on memory of this process. Where it is, move_pages()
 * tells. Most needs a host of two nodes; the lab has one.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "act.h"
#include "actions/nodes.h"

#define SIZE (16 * MIB)

static const RigKind kinds[] = { RIG_SHARED, RIG_ANONYMOUS };

static char *memory_nodes(void)
{
    char *text = NULL;

    g_file_get_contents("/sys/devices/system/node/has_memory", &text, NULL,
                        NULL);
    return text ? g_strstrip(text) : g_strdup("");
}

static bool two_nodes(void)
{
    g_autofree char *has = memory_nodes();

    if (vh_nodes_has(has, 0) && vh_nodes_has(has, 1)) {
        return true;
    }
    g_test_skip("needs a host with memory on NUMA nodes 0 and 1");
    return false;
}

/* Pages of it on @node. */
static size_t pages_on(const Act *a, int node)
{
    size_t n = 0;

    for (size_t i = 0; i < a->size / PAGE; i++) {
        void *p = a->mem + i * PAGE;
        int status = -1;

        g_assert_cmpint(syscall(SYS_move_pages, 0, 1UL, &p, NULL, &status, 0),
                        ==, 0);
        n += status == node;
    }
    return n;
}

static VhApplied to(Act *a, VhNodeWeight *v, size_t n)
{
    VhActionArgs args = { .nodes = v, .nr_nodes = n };

    return act_run(a, &args, 0, a->size);
}

static void moves(gconstpointer kind)
{
    VhNodeWeight one[] = { { 1, 1 } }, zero[] = { { 0, 1 } };
    size_t all = SIZE / PAGE;
    Act a;

    if (!two_nodes()) {
        return;
    }
    act_open(&a, "migrate-cold", *(const RigKind *)kind, SIZE);
    to(&a, zero, 1);
    act_assert_intact(&a);
    g_assert_cmpuint(pages_on(&a, 0), >=, all / 20 * 19);
    g_assert_cmpuint(to(&a, one, 1).applied, >=, SIZE / 20 * 19);
    act_assert_intact(&a); /* maps all of it */
    g_assert_cmpuint(pages_on(&a, 1), >=, all / 20 * 19);
    g_assert_cmpuint(to(&a, one, 1).applied, <=, SIZE / 20);
    act_close(&a);
}

static void interleaves(gconstpointer kind)
{
    VhNodeWeight both[] = { { 0, 1 }, { 1, 3 } };
    size_t all = SIZE / PAGE, on_one;
    Act a;

    if (!two_nodes()) {
        return;
    }
    act_open(&a, "migrate-hot", *(const RigKind *)kind, SIZE);
    to(&a, both, 2);
    act_assert_intact(&a);
    on_one = pages_on(&a, 1);
    g_assert_cmpuint(on_one, >=, all / 100 * 71);
    g_assert_cmpuint(on_one, <=, all / 100 * 79);
    act_close(&a);
}

static void while_written(gconstpointer kind)
{
    Act a;

    if (!two_nodes()) {
        return;
    }
    act_open(&a, "migrate-cold", *(const RigKind *)kind, SIZE);
    act_write(&a);
    for (uint32_t i = 0; i < 6; i++) {
        VhNodeWeight v = { i % 2, 1 };

        to(&a, &v, 1);
    }
    act_write_stop(&a);
    act_close(&a);
}

/* On any host: what is where it should be is not touched. */
static void stays(gconstpointer kind)
{
    VhNodeWeight zero[] = { { 0, 1 } };
    VhActionArgs args = { .nodes = zero, .nr_nodes = 1 };
    g_autofree char *has = memory_nodes();
    Act a;

    if (!act_probe("migrate-cold", &args)) {
        return;
    }
    act_open(&a, "migrate-cold", *(const RigKind *)kind, SIZE);
    act_write(&a);
    to(&a, zero, 1);
    act_write_stop(&a);
    if (g_str_equal(has, "0")) {
        g_assert_cmpuint(to(&a, zero, 1).applied, ==, 0);
        /* Not mapped, so nobody knows where it is until it is looked at. */
        if (a.map->sections[0].shared) {
            g_assert_cmpint(madvise(a.mem, SIZE, MADV_DONTNEED), ==, 0);
        }
        g_assert_cmpuint(to(&a, zero, 1).applied, ==, 0);
    }
    g_assert_cmpuint(act_resident(&a), ==, SIZE);
    act_close(&a);
}

static void unknown_node(void)
{
    VhNodeWeight v[] = { { 77, 1 } };
    VhActionArgs args = { .nodes = v, .nr_nodes = 1 };
    g_autofree char *has = memory_nodes();
    VhActionEnv env = { 0 };
    char *why = NULL;

    g_assert_false(act_find("migrate-hot")->probe(&env, &args, &why));
    if (*has) {
        g_assert_nonnull(strstr(why, "77"));
    } else { /* a kernel without NUMA says that, whatever the node */
        g_assert_nonnull(strstr(why, "move_pages"));
    }
    g_free(why);
}

static void add(const char *name, void (*fn)(gconstpointer))
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *path =
            g_strdup_printf("/migrate/%s/%s", i ? "private" : "shared", name);

        g_test_add_data_func(path, &kinds[i], fn);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("moves", moves);
    add("interleaves", interleaves);
    add("while-written", while_written);
    add("stays", stays);
    g_test_add_func("/migrate/unknown-node", unknown_node);
    return g_test_run();
}
