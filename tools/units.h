/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_UNITS_H
#define VMHEAT_TOOLS_UNITS_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

/**
 * vh_size_str() - bytes for people, three digits or so
 * @bytes: the size
 *
 * Returns: such as "51.2 MiB"; free with g_free().
 */
char *vh_size_str(uint64_t bytes);

/**
 * vh_duration_str() - a time for people, at most two units
 * @us: microseconds
 *
 * Returns: such as "50 ms", "1.5 s", "3m 20s"; free with g_free().
 */
char *vh_duration_str(uint64_t us);

/**
 * vh_percent_str() - a part of a whole
 * @part: the part
 * @whole: the whole; 0 gives "0 %"
 *
 * Returns: such as "5.1 %"; "<0.1 %" for little but not nothing; free with
 * g_free().
 */
char *vh_percent_str(double part, double whole);

/**
 * vh_rate_str() - accesses a second for people
 * @hz: the rate
 *
 * Returns: such as "12.3/s"; the slower, the fewer digits, such as "0.012/s",
 * "0.005/s"; free with g_free().
 */
char *vh_rate_str(double hz);

/**
 * vh_rate_range_str() - an interval of rates for people, with two digits
 * @low: its lower end
 * @high: its upper end
 *
 * Returns: such as "9.8..15"; free with g_free().
 */
char *vh_rate_range_str(double low, double high);

/**
 * vh_parse_size() - read what a user gave as size or address
 * @text: decimal or 0x hexadecimal, with an optional suffix K, M, G, T (iB)
 * @out: the bytes
 *
 * Returns: false when @text is no such thing or exceeds INT64_MAX.
 */
bool vh_parse_size(const char *text, uint64_t *out);

/**
 * vh_parse_seconds() - read what a user gave as time
 * @text: seconds, with an optional fraction
 * @us: microseconds
 *
 * Returns: false when @text is no number in 0.01 .. 86400.
 */
bool vh_parse_seconds(const char *text, int64_t *us);

/**
 * vh_parse_duration() - read what a user gave as time, with its unit
 * @text: a number, with an optional fraction, and us, ms, s, m, h or d; 0 needs
 *        no unit
 * @us: microseconds
 *
 * Returns: false when @text is no such thing or exceeds 36500 days.
 */
bool vh_parse_duration(const char *text, uint64_t *us);

/**
 * vh_parse_rate() - read what a user gave as accesses a second
 * @text: a number, with an optional fraction and an optional /s
 * @out: the rate
 *
 * Returns: false when @text is no such thing.
 */
bool vh_parse_rate(const char *text, double *out);

/**
 * vh_parse_percent() - read what a user gave as percentage
 * @text: a number, with an optional fraction and an optional %
 * @out: the percentage
 *
 * Returns: false when @text is no such thing.
 */
bool vh_parse_percent(const char *text, double *out);

#endif
