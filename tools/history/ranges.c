/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "client/json-text.h"
#include "ranges.h"

/* A copy; adds the memory it takes to @bytes. */
static char *copy(const char *text, size_t *bytes)
{
    *bytes += text ? strlen(text) + 17 : 0;
    return g_strdup(text);
}

VhRanges *vh_ranges_new(int64_t since_us, const VhStateRange *ranges, size_t nr)
{
    VhRanges *r = g_new0(VhRanges, 1);

    r->refs = 1;
    r->since_us = since_us;
    r->nr = MIN(nr, VH_RANGES_MAX);
    r->ranges = g_memdup2(ranges, r->nr * sizeof(*ranges));
    r->bytes = sizeof(*r) + r->nr * sizeof(*ranges);
    for (size_t i = 0; i < r->nr; i++) {
        VhStateRange *to = &r->ranges[i];

        to->block = copy(to->block, &r->bytes);
        to->device = copy(to->device, &r->bytes);
        to->reserved = copy(to->reserved, &r->bytes);
    }
    return r;
}

VhRanges *vh_ranges_ref(VhRanges *r)
{
    g_atomic_int_inc(&r->refs);
    return r;
}

void vh_ranges_unref(VhRanges *r)
{
    if (r && g_atomic_int_dec_and_test(&r->refs)) {
        for (size_t i = 0; i < r->nr; i++) {
            g_free((char *)r->ranges[i].block);
            g_free((char *)r->ranges[i].device);
            g_free((char *)r->ranges[i].reserved);
        }
        g_free(r->ranges);
        g_free(r);
    }
}

bool vh_ranges_same(const VhRanges *r, const VhStateRange *ranges, size_t nr)
{
    bool same = r->nr == MIN(nr, VH_RANGES_MAX);

    for (size_t i = 0; same && i < r->nr; i++) {
        const VhStateRange *a = &r->ranges[i], *b = &ranges[i];

        same = a->start == b->start && a->size == b->size &&
               a->node == b->node && !g_strcmp0(a->block, b->block) &&
               !g_strcmp0(a->device, b->device) &&
               !g_strcmp0(a->reserved, b->reserved);
    }
    return same;
}

const VhStateRange *vh_ranges_find(const VhRanges *r, uint64_t address)
{
    for (size_t i = 0; r && i < r->nr; i++) {
        const VhStateRange *range = &r->ranges[i];

        if (address >= range->start && address - range->start < range->size) {
            return range;
        }
    }
    return NULL;
}

VhRanges *vh_ranges_parse(int64_t since_us, const char *json)
{
    g_autoptr(JsonNode) root = vh_json_parse(json);
    g_autoptr(GArray) list = vh_state_ranges(root);

    return vh_ranges_new(since_us, list ? (VhStateRange *)list->data : NULL,
                         list ? list->len : 0);
}
