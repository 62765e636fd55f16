/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An option changes the JSON of the recipe before it as soon as it is read.
 * Only what needs the guest's size, or two options together, is left to
 * vh_recipes_expand().
 */
#include <string.h>

#include "recipes-internal.h"
#include "units.h"

struct VhRecipes {
    GPtrArray *uses;
};

static void use_free(void *opaque)
{
    VhRecipeUse *use = opaque;

    json_array_unref(use->schemes);
    g_free(use);
}

VhRecipes *vh_recipes_new(void)
{
    VhRecipes *recipes = g_new0(VhRecipes, 1);

    recipes->uses = g_ptr_array_new_with_free_func(use_free);
    return recipes;
}

void vh_recipes_free(VhRecipes *recipes)
{
    if (recipes) {
        g_ptr_array_unref(recipes->uses);
        g_free(recipes);
    }
}

static VhRecipeUse *use_at(const VhRecipes *recipes, unsigned i)
{
    return g_ptr_array_index(recipes->uses, i);
}

VhRecipeUse *vh_recipes_last(const VhRecipes *recipes)
{
    return use_at(recipes, recipes->uses->len - 1);
}

static const VhRecipe *find(const char *name)
{
    for (const VhRecipe *r = vh_recipe_table(); r->name; r++) {
        if (g_str_equal(r->name, name)) {
            return r;
        }
    }
    return NULL;
}

static char *unknown(const char *name)
{
    g_autoptr(GString) out = g_string_new(NULL);

    g_string_append_printf(out, "there is no recipe '%s'; there are", name);
    for (const VhRecipe *r = vh_recipe_table(); r->name; r++) {
        g_string_append_printf(out, "%s %s", r == vh_recipe_table() ? "" : ",",
                               r->name);
    }
    return g_string_free(g_steal_pointer(&out), false);
}

static JsonArray *parse_template(const VhRecipe *recipe)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) node = json_from_string(recipe->schemes, &error);

    if (!node) {
        g_error("recipe %s: %s", recipe->name, error->message);
    }
    return json_node_dup_array(node);
}

bool vh_recipes_add(VhRecipes *recipes, const char *name, char **why)
{
    const VhRecipe *recipe = find(name);
    VhRecipeUse *use;

    if (!recipe) {
        *why = unknown(name);
        return false;
    }
    for (unsigned i = 0; i < recipes->uses->len; i++) {
        if (use_at(recipes, i)->recipe == recipe) {
            *why = g_strdup_printf("recipe '%s' is asked for twice", name);
            return false;
        }
    }
    use = g_new0(VhRecipeUse, 1);
    use->recipe = recipe;
    use->schemes = parse_template(recipe);
    g_ptr_array_add(recipes->uses, use);
    return true;
}

static bool knows(const VhRecipe *recipe, const char *option)
{
    g_auto(GStrv) names = g_strsplit(recipe->options, " ", -1);

    return g_strv_contains((const char *const *)names, option);
}

static char *not_known(const VhRecipe *recipe, const char *option)
{
    g_auto(GStrv) names = g_strsplit(recipe->options, " ", -1);
    g_autofree char *list = g_strjoinv(", --", names);

    return g_strdup_printf("recipe '%s' has no option --%s; it has --%s",
                           recipe->name, option, list);
}

static bool take(VhRecipes *recipes, const VhRecipeOption *option,
                 const char *arg)
{
    JsonArray *schemes = vh_recipes_last(recipes)->schemes;

    if (option->note && !option->note(recipes, arg)) {
        return false;
    }
    for (guint i = 0; option->take && i < json_array_get_length(schemes); i++) {
        JsonObject *scheme = json_array_get_object_element(schemes, i);

        if ((!option->where || option->where(scheme)) &&
            !option->take(scheme, arg)) {
            return false;
        }
    }
    return true;
}

bool vh_recipes_option(VhRecipes *recipes, const VhRecipeOption *option,
                       const char *arg, char **why)
{
    if (!recipes->uses->len) {
        *why = g_strdup_printf("--%s belongs to a recipe: it comes after "
                               "--apply RECIPE",
                               option->name);
    } else if (!knows(vh_recipes_last(recipes)->recipe, option->name)) {
        *why = not_known(vh_recipes_last(recipes)->recipe, option->name);
    } else if (!take(recipes, option, arg)) {
        *why = g_strdup_printf("--%s '%s' is not valid: must be %s",
                               option->name, arg, option->allowed);
    } else {
        return true;
    }
    return false;
}

bool vh_recipes_need_ram(const VhRecipes *recipes)
{
    for (unsigned i = 0; i < recipes->uses->len; i++) {
        const VhRecipeUse *use = use_at(recipes, i);

        if (use->save && !use->ram) {
            return true;
        }
    }
    return false;
}

/* The quota goal of --save: guest RAM in host memory comes down to the rest. */
static void add_goal(JsonObject *scheme, double save, uint64_t ram)
{
    JsonObject *quota = json_object_get_object_member(scheme, "quota");
    JsonArray *goals = json_array_new();
    JsonObject *goal = json_object_new();

    json_object_set_string_member(goal, "metric", "guest-rss");
    json_object_set_int_member(goal, "target",
                               MAX(ram - (uint64_t)(ram / 100.0 * save), 1));
    json_array_add_object_element(goals, goal);
    json_object_set_array_member(quota, "goals", goals);
    json_object_set_string_member(quota, "tuner", "temporal");
}

static bool check_balloon(JsonObject *scheme, char **why)
{
    JsonObject *b = json_object_has_member(scheme, "balloon")
                        ? json_object_get_object_member(scheme, "balloon")
                        : NULL;
    gint64 floor = b ? json_object_get_int_member(b, "floor") : 0;
    gint64 ceiling = b ? json_object_get_int_member(b, "ceiling") : 0;
    g_autofree char *floor_str = NULL, *ceiling_str = NULL;

    if (!ceiling || ceiling >= floor) {
        return true;
    }
    floor_str = vh_size_str(floor);
    ceiling_str = vh_size_str(ceiling);
    *why = g_strdup_printf("--ceiling %s is below the floor, %s: it has to be "
                           "at least that, or 0",
                           ceiling_str, floor_str);
    return false;
}

static bool expand_use(const VhRecipeUse *use, uint64_t ram, JsonArray *out,
                       char **why)
{
    if (use->ram && !use->save) {
        *why = g_strdup("--ram makes sense with --save only");
        return false;
    }
    for (guint i = 0; i < json_array_get_length(use->schemes); i++) {
        JsonObject *scheme = json_array_get_object_element(use->schemes, i);

        if (use->save) {
            add_goal(scheme, use->save, use->ram ? use->ram : ram);
        }
        if (!check_balloon(scheme, why)) {
            return false;
        }
        json_array_add_object_element(out, json_object_ref(scheme));
    }
    return true;
}

JsonArray *vh_recipes_expand(const VhRecipes *recipes, uint64_t ram, char **why)
{
    g_autoptr(JsonArray) out = json_array_new();

    for (unsigned i = 0; i < recipes->uses->len; i++) {
        if (!expand_use(use_at(recipes, i), ram, out, why)) {
            return NULL;
        }
    }
    return g_steal_pointer(&out);
}
