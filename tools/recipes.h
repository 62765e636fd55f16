/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recipes: ready schemes, and the few options that make them fit. Knows neither
 * terminals nor virtual machines.
 */
#ifndef VMHEAT_TOOLS_RECIPES_H
#define VMHEAT_TOOLS_RECIPES_H

#include <stdbool.h>
#include <stdint.h>
#include <json-glib/json-glib.h>

/**
 * struct VhRecipe - schemes that belong together
 * @name: as typed
 * @summary: what it is good for, a line
 * @options: names of the options it knows, blanks between them
 * @schemes: a JSON list of VmheatScheme
 */
typedef struct VhRecipe {
    const char *name;
    const char *summary;
    const char *options;
    const char *schemes;
} VhRecipe;

/* Recipes asked for, in that order, each with its options. */
typedef struct VhRecipes VhRecipes;

/**
 * struct VhRecipeOption - an option of recipes
 * @name: as typed after "--"
 * @arg: what its argument is
 * @help: what it does
 * @allowed: what the argument must be
 * @where: which schemes of a recipe it changes; NULL: all
 * @take: reads the argument into one of these schemes; false: is not @allowed
 * @note: reads the argument otherwise, once; may be NULL, as may @take
 */
typedef struct VhRecipeOption {
    const char *name;
    const char *arg;
    const char *help;
    const char *allowed;
    bool (*where)(JsonObject *scheme);
    bool (*take)(JsonObject *scheme, const char *arg);
    bool (*note)(VhRecipes *recipes, const char *arg);
} VhRecipeOption;

/**
 * vh_recipe_table() - all recipes
 *
 * Returns: an array; the last one's name is NULL.
 */
const VhRecipe *vh_recipe_table(void);

/**
 * vh_recipe_option_table() - all options of recipes
 *
 * Returns: an array; the last one's name is NULL.
 */
const VhRecipeOption *vh_recipe_option_table(void);

/**
 * vh_recipes_new() - no recipes yet
 *
 * Returns: free with vh_recipes_free().
 */
VhRecipes *vh_recipes_new(void);

/**
 * vh_recipes_free() - free them; NULL is fine
 * @recipes: the recipes
 */
void vh_recipes_free(VhRecipes *recipes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhRecipes, vh_recipes_free)

/**
 * vh_recipes_add() - ask for one more
 * @recipes: the recipes
 * @name: which
 * @why: set when false is returned: one sentence; g_free()
 */
bool vh_recipes_add(VhRecipes *recipes, const char *name, char **why);

/**
 * vh_recipes_option() - an option of the recipe asked for last
 * @recipes: the recipes
 * @option: of vh_recipe_option_table()
 * @arg: its argument
 * @why: set when false is returned: one sentence; g_free()
 */
bool vh_recipes_option(VhRecipes *recipes, const VhRecipeOption *option,
                       const char *arg, char **why);

/**
 * vh_recipes_need_ram() - does a recipe have to know how much RAM there is?
 * @recipes: the recipes
 */
bool vh_recipes_need_ram(const VhRecipes *recipes);

/**
 * vh_recipes_expand() - make schemes of the recipes
 * @recipes: the recipes
 * @ram: bytes of RAM of the guest; looked at where vh_recipes_need_ram()
 * @why: set when NULL is returned: one sentence; g_free()
 *
 * Returns: a JSON list of VmheatScheme, or NULL.
 */
JsonArray *vh_recipes_expand(const VhRecipes *recipes, uint64_t ram,
                             char **why);

#endif
