/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots as bytes; format and theory of operation in snap-codec.h. */
#include <math.h>

#include "vmheat/snap-codec.h"

#define PAGE_SHIFT 12
#define IDLE_PART 128 /* what an idle time is rounded to, of itself */
#define IDLE_NEAR 4   /* up to so much of it off, the difference is written */
#define IDLE_MOST (UINT64_MAX / 1000) /* ms */

/*
 * Along the snapshot before, to predict.
 * v, nr: its regions
 * j: the first that may still matter
 * at: where the last region of the new one ended
 * steps: snapshots in between
 * ms: time in between
 */
typedef struct Walk {
    const VhCodedRegion *v;
    size_t nr;
    size_t j;
    uint64_t at;
    uint32_t steps;
    uint64_t ms;
} Walk;

VhSnapCodec *vh_snap_codec_new(void)
{
    VhSnapCodec *c = g_new0(VhSnapCodec, 1);

    c->regions = g_array_new(false, false, sizeof(VhCodedRegion));
    c->next = g_array_new(false, false, sizeof(VhCodedRegion));
    vh_codes_init(&c->codes);
    return c;
}

void vh_snap_codec_free(VhSnapCodec *c)
{
    if (c) {
        g_array_unref(c->regions);
        g_array_unref(c->next);
        g_free(c);
    }
}

void vh_snap_codec_reset(VhSnapCodec *c)
{
    g_array_set_size(c->regions, 0);
    c->head = (VhSnapHead){ 0 };
    c->bytes = false;
}

static Walk walk_begin(const VhSnapCodec *c, const VhSnapHead *s)
{
    uint64_t steps = s->sequence - c->head.sequence;
    uint64_t ns = s->end_ns - c->head.end_ns;
    Walk k = { .v = (const VhCodedRegion *)c->regions->data,
               .nr = c->regions->len };

    k.steps = MIN(steps, UINT32_MAX);
    k.ms = s->has_rates && s->end_ns > c->head.end_ns ? ns / 1000000 : 0;
    return k;
}

static void skip_to(Walk *k, uint64_t address)
{
    while (k->j < k->nr && k->v[k->j].end <= address) {
        k->j++;
    }
}

static uint64_t predict_start(Walk *k)
{
    skip_to(k, k->at);
    return k->j < k->nr && k->v[k->j].start > k->at ? k->v[k->j].start : k->at;
}

static VhCodedRegion predict(Walk *k, uint64_t start)
{
    VhCodedRegion r = { .start = start, .end = start };

    skip_to(k, start);
    if (k->j < k->nr && k->v[k->j].start <= start) {
        r = k->v[k->j];
        r.start = start;
        r.age += MIN(k->steps, UINT32_MAX - r.age);
        r.idle_ms += MIN(k->ms, IDLE_MOST - r.idle_ms);
    }
    return r;
}

/* ---- writing ---- */

static bool is_aligned(const VhCodedRegion *regions, size_t nr)
{
    uint64_t all = 0;

    for (size_t i = 0; i < nr; i++) {
        all |= regions[i].start | regions[i].end;
    }
    return !(all & ((1 << PAGE_SHIFT) - 1));
}

static const char *hindrance(const VhSnapHead *s, const VhCodedRegion *regions,
                             size_t nr)
{
    uint64_t at = 0;

    if (nr > VH_SNAP_REGIONS_MAX || s->nr_regions < nr) {
        return "a number of regions that cannot be";
    }
    for (size_t i = 0; i < nr; i++) {
        if (regions[i].start < at || regions[i].end <= regions[i].start) {
            return "regions that overlap, are empty or not sorted";
        }
        at = regions[i].end;
    }
    return NULL;
}

static void put_flags(const VhSnapCodec *c, const VhSnapHead *s,
                      GByteArray *out)
{
    const VhSnapHead *old = &c->head;
    bool same = s->sampling_us == old->sampling_us &&
                s->aggregation_us == old->aggregation_us &&
                s->max_nr_accesses == old->max_nr_accesses;
    uint8_t flags = (s->has_writes ? VH_SNAP_WRITES : 0) |
                    (s->has_rates ? VH_SNAP_RATES : 0) |
                    (s->has_write_rates ? VH_SNAP_WRITE_RATES : 0) |
                    (s->truncated ? VH_SNAP_TRUNCATED : 0) |
                    (same ? 0 : VH_SNAP_INTERVALS) |
                    (c->bytes ? VH_SNAP_BYTES : 0);

    g_byte_array_append(out, &flags, 1);
    if (!same) {
        vh_put_number(out, s->sampling_us);
        vh_put_number(out, s->aggregation_us);
        vh_put_number(out, s->max_nr_accesses);
    }
}

