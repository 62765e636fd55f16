/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers that people write: on the command line and in traces. */
#ifndef BENCH_ACCURACY_NUMBER_H
#define BENCH_ACCURACY_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/**
 * parse_bytes() - "0x1000", "4096", "200M": hex or decimal, K M G T = 2^10...
 *
 * False when @text is nothing of the kind or does not fit into @out.
 */
bool parse_bytes(const char *text, uint64_t *out);

/** parse_real() - a decimal number from @least to @most; false if it isn't */
bool parse_real(const char *text, double least, double most, double *out);

#endif
