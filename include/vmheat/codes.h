/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers in a record: how they are written as bytes.
 *
 * Whole numbers are LEB128: seven bits a byte, the lowest first, the top bit
 * set in all bytes but the last. Numbers that may be negative are folded first
 * (0, -1, 1, -2, ... become 0, 1, 2, 3, ...), so that small ones stay short.
 *
 * Rates and times are kept by their logarithm, VH_CODES_PER_OCTAVE steps an
 * octave, which is 1.1 % a step: less than any estimator knows. Code 0 is 0.
 */
#ifndef VMHEAT_CODES_H
#define VMHEAT_CODES_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define VH_CODES_PER_OCTAVE 64
#define VH_CODE_OCTAVES 80
#define VH_CODE_LEAST 0x1p-20 /* what code 1 stands for */
#define VH_CODE_LEAST_EXPONENT (-20)
#define VH_CODES (1 + VH_CODES_PER_OCTAVE * VH_CODE_OCTAVES)

/**
 * struct VhBytes - bytes being read
 * @at: the next one
 * @end: one past the last
 * @bad: a number did not end, or was too large: what was read is worth nothing
 */
typedef struct VhBytes {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
} VhBytes;

/** vh_put_number() - append @v */
void vh_put_number(GByteArray *out, uint64_t v);

/** vh_put_signed() - append @v, which may be negative */
void vh_put_signed(GByteArray *out, int64_t v);

/** vh_get_long_number() - vh_get_number() of one of any length */
uint64_t vh_get_long_number(VhBytes *b);

/** vh_get_number() - what vh_put_number() wrote; 0 once @b->bad */
static inline uint64_t vh_get_number(VhBytes *b)
{
    return b->at < b->end && *b->at < 0x80 ? *b->at++ : vh_get_long_number(b);
}

/** vh_get_signed() - what vh_put_signed() wrote; 0 once @b->bad */
static inline int64_t vh_get_signed(VhBytes *b)
{
    uint64_t v = vh_get_number(b);

    return (int64_t)(v >> 1 ^ -(v & 1));
}

#define VH_CODE_DIGITS 10

/**
 * struct VhCodes - what turns numbers into codes and back
 * @step: what of an octave each code is, 1 .. 2
 * @nearest: code of a number within its octave, by its first binary digits
 */
typedef struct VhCodes {
    double step[VH_CODES_PER_OCTAVE];
    uint8_t nearest[1 << VH_CODE_DIGITS];
} VhCodes;

/** vh_codes_init() - fill in @c */
void vh_codes_init(VhCodes *c);

/**
 * vh_code_of() - the code nearest to @v
 * @v: finite and not negative
 *
 * Nearest by the logarithm, but for 0.1 %.
 *
 * Returns: 0 .. VH_CODES - 1
 */
unsigned vh_code_of(const VhCodes *c, double v);

/**
 * vh_code_value() - what @code stands for
 * @code: below VH_CODES
 *
 * vh_code_of() of it is @code.
 */
static inline double vh_code_value(const VhCodes *c, unsigned code)
{
    unsigned at = code - 1;
    union {
        uint64_t bits;
        double value;
    } octave; /* a power of two, made of its exponent */

    octave.bits =
        (uint64_t)(1023 + VH_CODE_LEAST_EXPONENT + at / VH_CODES_PER_OCTAVE)
        << 52;
    return code ? c->step[at % VH_CODES_PER_OCTAVE] * octave.value : 0;
}

#endif
