/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages that are armed, and since when nobody looked: a hash table with
 * linear probing. Pages that are not armed are not in it, however many there
 * are.
 */
#ifndef BENCH_ACCURACY_WIRES_H
#define BENCH_ACCURACY_WIRES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct Wire - page number plus one (0: free slot), silent until @seen_ns */
typedef struct Wire {
    uint64_t key;
    uint64_t seen_ns;
} Wire;

/** struct Wires - zeroed: empty; @room is a power of two, @nr of them used */
typedef struct Wires {
    Wire *v;
    size_t room;
    size_t nr;
} Wires;

/** wires_find() - the wire of @page, or NULL; good until the next change */
Wire *wires_find(const Wires *w, uint64_t page);

/** wires_add() - arm @page, which is not armed */
void wires_add(Wires *w, uint64_t page, uint64_t now_ns);

/** wires_remove() - @wire is in @w */
void wires_remove(Wires *w, Wire *wire);

/** wires_clear() - none is armed; frees the memory */
void wires_clear(Wires *w);

#endif
