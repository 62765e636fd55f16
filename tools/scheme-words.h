/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_SCHEME_WORDS_H
#define VMHEAT_TOOLS_SCHEME_WORDS_H

#include <json-glib/json-glib.h>

/**
 * vh_scheme_words() - for which memory a scheme is, in words
 * @scheme: a VmheatScheme, whose members may be anything
 *
 * Returns: such as "idle for 2m, 2 MiB or more"; free with g_free().
 */
char *vh_scheme_words(JsonObject *scheme);

/**
 * vh_goal_words() - what a scheme's quota shall achieve, in words
 * @scheme: a VmheatScheme, whose members may be anything
 * @values: what its goals' metrics are, in order; may be NULL
 *
 * Returns: such as "guest-rss 3 GiB, wanted 2.4 GiB", or NULL; free with
 * g_free().
 */
char *vh_goal_words(JsonObject *scheme, JsonArray *values);

#endif
