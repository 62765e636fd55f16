/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots in a record; format and theory of operation in snap-codec.h. */
#include <math.h>
#include <string.h>

#include "snap-codec.h"

#define PAGE_SHIFT 12
#define IDLE_PART 128 /* what an idle time is rounded to, of itself */
#define IDLE_NEAR 4   /* up to so much of it off, the difference is written */

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
    for (unsigned code = 0; code < VH_CODES; code++) {
        c->values[code] = vh_code_value(code);
    }
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
    c->head = (VhSnapshot){ 0 };
    c->bytes = false;
}

static Walk walk_begin(const VhSnapCodec *c, const VhSnapshot *s)
{
    uint64_t steps = s->sequence - c->head.sequence;
    uint64_t ns = s->end_time - c->head.end_time;
    Walk k = { .v = (const VhCodedRegion *)c->regions->data,
               .nr = c->regions->len };

    k.steps = MIN(steps, UINT32_MAX);
    k.ms = s->has_rates && s->end_time > c->head.end_time ? ns / 1000000 : 0;
    return k;
}

static inline void skip_to(Walk *k, uint64_t address)
{
    while (k->j < k->nr && k->v[k->j].end <= address) {
        k->j++;
    }
}

static inline uint64_t predict_start(Walk *k)
{
    skip_to(k, k->at);
    return k->j < k->nr && k->v[k->j].start > k->at ? k->v[k->j].start : k->at;
}

/* Into @r, in place: this is what reading a record takes most time for. */
static inline void predict(Walk *k, uint64_t start, VhCodedRegion *r)
{
    const VhCodedRegion *old;

    skip_to(k, start);
    old = k->v + k->j;
    if (k->j == k->nr || old->start > start) {
        *r = (VhCodedRegion){ .start = start, .end = start };
        return;
    }
    r->start = start;
    r->end = old->end;
    r->idle_ms = old->idle_ms + MIN(k->ms, UINT64_MAX - old->idle_ms);
    r->nr_accesses = old->nr_accesses;
    r->nr_writes = old->nr_writes;
    r->age = old->age + MIN(k->steps, UINT32_MAX - old->age);
    memcpy(r->rates, old->rates, sizeof(r->rates));
}

/* ---- writing ---- */

static bool is_aligned(const VhSnapshot *s)
{
    uint64_t all = 0;

    for (size_t i = 0; i < s->nr; i++) {
        all |= s->regions[i].start | s->regions[i].end;
    }
    return !(all & ((1 << PAGE_SHIFT) - 1));
}

static const char *hindrance(const VhSnapshot *s)
{
    uint64_t at = 0;

    if (s->nr > VH_SNAP_REGIONS_MAX || s->nr_regions < s->nr) {
        return "a number of regions that cannot be";
    }
    for (size_t i = 0; i < s->nr; i++) {
        const VhRegion *r = &s->regions[i];

        if (r->start < at || r->end <= r->start) {
            return "regions that overlap, are empty or not sorted";
        }
        if (MAX(MAX(r->nr_accesses, r->nr_writes), r->age) > UINT32_MAX) {
            return "a region with numbers of more than 32 bits";
        }
        at = r->end;
    }
    return NULL;
}

static void put_flags(VhSnapCodec *c, const VhSnapshot *s, GByteArray *out)
{
    const VhSnapshot *old = &c->head;
    bool same = s->sampling_interval == old->sampling_interval &&
                s->aggregation_interval == old->aggregation_interval &&
                s->max_nr_accesses == old->max_nr_accesses;
    uint8_t flags = (s->has_writes ? VH_SNAP_WRITES : 0) |
                    (s->has_rates ? VH_SNAP_RATES : 0) |
                    (s->has_write_rates ? VH_SNAP_WRITE_RATES : 0) |
                    (s->truncated ? VH_SNAP_TRUNCATED : 0) |
                    (same ? 0 : VH_SNAP_INTERVALS) |
                    (c->bytes ? VH_SNAP_BYTES : 0);

    g_byte_array_append(out, &flags, 1);
    if (!same) {
        vh_put_number(out, s->sampling_interval);
        vh_put_number(out, s->aggregation_interval);
        vh_put_number(out, s->max_nr_accesses);
    }
}

