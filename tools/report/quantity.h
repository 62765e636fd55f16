/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What reports count: how it is written, and which of its values are round. */
#ifndef VMHEAT_TOOLS_QUANTITY_H
#define VMHEAT_TOOLS_QUANTITY_H

#include <glib.h>

/**
 * enum VhQuantity - of what a number is
 * @VH_QUANTITY_SIZE: bytes
 * @VH_QUANTITY_TIME: us
 * @VH_QUANTITY_RATE: accesses a second
 * @VH_QUANTITY_TEMPERATURE: see temperature.h; may be negative
 */
typedef enum VhQuantity {
    VH_QUANTITY_SIZE,
    VH_QUANTITY_TIME,
    VH_QUANTITY_RATE,
    VH_QUANTITY_TEMPERATURE,
} VhQuantity;

/** vh_quantity_str() - for people; free with g_free() */
char *vh_quantity_str(VhQuantity q, double v);

/** vh_quantity_raw() - without unit; free with g_free() */
char *vh_quantity_raw(VhQuantity q, double v);

/** vh_quantity_least() - what is smaller, but not 0, need not be told apart */
double vh_quantity_least(VhQuantity q);

/** vh_round_linear() - the least of @q that is round and @v or more */
double vh_round_linear(VhQuantity q, double v);

/**
 * vh_round_log() - round numbers for a logarithmic scale
 * @q: of what
 * @level: 0: many numbers are round; the higher, the fewer are
 *
 * Returns: array of double, ascending, from vh_quantity_least() or less to
 * more than @q ever is.
 */
GArray *vh_round_log(VhQuantity q, unsigned level);

#endif