static void put_head(const VhSnapCodec *c, const VhSnapHead *s, size_t nr,
                     GByteArray *out)
{
    const VhSnapHead *old = &c->head;

    put_flags(c, s, out);
    vh_put_signed(out, s->sequence - old->sequence);
    vh_put_signed(out, s->start_ns - old->end_ns);
    vh_put_signed(out, s->end_ns - s->start_ns);
    vh_put_signed(out, s->working_set - old->working_set);
    vh_put_signed(out, s->total - old->total);
    vh_put_number(out, s->nr_regions - nr);
    vh_put_number(out, nr);
}

static int64_t idle_unit(uint64_t predicted)
{
    return 1 + predicted / IDLE_PART;
}

/* What a reader makes of @units, and of @code without them. */
static uint64_t idle_of(const VhSnapCodec *c, uint64_t predicted, int64_t units,
                        unsigned code)
{
    uint64_t ms = units ? predicted + units * idle_unit(predicted)
                        : (uint64_t)llrint(vh_code_value(&c->codes, code));

    return MIN(ms, IDLE_MOST);
}

/* Where the predicted one is as good, it is taken. */
static void round_idle(VhCodedRegion *r, const VhCodedRegion *p)
{
    uint64_t off = MAX(r->idle_ms, p->idle_ms) - MIN(r->idle_ms, p->idle_ms);

    if (off <= (uint64_t)idle_unit(p->idle_ms) / 2) {
        r->idle_ms = p->idle_ms;
    }
}

/* Changes idle_ms to what a reader will have. */
static void put_idle(VhSnapCodec *c, VhCodedRegion *r, const VhCodedRegion *p,
                     GByteArray *out)
{
    int64_t unit = idle_unit(p->idle_ms), off = r->idle_ms - p->idle_ms;
    int64_t units = (off + (off < 0 ? -unit : unit) / 2) / unit;
    unsigned absolute = 0;

    if (ABS(off) > (int64_t)(p->idle_ms / IDLE_NEAR)) {
        units = 0;
    }
    vh_put_signed(out, units);
    if (!units) {
        absolute = vh_code_of(&c->codes, r->idle_ms);
        vh_put_number(out, absolute);
    }
    r->idle_ms = idle_of(c, p->idle_ms, units, absolute);
}

static uint8_t differences(const VhCodedRegion *r, const VhCodedRegion *p,
                           uint64_t start)
{
    bool rates = r->rates[0] != p->rates[0] || r->rates[1] != p->rates[1] ||
                 r->rates[2] != p->rates[2];

    return (r->start != start ? VH_REGION_START : 0) |
           (r->end != p->end ? VH_REGION_END : 0) |
           (r->nr_accesses != p->nr_accesses ? VH_REGION_ACCESSES : 0) |
           (r->age != p->age ? VH_REGION_AGE : 0) |
           (r->nr_writes != p->nr_writes ? VH_REGION_WRITES : 0) |
           (rates ? VH_REGION_RATES : 0) |
           (r->rates[3] != p->rates[3] ? VH_REGION_WRITE_RATE : 0) |
           (r->idle_ms != p->idle_ms ? VH_REGION_IDLE : 0);
}

static void put_address(const VhSnapCodec *c, GByteArray *out, uint64_t value,
                        uint64_t predicted)
{
    int64_t off = value - predicted;

    vh_put_signed(out, c->bytes ? off : off / (1 << PAGE_SHIFT));
}

