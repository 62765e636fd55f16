/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_RECIPES_INTERNAL_H
#define VMHEAT_TOOLS_RECIPES_INTERNAL_H

#include "recipes.h"

/**
 * struct VhRecipeUse - a recipe that was asked for
 * @recipe: which
 * @schemes: its JSON, as the options changed it; owned
 * @save: percent of RAM to be saved; 0: not asked for
 * @ram: bytes; 0: not told
 */
typedef struct VhRecipeUse {
    const VhRecipe *recipe;
    JsonArray *schemes;
    double save;
    uint64_t ram;
} VhRecipeUse;

/**
 * vh_recipes_last() - the recipe asked for last
 * @recipes: not empty
 */
VhRecipeUse *vh_recipes_last(const VhRecipes *recipes);

#endif
