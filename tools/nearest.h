/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_NEAREST_H
#define VMHEAT_TOOLS_NEAREST_H

#include <glib.h>

/**
 * struct VhNearest - the name that is most like what was typed
 * @typed: what was typed
 * @name: the best so far, or NULL
 * @distance: typing errors between both
 */
typedef struct VhNearest {
    const char *typed;
    const char *name;
    unsigned distance;
} VhNearest;

/**
 * vh_nearest_try() - take a name when it is nearer than that before
 * @n: the search; all but @typed is 0 at the begin
 * @name: compared with what was typed
 * @means: kept as the best; must outlive the search
 *
 * What is too far away to be meant is not taken.
 */
void vh_nearest_try(VhNearest *n, const char *name, const char *means);

/**
 * vh_typing_errors() - how far two words are apart
 * @a: a word
 * @b: another
 *
 * Returns: the number of characters that are left out, too many, wrong, or
 * swapped with their neighbour.
 */
unsigned vh_typing_errors(const char *a, const char *b);

#endif
