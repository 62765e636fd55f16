/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_OPTIONS_TABLE_H
#define VMHEAT_TOOLS_OPTIONS_TABLE_H

#include "cli.h"

/* Letters of options without a short form in the user's sight. */
enum VhOptionLetter {
    VH_OPT_JSON = 'j',
    VH_OPT_NO_COLOR = 'C',
    VH_OPT_COLOR = 'c',
    VH_OPT_START = 'S',
    VH_OPT_END = 'E',
    VH_OPT_MIN = 'm',
    VH_OPT_LIMIT = 'l',
    VH_OPT_SORT = 'o',
    VH_OPT_ONCE = '1',
    VH_OPT_PROGRAMS = 'P',
    VH_OPT_PID = 'p',
    VH_OPT_DAMON = 'D',
    VH_OPT_NO_IDLE_PAGE = 'I',
    VH_OPT_DAMON_CPU = 'U',
    VH_OPT_REVOKE = 'R',
    VH_OPT_BACKGROUND = 'B',
    VH_OPT_PAGE_IDLE = 'F',
    VH_OPT_DAMON_ROOT = 'O',
    VH_OPT_DAMON_OWNER = 'K',
    VH_OPT_APPLY = 'A', /* whoever takes it takes the options of recipes */
    VH_OPT_ADD = 'X',
    VH_OPT_DRY_RUN = 'Y',
    VH_OPT_SET = 'W',
    VH_OPT_CLEAR = 'L',
    VH_OPT_EXPORT = 'Q',
    VH_OPT_ACTIONS = 'G',
    VH_OPT_TRIED = 'T',
    VH_OPT_RECIPE = 256, /* + index into vh_recipe_option_table() */
};

/**
 * struct VhOption - an option
 * @letter: identifies it in VhVerb.options
 * @is_short: @letter may be typed
 * @name: long name
 * @arg: what its argument is, or NULL
 * @help: what it does; NULL: for tests, not shown
 * @take: reads the argument; returns NULL, or what is allowed
 */
typedef struct VhOption {
    char letter;
    bool is_short;
    const char *name;
    const char *arg;
    const char *help;
    const char *(*take)(VhOptions *o, const char *arg);
} VhOption;

/**
 * vh_option_table() - all options but those of recipes
 *
 * Returns: an array; the last one's name is NULL.
 */
const VhOption *vh_option_table(void);

#endif