static void put_head(VhSnapCodec *c, const VhSnapshot *s, GByteArray *out)
{
    const VhSnapshot *old = &c->head;

    c->bytes |= !is_aligned(s);
    put_flags(c, s, out);
    vh_put_signed(out, s->sequence - old->sequence);
    vh_put_signed(out, s->start_time - old->end_time);
    vh_put_signed(out, s->end_time - s->start_time);
    vh_put_signed(out, s->working_set_size - old->working_set_size);
    vh_put_signed(out, s->total_size - old->total_size);
    vh_put_number(out, s->nr_regions - s->nr);
    vh_put_number(out, s->nr);
}

static VhCodedRegion code(const VhSnapshot *s, const VhRegion *r)
{
    VhCodedRegion c = { .start = r->start,
                        .end = r->end,
                        .nr_accesses = r->nr_accesses,
                        .nr_writes = s->has_writes ? r->nr_writes : 0,
                        .age = r->age };

    if (s->has_rates) {
        c.rates[0] = vh_code_of(r->rate);
        c.rates[1] = vh_code_of(r->rate_low);
        c.rates[2] = vh_code_of(r->rate_high);
        c.idle_ms = r->idle_us / 1000;
    }
    c.rates[3] = s->has_write_rates ? vh_code_of(r->write_rate) : 0;
    return c;
}

static uint64_t idle_unit(uint64_t predicted)
{
    return 1 + predicted / IDLE_PART;
}

/* Where the predicted one is as good, it is taken. */
static void round_idle(VhCodedRegion *r, const VhCodedRegion *p)
{
    uint64_t off = MAX(r->idle_ms, p->idle_ms) - MIN(r->idle_ms, p->idle_ms);

    if (off <= idle_unit(p->idle_ms) / 2) {
        r->idle_ms = p->idle_ms;
    }
}

