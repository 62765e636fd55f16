/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of "libvirt enable" and "libvirt disable". */
#include <string.h>

#include "options-table.h"

/* Properties of -device vmheat; hw/vmheat.c has the list, a test compares. */
static const char *const properties[] = {
    "sampling-interval",
    "aggregation-interval",
    "update-interval",
    "min-regions",
    "max-regions",
    "traps-per-second",
    "overhead-budget",
    "primitive",
    "write-primitive",
    "primitive-plugin",
    "page-idle-bitmap",
    "pagemap",
    "estimator",
    "schemes",
    "target-node",
    "target-backend",
    "target-device",
    "paused",
    NULL,
};

static void add_property(VhOptions *o, char *text)
{
    if (!o->properties) {
        o->properties = g_ptr_array_new_with_free_func(g_free);
    }
    g_ptr_array_add(o->properties, text);
}

static const char *take_property(VhOptions *o, const char *arg)
{
    g_auto(GStrv) pair = g_strsplit(arg, "=", 2);

    if (g_strv_length(pair) == 2 && *pair[1] &&
        g_strv_contains(properties, pair[0])) {
        add_property(o, g_strdup(arg));
        return NULL;
    }
    return "NAME=VALUE with a property of the device vmheat, such as "
           "overhead-budget=100; vmheat-qemu(7) lists them";
}

static const char *take_primitive(VhOptions *o, const char *arg)
{
    add_property(o, g_strconcat("primitive=", arg, NULL));
    return *arg ? NULL : "the name of a primitive";
}

static bool is_recipe(const char *name)
{
    for (const VhRecipe *r = vh_recipe_table(); r->name; r++) {
        if (g_str_equal(r->name, name)) {
            return true;
        }
    }
    return false;
}

static const char *take_schemes(VhOptions *o, const char *arg)
{
    if (is_recipe(arg)) {
        o->recipes = o->recipes ? o->recipes : vh_recipes_new();
        return vh_recipes_add(o->recipes, arg, &o->problem) ? NULL : o->problem;
    }
    o->schemes_file = arg;
    return strchr(arg, '/') || g_str_has_suffix(arg, ".json")
               ? NULL
               : "a recipe, or a file: a path with '/' or '.json'";
}

static const char *take_plugin(VhOptions *o, const char *arg)
{
    o->plugin = arg;
    return *arg == '/' ? NULL : "the full path of vmheat.so";
}

const VhOption vh_options_libvirt[] = {
    { 0, "primitive", "NAME", "how accesses are found; default: the best",
      take_primitive },
    { 0, "property", "NAME=VALUE", "of the device vmheat; may be given again",
      take_property },
    { 0, "schemes", "FILE", "schemes to begin with: a file, or a recipe",
      take_schemes },
    { 0, "plugin", "PATH", "where vmheat.so is on the host of the domain",
      take_plugin },
    { 0, "yes", NULL, "do not ask", NULL, VH_FLAG(yes) },
    {},
};