static void put_region(VhSnapCodec *c, GByteArray *out, uint8_t flags,
                       VhCodedRegion *r, const VhCodedRegion *p, uint64_t start)
{
    g_byte_array_append(out, &flags, 1);
    if (flags & VH_REGION_START) {
        put_address(c, out, r->start, start);
    }
    if (flags & VH_REGION_END) {
        put_address(c, out, r->end, p->end);
    }
    if (flags & VH_REGION_ACCESSES) {
        vh_put_signed(out, (int64_t)r->nr_accesses - p->nr_accesses);
    }
    if (flags & VH_REGION_AGE) {
        vh_put_number(out, r->age); /* it begins anew, mostly */
    }
    if (flags & VH_REGION_WRITES) {
        vh_put_signed(out, (int64_t)r->nr_writes - p->nr_writes);
    }
    for (int i = 0; i < 4; i++) {
        if (flags & (i < 3 ? VH_REGION_RATES : VH_REGION_WRITE_RATE)) {
            vh_put_signed(out, r->rates[i] - p->rates[i]);
        }
    }
    if (flags & VH_REGION_IDLE) {
        put_idle(c, r, p, out);
    }
}

static void put_run(GByteArray *out, uint64_t *run)
{
    const uint8_t none = 0;

    if (*run) {
        g_byte_array_append(out, &none, 1);
        vh_put_number(out, *run - 1);
        *run = 0;
    }
}

/* What was worked at is the snapshot before. */
static void keep(VhSnapCodec *c, const VhSnapHead *s)
{
    GArray *old = c->regions;

    c->regions = c->next;
    c->next = old;
    c->head = *s;
}

const char *vh_snap_encode(VhSnapCodec *c, const VhSnapHead *s,
                           const VhCodedRegion *regions, size_t nr,
                           GByteArray *out)
{
    const char *why = hindrance(s, regions, nr);
    Walk k = walk_begin(c, s);
    uint64_t run = 0;

    if (why) {
        return why;
    }
    c->bytes |= !is_aligned(regions, nr);
    put_head(c, s, nr, out);
    g_array_set_size(c->next, 0);
    for (size_t i = 0; i < nr; i++) {
        VhCodedRegion r = regions[i];
        uint64_t start = predict_start(&k);
        VhCodedRegion p = predict(&k, r.start);
        uint8_t flags;

        round_idle(&r, &p);
        flags = differences(&r, &p, start);
        if (flags) {
            put_run(out, &run);
            put_region(c, out, flags, &r, &p, start);
        } else {
            run++;
        }
        g_array_append_val(c->next, r);
        k.at = r.end;
    }
    put_run(out, &run);
    keep(c, s);
    return NULL;
}

/* ---- reading ---- */

static bool get_head(VhSnapCodec *c, VhBytes *b, VhSnapHead *s, size_t *nr)
{
    const VhSnapHead *old = &c->head;
    uint64_t flags = vh_get_number(b), left_out, n;

    s->has_writes = flags & VH_SNAP_WRITES;
    s->has_rates = flags & VH_SNAP_RATES;
    s->has_write_rates = flags & VH_SNAP_WRITE_RATES;
    s->truncated = flags & VH_SNAP_TRUNCATED;
    c->bytes = flags & VH_SNAP_BYTES;
    s->sampling_us = old->sampling_us;
    s->aggregation_us = old->aggregation_us;
    s->max_nr_accesses = old->max_nr_accesses;
    if (flags & VH_SNAP_INTERVALS) {
        s->sampling_us = vh_get_number(b);
        s->aggregation_us = vh_get_number(b);
        s->max_nr_accesses = vh_get_number(b);
    }
    s->sequence = old->sequence + vh_get_signed(b);
    s->start_ns = old->end_ns + vh_get_signed(b);
    s->end_ns = s->start_ns + vh_get_signed(b);
    s->working_set = old->working_set + vh_get_signed(b);
    s->total = old->total + vh_get_signed(b);
    left_out = vh_get_number(b);
    n = vh_get_number(b);
    s->nr_regions = left_out + n;
    *nr = n;
    return !b->bad && flags <= VH_SNAP_ALL && n <= VH_SNAP_REGIONS_MAX &&
           left_out <= UINT64_MAX - n;
}

static uint64_t get_address(const VhSnapCodec *c, VhBytes *b,
                            uint64_t predicted)
{
    uint64_t off = vh_get_signed(b);

    return predicted + (c->bytes ? off : off << PAGE_SHIFT);
}

