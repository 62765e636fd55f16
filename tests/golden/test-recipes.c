/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recipes and their options. */
#include <string.h>

#include "recipes.h"

#define GIB (UINT64_C(1) << 30)

static const VhRecipeOption *option(const char *name)
{
    for (const VhRecipeOption *o = vh_recipe_option_table(); o->name; o++) {
        if (g_str_equal(o->name, name)) {
            return o;
        }
    }
    return NULL;
}

/* "RECIPE option=value option=value RECIPE ..."; @why is set on failure. */
static JsonArray *expand(const char *words, uint64_t ram, char **why)
{
    g_autoptr(VhRecipes) recipes = vh_recipes_new();
    g_auto(GStrv) list = g_strsplit(words, " ", -1);

    for (char **w = list; *w; w++) {
        char *value = strchr(*w, '=');
        bool ok;

        if (value) {
            *value++ = 0;
            ok = vh_recipes_option(recipes, option(*w), value, why);
        } else {
            ok = vh_recipes_add(recipes, *w, why);
        }
        if (!ok) {
            return NULL;
        }
    }
    g_assert_cmpint(vh_recipes_need_ram(recipes), ==,
                    strstr(words, "save=") && !strstr(words, "ram="));
    return vh_recipes_expand(recipes, ram, why);
}

/* Scheme @i of the expansion has these members, written as JSON5 lists them. */
static void is(const char *words, guint i, const char *path, const char *want)
{
    g_autofree char *why = NULL;
    g_autoptr(JsonArray) list = expand(words, 4 * GIB, &why);
    g_auto(GStrv) names = g_strsplit(path, ".", -1);
    g_autoptr(JsonNode) got = NULL;
    g_autofree char *text = NULL;

    g_assert_cmpstr(why, ==, NULL);
    g_assert_cmpuint(json_array_get_length(list), >, i);
    got = json_array_dup_element(list, i);
    for (char **n = names; *n; n++) {
        JsonObject *o = json_node_get_object(got);
        JsonNode *member = json_object_get_member(o, *n);
        JsonNode *next;

        if (!member) {
            g_assert_cmpstr(want, ==, NULL);
            return;
        }
        next = json_node_ref(member);
        json_node_unref(got);
        got = next;
    }
    text = json_to_string(got, false);
    g_assert_cmpstr(text, ==, want);
}

static void fails(const char *words, const char *want)
{
    g_autofree char *why = NULL;
    g_autoptr(JsonArray) list = expand(words, 4 * GIB, &why);

    g_assert_null(list);
    g_assert_cmpstr(why, ==, want);
}

/* All expand, and can be used together: names differ. */
static void test_all(void)
{
    g_autoptr(GString) words = g_string_new(NULL);
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree char *why = NULL;
    g_autoptr(JsonArray) list = NULL;

    for (const VhRecipe *r = vh_recipe_table(); r->name; r++) {
        g_string_append_printf(words, "%s%s", words->len ? " " : "", r->name);
    }
    list = expand(words->str, 0, &why);
    g_assert_cmpstr(why, ==, NULL);
    g_assert_cmpuint(json_array_get_length(list), >=, 7);
    for (guint i = 0; i < json_array_get_length(list); i++) {
        JsonObject *o = json_array_get_object_element(list, i);

        g_assert_true(g_hash_table_add(
            names, (void *)json_object_get_string_member(o, "name")));
    }
}

/* Recipes name options that exist; no option is there for nothing. */
static void test_options_exist(void)
{
    g_autoptr(GHashTable) used = g_hash_table_new(g_direct_hash, NULL);

    for (const VhRecipe *r = vh_recipe_table(); r->name; r++) {
        g_auto(GStrv) names = g_strsplit(r->options, " ", -1);

        for (char **n = names; *n; n++) {
            g_assert_nonnull(option(*n));
            g_hash_table_add(used, (void *)option(*n));
        }
    }
    for (const VhRecipeOption *o = vh_recipe_option_table(); o->name; o++) {
        g_assert_true(g_hash_table_contains(used, o));
    }
}

/* What DAMON_RECLAIM does by default. */
static void test_reclaim(void)
{
    is("reclaim", 0, "action", "\"pageout\"");
    is("reclaim", 0, "pattern",
       "{\"nr-accesses\":{\"max\":0},\"age-time\":{\"min\":120000000}}");
    is("reclaim", 0, "quota",
       "{\"time\":10000,\"size\":134217728,\"reset-interval\":1000000,"
       "\"weights\":{\"size\":0,\"nr-accesses\":0,\"age\":1}}");
    is("reclaim", 0, "watermarks",
       "{\"metric\":\"mem-free\",\"interval\":5000000,\"high\":500,"
       "\"mid\":400,\"low\":200}");
    is("prcl", 0, "watermarks", NULL);
    is("prcl", 0, "back-off.refault", "100");
}

