/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hash table of armed pages; see wires.h. */
#include <glib.h>

#include "wires.h"

#define ROOM_MIN 1024

static size_t home_of(const Wires *w, uint64_t key)
{
    return key * 0x9e3779b97f4a7c15ULL >> 20 & (w->room - 1);
}

/* The slot that holds @key, or the free one where it would be. */
static size_t slot_of(const Wires *w, uint64_t key)
{
    size_t at = home_of(w, key);

    while (w->v[at].key && w->v[at].key != key) {
        at = (at + 1) & (w->room - 1);
    }
    return at;
}

Wire *wires_find(const Wires *w, uint64_t page)
{
    Wire *wire = w->nr ? &w->v[slot_of(w, page + 1)] : NULL;

    return wire && wire->key ? wire : NULL;
}

static void grow(Wires *w)
{
    Wires old = *w;

    w->room = MAX(ROOM_MIN, old.room * 2);
    w->v = g_new0(Wire, w->room);
    for (size_t i = 0; i < old.room; i++) {
        if (old.v[i].key) {
            w->v[slot_of(w, old.v[i].key)] = old.v[i];
        }
    }
    g_free(old.v);
}

void wires_add(Wires *w, uint64_t page, uint64_t now_ns)
{
    if (w->nr + 1 > w->room / 4 * 3) {
        grow(w);
    }
    w->v[slot_of(w, page + 1)] = (Wire){ page + 1, now_ns };
    w->nr++;
}

/* Those behind that would not be found any more move into the gap. */
void wires_remove(Wires *w, Wire *wire)
{
    size_t mask = w->room - 1, gap = wire - w->v;

    for (size_t at = (gap + 1) & mask; w->v[at].key; at = (at + 1) & mask) {
        size_t home = home_of(w, w->v[at].key);

        if (((at - home) & mask) >= ((at - gap) & mask)) {
            w->v[gap] = w->v[at];
            gap = at;
        }
    }
    w->v[gap].key = 0;
    w->nr--;
}

void wires_clear(Wires *w)
{
    g_free(w->v);
    *w = (Wires){ 0 };
}
