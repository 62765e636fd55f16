/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What schemes of a guest that does not exist did. */
#ifndef TESTS_GOLDEN_RECORD_HISTORY_H
#define TESTS_GOLDEN_RECORD_HISTORY_H

#include <glib.h>

/**
 * history_schemes() - an answer of query-vmheat-schemes
 * @base: what it was at the begin
 * @second: how much later
 *
 * Counters grow by 1 % a second. From 40 s on the last but one is active, from
 * 70 s on the last one is gone, at 80 s the second one begins to count anew.
 *
 * Returns: JSON; free with g_free().
 */
char *history_schemes(const char *base, unsigned second);

/** history_event() - an event of that second, as JSON; NULL: there is none */
const char *history_event(unsigned second);

#endif