/* @old and what follows, in 32 bits. */
static uint32_t get_near(VhBytes *b, uint32_t old)
{
    int64_t off = vh_get_signed(b);

    if (off < -(int64_t)old || off > (int64_t)(UINT32_MAX - old)) {
        b->bad = true;
        return 0;
    }
    return old + off;
}

static uint16_t get_rate(VhBytes *b, uint16_t old)
{
    uint32_t code = get_near(b, old);

    b->bad |= code >= VH_CODES;
    return b->bad ? 0 : code;
}

static uint64_t get_idle(const VhSnapCodec *c, VhBytes *b, uint64_t predicted)
{
    const int64_t most = IDLE_PART / IDLE_NEAR;
    int64_t units = vh_get_signed(b);
    uint64_t absolute = units ? 0 : vh_get_number(b);

    b->bad |= units < -most || units > most || absolute >= VH_CODES ||
              -units * idle_unit(predicted) > (int64_t)predicted;
    return b->bad ? 0 : idle_of(c, predicted, units, absolute);
}

static void get_region(const VhSnapCodec *c, VhBytes *b, uint8_t flags, Walk *k,
                       VhCodedRegion *r)
{
    uint64_t start = predict_start(k);

    start = flags & VH_REGION_START ? get_address(c, b, start) : start;
    if (start < k->at) {
        b->bad = true;
        return;
    }
    *r = predict(k, start);
    if (flags & VH_REGION_END) {
        r->end = get_address(c, b, r->end);
    }
    if (flags & VH_REGION_ACCESSES) {
        r->nr_accesses = get_near(b, r->nr_accesses);
    }
    if (flags & VH_REGION_AGE) {
        uint64_t age = vh_get_number(b);

        b->bad |= age > UINT32_MAX;
        r->age = age;
    }
    if (flags & VH_REGION_WRITES) {
        r->nr_writes = get_near(b, r->nr_writes);
    }
    for (int i = 0; i < 4; i++) {
        if (flags & (i < 3 ? VH_REGION_RATES : VH_REGION_WRITE_RATE)) {
            r->rates[i] = get_rate(b, r->rates[i]);
        }
    }
    if (flags & VH_REGION_IDLE) {
        r->idle_ms = get_idle(c, b, r->idle_ms);
    }
    b->bad |= r->end <= r->start;
    k->at = r->end;
}

/* As predicted, and all of a region of the snapshot before: most are. */
static inline bool copy_region(Walk *k, VhCodedRegion *r)
{
    skip_to(k, k->at);
    if (k->j == k->nr || k->v[k->j].start < k->at) {
        return false;
    }
    *r = k->v[k->j++];
    r->age += MIN(k->steps, UINT32_MAX - r->age);
    r->idle_ms += MIN(k->ms, IDLE_MOST - r->idle_ms);
    k->at = r->end;
    return true;
}

/* Flags of the next region; @run: how many more are as predicted. */
static uint8_t get_region_flags(VhBytes *b, uint64_t *run, size_t left)
{
    uint8_t flags = 0;

    if (*run) {
        --*run;
    } else if (b->at == b->end) {
        b->bad = true;
    } else if (!(flags = *b->at++)) {
        *run = vh_get_number(b);
        b->bad |= *run >= left;
    }
    return flags;
}

static bool get_regions(VhSnapCodec *c, VhBytes *b, const VhSnapHead *s,
                        size_t nr)
{
    Walk k = walk_begin(c, s);
    VhCodedRegion *r;
    uint64_t run = 0;

    /* one as predicted ends where one of before does; others have a byte */
    if (nr > (size_t)(b->end - b->at) + k.nr) {
        return false;
    }
    g_array_set_size(c->next, nr);
    r = (VhCodedRegion *)c->next->data;
    for (size_t i = 0; i < nr && !b->bad; i++, r++) {
        uint8_t flags = get_region_flags(b, &run, nr - i);

        if (flags || !copy_region(&k, r)) {
            get_region(c, b, flags, &k, r);
        }
    }
    return !b->bad;
}

bool vh_snap_decode(VhSnapCodec *c, VhBytes *b)
{
    VhSnapHead head;
    size_t nr;

    if (!get_head(c, b, &head, &nr) || !get_regions(c, b, &head, nr)) {
        return false;
    }
    keep(c, &head);
    return true;
}
