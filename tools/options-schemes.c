/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of schemes. */
#include "options-table.h"

static const char *take_apply(VhOptions *o, const char *arg)
{
    if (!o->recipes) {
        o->recipes = vh_recipes_new();
    }
    return vh_recipes_add(o->recipes, arg, &o->problem) ? NULL : o->problem;
}

static const char *take_set(VhOptions *o, const char *arg)
{
    o->set_file = arg;
    return *arg ? NULL : "a file, or - for standard input";
}

const VhOption vh_options_schemes[] = {
    { 0, "tried", NULL, "show the regions of each scheme, too", NULL,
      VH_FLAG(tried) },
    { 0, "actions", NULL, "show what can be done to memory here", NULL,
      VH_FLAG(actions) },
    { 0, "export", NULL,
      "print the schemes in use as a file for "
      "--set",
      NULL, VH_FLAG(export_list) },
    { 0, "set", "FILE",
      "use the schemes of a JSON file; -: standard "
      "input",
      take_set },
    { 0, "clear", NULL, "remove all schemes", NULL, VH_FLAG(clear) },
    { 0, "apply", "RECIPE",
      "use those of a recipe; may be given "
      "again",
      take_apply },
    { 0, "add", NULL, "keep those in use", NULL, VH_FLAG(add) },
    { 0, "dry-run", NULL, "print what would be done, do nothing", NULL,
      VH_FLAG(dry_run) },
    {},
};
