/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "classes.h"
#include "client/json-text.h"
#include "state-ranges.h"

#define GROUPS_MAX 256

const char *vh_class_name(VhClass c)
{
    static const char *const names[] = {
        [VH_CLASS_HOT] = "hot",
        [VH_CLASS_WARM] = "warm",
        [VH_CLASS_COLD] = "cold",
        [VH_CLASS_IDLE] = "idle",
    };

    return names[c];
}

VhClass vh_class_of(const VhSnapshot *s, const VhRegion *r)
{
    double rate;

    if (r->idle_us >= VH_IDLE_US) {
        return VH_CLASS_IDLE;
    }
    rate = vh_region_rate(s, r);
    return rate >= VH_HOT_HZ    ? VH_CLASS_HOT
           : rate >= VH_WARM_HZ ? VH_CLASS_WARM
                                : VH_CLASS_COLD;
}

static VhGroup *nth(const VhClasses *c, guint i)
{
    return &g_array_index(c->groups, VhGroup, i);
}

/* The place of a group, which may be new; -1: there are too many. */
static int find(VhClasses *c, const char *kind, const char *name)
{
    VhGroup one = { .kind = kind };

    for (guint i = 0; i < c->groups->len; i++) {
        if (g_str_equal(nth(c, i)->kind, kind) &&
            g_str_equal(nth(c, i)->name, name)) {
            return i;
        }
    }
    if (c->groups->len == GROUPS_MAX) {
        return -1;
    }
    one.name = g_strdup(name);
    g_array_append_val(c->groups, one);
    return c->groups->len - 1;
}

void vh_classes_init(VhClasses *c)
{
    c->groups = g_array_new(false, false, sizeof(VhGroup));
    c->places = g_array_new(false, false, sizeof(VhPlace));
    find(c, "all", "");
}

void vh_classes_clear(VhClasses *c)
{
    for (guint i = 0; i < c->groups->len; i++) {
        g_free(nth(c, i)->name);
    }
    g_array_free(c->groups, true);
    g_array_free(c->places, true);
}

static void add_place(VhClasses *c, const VhStateRange *r)
{
    VhPlace p = { r->start, r->start + r->size, -1, -1 };

    if (r->block) {
        p.block = find(c, "block", r->block);
    }
    if (r->node >= 0) {
        g_autofree char *name = g_strdup_printf("%" PRId64, r->node);

        p.node = find(c, "node", name);
    }
    /* a guest's RAM does not overlap, and is told in order */
    if (!c->places->len ||
        g_array_index(c->places, VhPlace, c->places->len - 1).end <= p.start) {
        g_array_append_val(c->places, p);
    }
}

void vh_classes_state(VhClasses *c, const char *json)
{
    g_autoptr(JsonNode) root = vh_json_parse(json);
    g_autoptr(GArray) list = vh_state_ranges(root);

    if (!list) {
        return;
    }
    g_array_set_size(c->places, 0);
    for (guint i = 0; i < list->len; i++) {
        add_place(c, &g_array_index(list, VhStateRange, i));
    }
}

/* Bytes of a snapshot, of each group and class; seen: it has some. */
typedef struct Bytes {
    uint64_t of[VH_CLASSES];
    bool seen;
} Bytes;

static void count(Bytes *b, int group, VhClass class, uint64_t bytes)
{
    if (group >= 0) {
        b[group].of[class] += bytes;
        b[group].seen = true;
    }
}

/* @at: places that end below @r were passed by. */
static void count_places(const VhClasses *c, Bytes *b, const VhRegion *r,
                         VhClass class, guint *at)
{
    const VhPlace *p = (const VhPlace *)c->places->data;

    while (*at < c->places->len && p[*at].end <= r->start) {
        ++*at;
    }
    for (guint i = *at; i < c->places->len && p[i].start < r->end; i++) {
        uint64_t bytes = MIN(r->end, p[i].end) - MAX(r->start, p[i].start);

        count(b, p[i].block, class, bytes);
        count(b, p[i].node, class, bytes);
    }
}

static void fold(VhGroup *g, const Bytes *b, uint64_t ns)
{
    bool first = !g->ns;

    g->ns += ns;
    for (unsigned i = 0; i < VH_CLASSES; i++) {
        VhAmount *a = &g->amounts[i];

        a->min = first ? b->of[i] : MIN(a->min, b->of[i]);
        a->max = MAX(a->max, b->of[i]);
        a->mean += (b->of[i] - a->mean) * ns / g->ns;
    }
}

void vh_classes_add(VhClasses *c, const VhSnapshot *s)
{
    uint64_t ns = s->end_time > s->start_time ? s->end_time - s->start_time : 1;
    Bytes b[GROUPS_MAX];
    guint at = 0;

    memset(b, 0, c->groups->len * sizeof(*b));
    b[0].seen = true;
    for (size_t i = 0; i < s->nr; i++) {
        const VhRegion *r = &s->regions[i];
        VhClass class = vh_class_of(s, r);

        count(b, 0, class, r->end - r->start);
        count_places(c, b, r, class, &at);
    }
    for (guint i = 0; i < c->groups->len; i++) {
        if (b[i].seen || nth(c, i)->ns) {
            fold(nth(c, i), &b[i], ns);
        }
    }
}
