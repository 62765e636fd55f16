/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers as bytes, and by their logarithm; see codes.h. */
#include <math.h>

#include "codes.h"

#define NUMBER_BYTES 10 /* of the longest one, 64 bits */

void vh_put_number(GByteArray *out, uint64_t v)
{
    uint8_t bytes[NUMBER_BYTES];
    unsigned n = 0;

    for (; v >= 0x80; v >>= 7) {
        bytes[n++] = v | 0x80;
    }
    bytes[n++] = v;
    g_byte_array_append(out, bytes, n);
}

void vh_put_signed(GByteArray *out, int64_t v)
{
    vh_put_number(out, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

static uint64_t fail(VhBytes *b)
{
    b->bad = true;
    b->at = b->end;
    return 0;
}

uint64_t vh_get_number(VhBytes *b)
{
    uint64_t v = 0;

    for (unsigned shift = 0; b->at < b->end; shift += 7) {
        uint8_t byte = *b->at++;

        if (shift > 63 || (shift == 63 && byte > 1)) {
            return fail(b);
        }
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return v;
        }
    }
    return fail(b);
}

int64_t vh_get_signed(VhBytes *b)
{
    uint64_t v = vh_get_number(b);

    return (int64_t)(v >> 1 ^ -(v & 1));
}

unsigned vh_code_of(double v)
{
    double code;

    if (!(v >= VH_CODE_LEAST / 2)) {
        return 0;
    }
    code = 1 + rint(log2(v / VH_CODE_LEAST) * VH_CODES_PER_OCTAVE);
    return CLAMP(code, 1, VH_CODES - 1);
}

double vh_code_value(unsigned code)
{
    return code ? VH_CODE_LEAST * exp2((double)(code - 1) / VH_CODES_PER_OCTAVE)
                : 0;
}
