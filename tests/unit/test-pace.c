/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long actions leave the guest alone, and to which node memory goes.
 */
#include <glib.h>
#include <string.h>

#include "actions/nodes.h"
#include "actions/pace.h"

#define MS 1000000ULL
#define SPAN (2ULL << 20)

static double busy_of(void *opaque)
{
    return *(double *)opaque;
}

static uint64_t wait_for(double busy, uint64_t spent, unsigned share)
{
    VhActionEnv env = { .guest_busy = busy_of, .opaque = &busy };

    return vh_pace_wait(&env, spent, share);
}

/* What a guest loses that runs for @busy of the time, per mille of it. */
static double loss(double busy, uint64_t spent, unsigned share)
{
    double lost = spent * busy * share / 1000;

    return lost / (spent + wait_for(busy, spent, share)) * 1000;
}

static void loses_little(void)
{
    for (double busy = 0.05; busy <= 1; busy += 0.05) {
        g_assert_cmpfloat(loss(busy, 3 * MS, VH_PACE_ALIAS), <=,
                          VH_PACE_LOSS + 0.01);
        g_assert_cmpfloat(loss(busy, 3 * MS, VH_PACE_EACH), <=,
                          VH_PACE_LOSS + 0.01);
    }
    g_assert_cmpfloat(loss(1, 3 * MS, VH_PACE_EACH), >=, VH_PACE_LOSS - 0.01);
}

static void idle_is_not_paced(void)
{
    g_assert_cmpuint(wait_for(0, 3 * MS, VH_PACE_EACH), ==, 0);
    g_assert_cmpuint(wait_for(0.01, 3 * MS, VH_PACE_EACH), ==, 0);
    g_assert_cmpuint(wait_for(1, 0, VH_PACE_EACH), ==, 0);
    g_assert_false(vh_pace_idle(&(VhActionEnv){ 0 }));
}

static void unknown_is_busy(void)
{
    VhActionEnv env = { 0 };

    g_assert_cmpuint(vh_pace_wait(&env, MS, VH_PACE_ALIAS), ==,
                     wait_for(1, MS, VH_PACE_ALIAS));
    g_assert_cmpuint(wait_for(9, MS, VH_PACE_ALIAS), ==,
                     wait_for(1, MS, VH_PACE_ALIAS));
}

static void has_an_end(void)
{
    g_assert_cmpuint(wait_for(1, 3600000 * MS, VH_PACE_EACH), ==, 1000 * MS);
}

static void nodes_of_lists(void)
{
    g_assert_true(vh_nodes_has("0", 0));
    g_assert_false(vh_nodes_has("0", 1));
    g_assert_true(vh_nodes_has("0-3,7", 2));
    g_assert_true(vh_nodes_has("0-3,7", 7));
    g_assert_false(vh_nodes_has("0-3,7", 5));
    g_assert_false(vh_nodes_has("", 0));
    g_assert_false(vh_nodes_has("nonsense", 0));
}

static void refused_nodes(void)
{
    VhNodeWeight v[] = { { 1, 1 }, { 77, 1 } };
    VhActionArgs args = { .nodes = v, .nr_nodes = 2 };
    char *why = NULL;

    g_assert_false(vh_nodes_check(&args, "0-1", NULL, &why));
    g_assert_nonnull(strstr(why, "77"));
    g_assert_nonnull(strstr(why, "0-1"));
    g_clear_pointer(&why, g_free);
    args.nr_nodes = 1;
    g_assert_true(vh_nodes_check(&args, "0-1", NULL, &why));
    g_assert_false(vh_nodes_check(&args, "0-1", "0", &why));
    g_assert_nonnull(strstr(why, "cpuset"));
    g_free(why);
}

static void weights(void)
{
    VhNodeWeight v[] = { { 2, 3 }, { 5, 1 } };
    VhActionArgs args = { .nodes = v, .nr_nodes = 2 };
    unsigned second = 0;

    for (unsigned i = 0; i < 400; i++) {
        uint32_t node = vh_nodes_pick(&args, i * SPAN);

        g_assert_true(node == 2 || node == 5);
        g_assert_cmpuint(vh_nodes_pick(&args, i * SPAN + SPAN - 1), ==, node);
        second += node == 5;
    }
    g_assert_cmpuint(second, ==, 100);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pace/loses-little", loses_little);
    g_test_add_func("/pace/idle-is-not-paced", idle_is_not_paced);
    g_test_add_func("/pace/unknown-is-busy", unknown_is_busy);
    g_test_add_func("/pace/has-an-end", has_an_end);
    g_test_add_func("/nodes/lists", nodes_of_lists);
    g_test_add_func("/nodes/refused", refused_nodes);
    g_test_add_func("/nodes/weights", weights);
    return g_test_run();
}
