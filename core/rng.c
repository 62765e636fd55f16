/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xoroshiro128+ (Blackman, Vigna; public domain algorithm), splitmix64 seed. */
#include "vmheat/types.h"

static uint64_t splitmix64(uint64_t *x)
{
    uint64_t z = (*x += 0x9e3779b97f4a7c15ULL);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

void vh_rng_seed(VhRng *r, uint64_t seed)
{
    r->s[0] = splitmix64(&seed);
    r->s[1] = splitmix64(&seed);
}

uint64_t vh_rng_next(VhRng *r)
{
    uint64_t s0 = r->s[0], s1 = r->s[1];
    uint64_t result = s0 + s1;

    s1 ^= s0;
    r->s[0] = rotl(s0, 24) ^ s1 ^ (s1 << 16);
    r->s[1] = rotl(s1, 37);
    return result;
}

uint64_t vh_rng_below(VhRng *r, uint64_t n)
{
    /* the lowest (2^64 mod n) values would be drawn once too often */
    uint64_t reject = -n % n, x;

    do {
        x = vh_rng_next(r);
    } while (x < reject);
    return x % n;
}

double vh_rng_unit(VhRng *r)
{
    return (vh_rng_next(r) >> 11) * 0x1p-53;
}