/* Changes idle_ms to what a reader will have. */
static void put_idle(VhSnapCodec *c, VhCodedRegion *r, const VhCodedRegion *p,
                     GByteArray *out)
{
    int64_t unit = idle_unit(p->idle_ms), off = r->idle_ms - p->idle_ms;
    int64_t units = (off + (off < 0 ? -unit : unit) / 2) / unit;
    unsigned absolute;

    if (units && ABS(off) <= (int64_t)(p->idle_ms / IDLE_NEAR)) {
        vh_put_signed(out, units);
        r->idle_ms = p->idle_ms + units * unit;
        return;
    }
    absolute = vh_code_of(r->idle_ms);
    vh_put_signed(out, 0);
    vh_put_number(out, absolute);
    r->idle_ms = llrint(c->values[absolute]);
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

static void keep(VhSnapCodec *c, const VhSnapshot *s)
{
    GArray *old = c->regions;

    c->regions = c->next;
    c->next = old;
    c->head = *s;
    c->head.regions = NULL;
    c->head.nr = 0;
}

const char *vh_snap_encode(VhSnapCodec *c, const VhSnapshot *s, GByteArray *out)
{
    const char *why = hindrance(s);
    Walk k = walk_begin(c, s);
    uint64_t run = 0;

    if (why) {
        return why;
    }
    put_head(c, s, out);
    g_array_set_size(c->next, 0);
    for (size_t i = 0; i < s->nr; i++) {
        VhCodedRegion r = code(s, &s->regions[i]);
        uint64_t start = predict_start(&k);
        VhCodedRegion p;
        uint8_t flags;

        predict(&k, r.start, &p);
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

static bool get_head(VhSnapCodec *c, VhBytes *b, VhSnapshot *s, size_t *nr)
{
    const VhSnapshot *old = &c->head;
    uint64_t flags = vh_get_number(b), left_out, n;

    s->has_writes = flags & VH_SNAP_WRITES;
    s->has_rates = flags & VH_SNAP_RATES;
    s->has_write_rates = flags & VH_SNAP_WRITE_RATES;
    s->truncated = flags & VH_SNAP_TRUNCATED;
    c->bytes = flags & VH_SNAP_BYTES;
    s->sampling_interval = old->sampling_interval;
    s->aggregation_interval = old->aggregation_interval;
    s->max_nr_accesses = old->max_nr_accesses;
    if (flags & VH_SNAP_INTERVALS) {
        s->sampling_interval = vh_get_number(b);
        s->aggregation_interval = vh_get_number(b);
        s->max_nr_accesses = vh_get_number(b);
    }
    s->sequence = old->sequence + vh_get_signed(b);
    s->start_time = old->end_time + vh_get_signed(b);
    s->end_time = s->start_time + vh_get_signed(b);
    s->working_set_size = old->working_set_size + vh_get_signed(b);
    s->total_size = old->total_size + vh_get_signed(b);
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
    int64_t unit = idle_unit(predicted), units = vh_get_signed(b);
    uint64_t absolute;

    if (units) {
        b->bad |= units < -IDLE_PART || units > IDLE_PART;
        return b->bad ? 0 : predicted + units * unit;
    }
    absolute = vh_get_number(b);
    b->bad |= absolute >= VH_CODES;
    return b->bad ? 0 : llrint(c->values[absolute]);
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
    predict(k, start, r);
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

/* Regions that turn out as predicted: most of most snapshots. */
static void get_run(VhBytes *b, Walk *k, VhCodedRegion *r, size_t nr)
{
    for (size_t i = 0; i < nr; i++) {
        predict(k, predict_start(k), &r[i]);
        b->bad |= r[i].end <= r[i].start;
        k->at = r[i].end;
    }
}

static bool get_regions(VhSnapCodec *c, VhBytes *b, size_t nr, Walk *k)
{
    size_t i = 0;

    g_array_set_size(c->next, nr);
    while (i < nr && !b->bad) {
        VhCodedRegion *r = &g_array_index(c->next, VhCodedRegion, i);
        uint8_t flags = b->at == b->end ? 0 : *b->at;

        if (b->at == b->end) {
            b->bad = true;
        } else if (b->at++, flags) {
            get_region(c, b, flags, k, r);
            i++;
        } else {
            uint64_t run = vh_get_number(b);

            b->bad |= run > nr - i - 1;
            run = b->bad ? 0 : run + 1;
            get_run(b, k, r, run);
            i += run;
        }
    }
    return !b->bad;
}

static void decode_region(const VhSnapCodec *c, const VhSnapshot *s,
                          const VhCodedRegion *r, VhRegion *out)
{
    *out = (VhRegion){ .start = r->start,
                       .end = r->end,
                       .nr_accesses = r->nr_accesses,
                       .nr_writes = r->nr_writes,
                       .age = r->age,
                       .rate = c->values[r->rates[0]],
                       .rate_low = c->values[r->rates[1]],
                       .rate_high = c->values[r->rates[2]],
                       .write_rate = c->values[r->rates[3]],
                       .idle_us = r->idle_ms * 1000 };
    if (!s->has_rates && !r->nr_accesses) {
        out->idle_us = vh_snapshot_age_us(s, out);
    }
}

bool vh_snap_decode(VhSnapCodec *c, VhBytes *b, VhSnapshot *s)
{
    VhRegion *regions = s->regions;
    size_t nr;
    Walk k;

    if (!get_head(c, b, s, &nr)) {
        return false;
    }
    k = walk_begin(c, s);
    if (!get_regions(c, b, nr, &k)) {
        return false;
    }
    keep(c, s);
    s->regions = g_renew(VhRegion, regions, nr);
    s->nr = nr;
    for (size_t i = 0; i < nr; i++) {
        decode_region(c, s, &g_array_index(c->regions, VhCodedRegion, i),
                      &s->regions[i]);
    }
    return true;
}