static void test_limits(void)
{
    is("reclaim min-age=2m", 0, "pattern.age-time.min", "120000000");
    is("prcl min-age=500ms", 0, "pattern.age-time.min", "500000");
    is("prcl min-age=1.5h", 0, "pattern.age-time.min", "5400000000");
    is("prcl min-age=0", 0, "pattern.age-time.min", "0");
    is("prcl quota=1G", 0, "quota.size", "1073741824");
    is("prcl time-quota=20ms", 0, "quota.time", "20000");
    is("prcl min-age=9s reclaim min-age=8s", 0, "pattern.age-time.min",
       "9000000");
    is("prcl min-age=9s reclaim min-age=8s", 1, "pattern.age-time.min",
       "8000000");
    fails("prcl min-age=90", "--min-age '90' is not valid: must be a time with "
                             "its unit, such as 500ms, 90s or 2m");
    fails("prcl time-quota=-1s",
          "--time-quota '-1s' is not valid: must be a time with its unit, such "
          "as 500ms, 90s or 2m");
    fails("prcl quota=1.5G",
          "--quota '1.5G' is not valid: must be a size, such "
          "as 128M or 2G");
}

/* Only the scheme for idle memory has an age. */
static void test_cold_only(void)
{
    is("ethp min-age=1m", 0, "pattern",
       "{\"size\":{\"min\":2097152},\"rate\":{\"min\":4}}");
    is("ethp min-age=1m", 1, "pattern.age-time.min", "60000000");
    is("ethp quota=64M", 0, "quota.size", "67108864");
    is("ethp quota=64M", 1, "quota.size", "67108864");
}

static void test_save(void)
{
    is("prcl save=40%", 0, "quota.goals",
       "[{\"metric\":\"guest-rss\",\"target\":2576980378}]");
    is("prcl save=40%", 0, "quota.tuner", "\"temporal\"");
    is("reclaim ram=1000 save=0.1", 0, "quota.goals",
       "[{\"metric\":\"guest-rss\",\"target\":999}]");
    is("reclaim save=25 prcl", 1, "quota.goals", NULL);
    is("prcl save=99.9999% ram=1", 0, "quota.goals",
       "[{\"metric\":\"guest-rss\",\"target\":1}]");
#define SAVE_ALLOWED \
    "must be a part of the guest's RAM, above 0% and below 100%"
    fails("prcl save=0%", "--save '0%' is not valid: " SAVE_ALLOWED);
    fails("prcl save=100%", "--save '100%' is not valid: " SAVE_ALLOWED);
    fails("prcl save=-1", "--save '-1' is not valid: " SAVE_ALLOWED);
    fails("prcl save=nan", "--save 'nan' is not valid: " SAVE_ALLOWED);
    fails("prcl save=%", "--save '%' is not valid: " SAVE_ALLOWED);
    fails("prcl save=4e1", "--save '4e1' is not valid: " SAVE_ALLOWED);
    fails("prcl save=4%%", "--save '4%%' is not valid: " SAVE_ALLOWED);
    fails("prcl ram=4G", "--ram makes sense with --save only");
}

static void test_nodes(void)
{
    is("tiering hot-node=0:2,1", 0, "nodes",
       "[{\"node\":0,\"weight\":2},{\"node\":1,\"weight\":1}]");
    is("tiering hot-node=0:2,1", 1, "nodes", "[{\"node\":1,\"weight\":1}]");
    is("tiering cold-node=3", 0, "nodes", "[{\"node\":0,\"weight\":1}]");
    is("tiering cold-node=3", 1, "nodes", "[{\"node\":3,\"weight\":1}]");
    for (const char *const *bad =
             (const char *const[]){ "", ",", "0,", "x", "0:", "0:0", "-1",
                                    "0:1:2", "4294967296", NULL };
         *bad; bad++) {
        g_autofree char *words = g_strconcat("tiering hot-node=", *bad, NULL);
        g_autofree char *want =
            g_strdup_printf("--hot-node '%s' is not valid: must be NUMA nodes, "
                            "such as 0 or 0:2,1:1",
                            *bad);

        fails(words, want);
    }
}

