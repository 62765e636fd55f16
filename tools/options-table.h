/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_OPTIONS_TABLE_H
#define VMHEAT_TOOLS_OPTIONS_TABLE_H

#include <stddef.h>

#include "cli.h"

/**
 * struct VhOption - an option
 * @letter: what may be typed after one "-", or 0
 * @name: long name; NULL ends a table
 * @arg: what its argument is, or NULL
 * @help: what it does; NULL: for tests, not shown
 * @take: reads the argument; returns NULL, or what is allowed
 * @of: the one verb that has it so, where others have one of that name; or NULL
 * @flag: without @take: where in VhOptions a bool is that it sets, VH_FLAG()
 */
typedef struct VhOption {
    char letter;
    const char *name;
    const char *arg;
    const char *help;
    const char *(*take)(VhOptions *o, const char *arg);
    size_t flag;
    const char *of;
} VhOption;

#define VH_FLAG(member) offsetof(VhOptions, member)

/**
 * vh_option_nth() - an option by its place in all tables
 * @n: counted from 0
 *
 * Returns: the option, or NULL behind the last one.
 */
const VhOption *vh_option_nth(unsigned n);

/**
 * vh_option_of() - an option as a verb has it
 * @option: one of that name
 * @verb: name of the verb; NULL: not known
 */
const VhOption *vh_option_of(const VhOption *option, const char *verb);

/* The tables, a file each. */
extern const VhOption vh_options_common[];
extern const VhOption vh_options_snapshot[];
extern const VhOption vh_options_top[];
extern const VhOption vh_options_filter[];
extern const VhOption vh_options_access[];
extern const VhOption vh_options_report[];
extern const VhOption vh_options_wss[];
extern const VhOption vh_options_record[];
extern const VhOption vh_options_grant[];
extern const VhOption vh_options_schemes[];
extern const VhOption vh_options_libvirt[];
extern const VhOption vh_options_tune[];

/**
 * vh_option_take() - an option was given
 * @option: which
 * @o: where it goes to
 * @arg: its argument, or NULL
 *
 * Returns: NULL, or what is allowed instead of @arg.
 */
const char *vh_option_take(const VhOption *option, VhOptions *o,
                           const char *arg);

/**
 * vh_take_count() - read a decimal number
 * @arg: as typed
 * @min: least
 * @max: largest
 * @out: set when it is one of these
 */
bool vh_take_count(const char *arg, uint64_t min, uint64_t max, uint64_t *out);

/**
 * vh_options_problem() - what is wrong with options together
 * @verb: whose they are
 * @o: the options; what follows from several of them is set
 * @seen: VhOption: those that were given
 *
 * Returns: a sentence without an end; free with g_free(). NULL: nothing.
 */
char *vh_options_problem(const VhVerb *verb, VhOptions *o,
                         const GPtrArray *seen);

#endif
