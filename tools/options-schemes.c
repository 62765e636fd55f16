/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of schemes. */
#include "options-table.h"
#include "units.h"

static const char *take_apply(VhOptions *o, const char *arg)
{
    if (!o->recipes) {
        o->recipes = vh_recipes_new();
    }
    return vh_recipes_add(o->recipes, arg, &o->problem) ? NULL : o->problem;
}

static const char *take_add(VhOptions *o, const char *arg)
{
    o->add = true;
    return NULL;
}

static const char *take_dry_run(VhOptions *o, const char *arg)
{
    o->dry_run = true;
    return NULL;
}

static const char *take_set(VhOptions *o, const char *arg)
{
    o->set_file = arg;
    return *arg ? NULL : "a file, or - for standard input";
}

static const char *take_clear(VhOptions *o, const char *arg)
{
    o->clear = true;
    return NULL;
}

static const char *take_export(VhOptions *o, const char *arg)
{
    o->export_list = true;
    return NULL;
}

static const char *take_actions(VhOptions *o, const char *arg)
{
    o->actions = true;
    return NULL;
}

static const char *take_tried(VhOptions *o, const char *arg)
{
    o->tried = true;
    return NULL;
}

const VhOption vh_options_schemes[] = {
    { 0, "tried", NULL, "show the regions of each scheme, too", take_tried },
    { 0, "actions", NULL, "show what can be done to memory here",
      take_actions },
    { 0, "export", NULL,
      "print the schemes in use as a file for "
      "--set",
      take_export },
    { 0, "set", "FILE",
      "use the schemes of a JSON file; -: standard "
      "input",
      take_set },
    { 0, "clear", NULL, "remove all schemes", take_clear },
    { 0, "apply", "RECIPE",
      "use those of a recipe; may be given "
      "again",
      take_apply },
    { 0, "add", NULL, "keep those in use", take_add },
    { 0, "dry-run", NULL,
      "print what would be done, do nothing",
      take_dry_run },
    {},
};
