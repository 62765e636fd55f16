/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers as bytes, and by their logarithm; see codes.h. */
#include <math.h>

#include "vmheat/codes.h"

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

uint64_t vh_get_long_number(VhBytes *b)
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

void vh_codes_init(VhCodes *c)
{
    unsigned code = 0;

    for (unsigned i = 0; i < VH_CODES_PER_OCTAVE; i++) {
        c->step[i] = exp2((double)i / VH_CODES_PER_OCTAVE);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(c->nearest); i++) {
        double middle = 1 + (i + 0.5) / G_N_ELEMENTS(c->nearest);

        while (middle > exp2((code + 0.5) / VH_CODES_PER_OCTAVE)) {
            code++;
        }
        c->nearest[i] = code;
    }
}

unsigned vh_code_of(const VhCodes *c, double v)
{
    int octave;
    double part;
    unsigned code;

    if (!(v >= VH_CODE_LEAST)) {
        return v >= VH_CODE_LEAST / 2;
    }
    part = frexp(v / VH_CODE_LEAST, &octave) * 2 - 1;
    code = 1 + (octave - 1) * VH_CODES_PER_OCTAVE +
           c->nearest[(int)(part * G_N_ELEMENTS(c->nearest))];
    return MIN(code, VH_CODES - 1);
}