static void test_ranges(void)
{
#define FILTER(start, end)                                                    \
    "{\"type\":\"address\",\"matching\":true,\"allow\":true,\"start\":" start \
    ",\"end\":" end "}"
    is("tiering range=4G-6G", 0, "filters",
       "[" FILTER("4294967296", "6442450944") "]");
    is("tiering range=4G-6G range=0-0x1000", 1, "filters",
       "[" FILTER("4294967296", "6442450944") "," FILTER("0", "4096") "]");
    for (const char *const *bad =
             (const char *const[]){ "", "4G", "4G-", "-4G", "6G-4G", "4G-4G",
                                    "1-2-3", NULL };
         *bad; bad++) {
        g_autofree char *words = g_strconcat("prcl range=", *bad, NULL);
        g_autofree char *want = g_strdup_printf(
            "--range '%s' is not valid: must be guest-physical addresses, such "
            "as 4G-6G, the end above the start",
            *bad);

        fails(words, want);
    }
}

static void test_watermarks(void)
{
    is("reclaim watermarks=free:900,800,0", 0, "watermarks",
       "{\"metric\":\"mem-free\",\"interval\":5000000,\"high\":900,"
       "\"mid\":800,\"low\":0}");
    is("prcl watermarks=psi:10000,500,500", 0, "watermarks",
       "{\"metric\":\"some-mem-psi\",\"interval\":5000000,\"high\":10000,"
       "\"mid\":500,\"low\":500}");
    is("reclaim watermarks=off", 0, "watermarks", NULL);
    for (const char *const *bad =
             (const char *const[]){ "", "free", "free:", "free:1,2", "x:3,2,1",
                                    "free:1,2,3", "free:3,1,2", "free:1001,2,1",
                                    "psi:10001,2,1", "free:3,2,1,0", "3,2,1",
                                    NULL };
         *bad; bad++) {
        g_autofree char *words = g_strconcat("prcl watermarks=", *bad, NULL);
        g_autofree char *want = g_strdup_printf(
            "--watermarks '%s' is not valid: must be off, or free: or psi: and "
            "high, mid and low, none above the one before; in 1/1000 and "
            "1/10000",
            *bad);

        fails(words, want);
    }
}

static void test_balloon(void)
{
    is("balloon floor=1G ceiling=3G step=1M headroom=50%", 0, "balloon",
       "{\"floor\":1073741824,\"ceiling\":3221225472,\"headroom\":500,"
       "\"step\":1048576,\"hysteresis\":16777216}");
    is("balloon headroom=0", 0, "balloon.headroom", "0");
    is("balloon headroom=12.34%", 0, "balloon.headroom", "123");
    is("balloon ceiling=256M", 0, "balloon.ceiling", "268435456");
    fails("balloon ceiling=255M", "--ceiling 255 MiB is below the floor, 256 "
                                  "MiB: it has to be at least that, or 0");
    fails("balloon floor=2G ceiling=1G",
          "--ceiling 1 GiB is below the floor, 2 GiB: it has to be at least "
          "that, or 0");
    fails("balloon step=0",
          "--step '0' is not valid: must be a size, such as 128M or 2G, above "
          "0");
    fails("balloon headroom=1001%",
          "--headroom '1001%' is not valid: must be a part of the working set, "
          "0% .. 1000%");
}

static void test_unknown(void)
{
    fails("frob", "there is no recipe 'frob'; there are reclaim, prcl, ethp, "
                  "tiering, balloon");
    fails("prcl prcl", "recipe 'prcl' is asked for twice");
    fails("min-age=2m", "--min-age belongs to a recipe: it comes after --apply "
                        "RECIPE");
    fails("prcl ethp save=4%",
          "recipe 'ethp' has no option --save; it has --min-age, --quota, "
          "--time-quota, --range");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/recipes/all", test_all);
    g_test_add_func("/recipes/options-exist", test_options_exist);
    g_test_add_func("/recipes/reclaim", test_reclaim);
    g_test_add_func("/recipes/limits", test_limits);
    g_test_add_func("/recipes/cold-only", test_cold_only);
    g_test_add_func("/recipes/save", test_save);
    g_test_add_func("/recipes/nodes", test_nodes);
    g_test_add_func("/recipes/ranges", test_ranges);
    g_test_add_func("/recipes/watermarks", test_watermarks);
    g_test_add_func("/recipes/balloon", test_balloon);
    g_test_add_func("/recipes/unknown", test_unknown);
    return g_test_run();
}
