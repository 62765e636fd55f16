/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bounds that "vmheat tune" shows are exactly what core takes. */
#include <glib.h>

#include "attrs.h"
#include "vmheat/limits.h"
#include "vmheat/types.h"

static bool is_allowed(const VhAttrsInfo *a)
{
    VhAttrs attrs = { a->sampling_interval, a->aggregation_interval,
                      a->update_interval, a->min_regions, a->max_regions };
    VhLimits limits = { a->traps_per_second, a->overhead_budget };
    char *why = NULL;
    bool ok = vh_attrs_check(&attrs, &why) && vh_limits_check(&limits, &why);

    g_free(why);
    return ok;
}

static bool is_allowed_with(VhAttrsInfo a, const VhAttrField *f, uint64_t value)
{
    G_STRUCT_MEMBER(uint64_t, &a, f->offset) = value;
    return is_allowed(&a);
}

/* Small and large alike. */
static uint64_t pick(GRand *rand, uint64_t min, uint64_t max)
{
    double part = g_rand_double(rand);

    return min + (max - min) * part * part * part * part;
}

static VhAttrsInfo random_attrs(GRand *rand)
{
    VhAttrsInfo a;

    do {
        a.sampling_interval = pick(rand, VH_SAMPLING_US_MIN, 4000000);
        a.aggregation_interval =
            pick(rand, a.sampling_interval, VH_INTERVAL_US_MAX);
        a.update_interval =
            pick(rand, a.aggregation_interval, VH_INTERVAL_US_MAX);
        a.max_regions = pick(rand, VH_MIN_REGIONS_MIN, VH_MAX_REGIONS_MAX);
        a.min_regions = pick(rand, VH_MIN_REGIONS_MIN, a.max_regions);
        a.traps_per_second = pick(rand, 0, VH_TRAPS_MAX);
        a.overhead_budget = pick(rand, 1, VH_BUDGET_BP_MAX);
    } while (!is_allowed(&a));
    return a;
}

static void test_bounds(void)
{
    GRand *rand = g_rand_new_with_seed(1);
    unsigned nr = 0;

    for (unsigned i = 0; i < 2000; i++) {
        VhAttrsInfo a = random_attrs(rand);

        for (const VhAttrField *f = vh_attr_fields(); f->name; f++, nr++) {
            VhAttrBounds b = vh_attr_bounds(&a, f);

            g_assert_true(is_allowed_with(a, f, b.min));
            g_assert_true(is_allowed_with(a, f, b.max));
            g_assert_false(b.min && is_allowed_with(a, f, b.min - 1));
            g_assert_false(is_allowed_with(a, f, b.max + 1));
        }
    }
    g_assert_cmpuint(nr, ==, 2000 * sizeof(VhAttrsInfo) / sizeof(uint64_t));
    g_rand_free(rand);
}

static void check_str(const char *name, uint64_t value, const char *want)
{
    const VhAttrField *f = vh_attr_fields();

    while (f->name && !g_str_equal(f->name, name)) {
        f++;
    }
    g_autofree char *have = vh_attr_str(f, value);
    g_assert_cmpstr(have, ==, want);
}

static void test_strings(void)
{
    check_str("sampling-interval", 0, "0 us");
    check_str("sampling-interval", 999, "999 us");
    check_str("sampling-interval", 5001, "5.001 ms");
    check_str("update-interval", 1000000, "1 s");
    check_str("update-interval", 3599999999, "3599.999999 s");
    check_str("min-regions", 20, "20");
    check_str("traps-per-second", 0, "0 (safe default)");
    check_str("traps-per-second", 7, "7");
    check_str("overhead-budget", 57, "0.57 %");
    check_str("overhead-budget", 10000, "100 %");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/attrs/bounds", test_bounds);
    g_test_add_func("/attrs/strings", test_strings);
    return g_test_run();
}
