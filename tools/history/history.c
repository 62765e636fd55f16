/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adding to a history; theory of operation in history.h. */
#include <math.h>

#include "fold.h"
#include "internal.h"
#include "packed.h"
#include "report/filter.h"

#define SET_BACK_US (10 * VH_SECOND_US)
#define RANGES_KEPT 256
#define RANGES_PART 16 /* of the limit */
#define RATE_MAX 1e18
#define PLAIN_PART 6 /* of the limit: what is packed last */
#define COARSE 21600 /* means of the second level in all of the time */

/*
 * levels: snapshots; folds: what makes those of the next level
 * shares: of memory, of a level, when there is not enough
 * last_us: end of the last snapshot, wall clock; 0: there is none
 * before: its head, by QEMU's clock; end_ns 0: there is none, or a gap
 * ranges: VhRanges; ranges_bytes: of all of them
 * regions_max: of a snapshot
 */
struct VhHistory {
    VhHistoryLimits limits;
    VhLevel levels[VH_LEVELS];
    VhFold folds[VH_LEVELS - 1];
    int64_t last_us;
    VhSnapHead before;
    GPtrArray *ranges;
    size_t ranges_bytes;
    size_t regions_max;
    VhSource *source;
    VhCodes codes;
};

static const double shares[VH_LEVELS] = { 0.4, 0.2, 0.15, 0.25 };

VhHistory *vh_history_new(const VhHistoryLimits *limits)
{
    VhHistory *h = g_new0(VhHistory, 1);
    int64_t step;
    size_t block;

    h->limits = *limits;
    if (!h->limits.seconds) {
        h->limits.seconds = VH_HISTORY_SECONDS;
    }
    if (!h->limits.bytes) {
        h->limits.bytes = VH_HISTORY_BYTES;
    }
    h->limits.bytes = MAX(h->limits.bytes, VH_HISTORY_BYTES_MIN);
    h->limits.seconds = MIN(h->limits.seconds, G_MAXINT32);
    step = MAX((int64_t)h->limits.seconds * VH_SECOND_US / COARSE, 1000);
    block = CLAMP(h->limits.bytes / 256, 16384, 262144);
    h->regions_max = CLAMP(h->limits.bytes / 1024, 4096, 65536);
    for (unsigned i = 0; i < VH_LEVELS; i++) {
        vh_level_init(&h->levels[i], block);
    }
    for (unsigned i = 0; i < VH_LEVELS - 1; i++, step *= 4) {
        vh_fold_init(&h->folds[i], step,
                     CLAMP(h->limits.bytes / 32768, 128, 2048));
    }
    h->ranges = g_ptr_array_new_with_free_func((GDestroyNotify)vh_ranges_unref);
    vh_codes_init(&h->codes);
    return h;
}

void vh_history_free(VhHistory *h)
{
    if (h) {
        for (unsigned i = 0; i < VH_LEVELS; i++) {
            vh_level_clear(&h->levels[i]);
        }
        for (unsigned i = 0; i < VH_LEVELS - 1; i++) {
            vh_fold_clear(&h->folds[i]);
        }
        g_ptr_array_unref(h->ranges);
        vh_source_unref(h->source);
        g_free(h);
    }
}

VhHistoryLimits vh_history_limits(const VhHistory *h)
{
    return h->limits;
}

/* ---- memory ---- */

uint64_t vh_history_bytes(const VhHistory *h)
{
    uint64_t bytes = sizeof(*h) + h->ranges_bytes +
                     vh_array_bytes(h->ranges->len, sizeof(void *));

    for (unsigned i = 0; i < VH_LEVELS; i++) {
        bytes += h->levels[i].bytes + vh_level_bytes(&h->levels[i]);
    }
    for (unsigned i = 0; i < VH_LEVELS - 1; i++) {
        bytes += vh_fold_bytes(&h->folds[i]);
    }
    return bytes + (h->source ? vh_source_bytes(h->source) : 0);
}

/* The level with most of what it should have. */
static VhLevel *fullest(VhHistory *h)
{
    unsigned at = 0;

    for (unsigned i = 1; i < VH_LEVELS; i++) {
        if (h->levels[i].bytes / shares[i] > h->levels[at].bytes / shares[at]) {
            at = i;
        }
    }
    return &h->levels[at];
}

static void drop_old(VhHistory *h)
{
    int64_t since = h->last_us - (int64_t)h->limits.seconds * VH_SECOND_US;

    for (unsigned i = 0; i < VH_LEVELS; i++) {
        GQueue *blocks = &h->levels[i].blocks;

        while (blocks->length &&
               vh_history_block_end(g_queue_peek_head(blocks)) < since) {
            vh_level_drop(&h->levels[i]);
        }
    }
}

/* The oldest of what is not packed; returns false when there is little. */
static bool pack_some(VhHistory *h)
{
    VhLevel *most = &h->levels[0];
    uint64_t plain = 0;

    for (unsigned i = 0; i < VH_LEVELS; i++) {
        plain += h->levels[i].plain;
        most = h->levels[i].plain > most->plain ? &h->levels[i] : most;
    }
    if (plain <= h->limits.bytes / PLAIN_PART) {
        return false;
    }
    vh_level_pack(most);
    return true;
}

/* What is not in a block yet is too much. */
static bool seal_all(VhHistory *h)
{
    for (unsigned i = 0; i < VH_LEVELS; i++) {
        vh_level_seal(&h->levels[i]);
    }
    return fullest(h)->blocks.length;
}

static void keep_limits(VhHistory *h)
{
    drop_old(h);
    while (vh_history_bytes(h) > h->limits.bytes) {
        if (!pack_some(h) && !vh_level_drop(fullest(h)) && !seal_all(h)) {
            break;
        }
    }
}

/* ---- time ---- */

uint64_t vh_stands_since(const VhSnapHead *s, const VhSnapHead *before)
{
    uint64_t steps = s->sequence - before->sequence;
    double took = s->end_ns > s->start_ns ? s->end_ns - s->start_ns : 0;
    double each = MAX(took, s->aggregation_us * 1e3);

    /* twice: a throttled monitor takes longer for some than for others */
    if (before->end_ns && s->sequence > before->sequence &&
        s->end_ns > before->end_ns &&
        s->end_ns - before->end_ns <= 2 * each * steps) {
        return MIN(before->end_ns, s->start_ns);
    }
    return MIN(s->start_ns, s->end_ns);
}

static void forget_from(VhHistory *h, int64_t us)
{
    h->last_us = 0;
    for (unsigned i = 0; i < VH_LEVELS; i++) {
        VhHistoryBlock *last;

        vh_level_drop_from(&h->levels[i], us);
        last = g_queue_peek_tail(&h->levels[i].blocks);
        h->last_us =
            last ? MAX(h->last_us, vh_history_block_end(last)) : h->last_us;
    }
    for (unsigned i = 0; i < VH_LEVELS - 1; i++) {
        vh_fold_forget(&h->folds[i]);
    }
    h->before = (VhSnapHead){ 0 };
}

/* Of the time that it stands for, wall clock; false: it is not later. */
static bool set_time(VhHistory *h, const VhSnapHead *s, int64_t wall_us,
                     VhEntry *e)
{
    uint64_t since;

    if (s->sequence == h->before.sequence && s->end_ns == h->before.end_ns) {
        return false;
    }
    if (wall_us <= h->last_us) {
        if (h->last_us - wall_us <= SET_BACK_US) {
            return false;
        }
        forget_from(h, wall_us);
    }
    since = vh_stands_since(s, &h->before);
    e->end_us = wall_us;
    e->start_us = wall_us - (int64_t)MIN((s->end_ns - since) / 1000,
                                         G_MAXINT32 * 1000ull);
    if (h->before.end_ns && since <= h->before.end_ns &&
        ABS(e->start_us - h->last_us) <= SET_BACK_US) {
        e->start_us = h->last_us; /* clocks do not agree to the microsecond */
    }
    e->start_us = CLAMP(e->start_us, h->last_us, wall_us - 1);
    return true;
}

/* ---- a snapshot ---- */

static uint64_t most(uint64_t v)
{
    return MIN(v, UINT32_MAX);
}

static uint16_t code_of(const VhHistory *h, double rate)
{
    return vh_code_of(&h->codes, rate < RATE_MAX ? rate : RATE_MAX);
}

/* Rates are told also where the snapshot tells none. */
static VhCodedRegion code_region(const VhHistory *h, const VhSnapshot *s,
                                 const VhRegion *r)
{
    double rate = vh_region_rate(s, r);
    VhCodedRegion out = { .start = r->start,
                          .end = r->end,
                          .idle_ms = MIN(r->idle_us / 1000, G_MAXINT64 / 4),
                          .nr_accesses = most(r->nr_accesses),
                          .nr_writes = s->has_writes ? most(r->nr_writes) : 0,
                          .age = most(r->age) };

    out.rates[VH_RATE] = code_of(h, rate);
    out.rates[VH_RATE_LOW] = code_of(h, s->has_rates ? r->rate_low : rate);
    out.rates[VH_RATE_HIGH] = code_of(h, s->has_rates ? r->rate_high : rate);
    if (s->has_write_rates) {
        out.rates[VH_RATE_WRITE] = code_of(h, r->write_rate);
    }
    return out;
}

static VhSnapHead head_of(const VhSnapshot *s)
{
    VhSnapHead head = vh_packed_head(s);

    head.nr_regions = s->nr;
    head.has_rates = true;
    return head;
}

static bool is_sane(const VhSnapshot *s)
{
    uint64_t at = 0;

    for (size_t i = 0; i < s->nr; i++) {
        if (s->regions[i].start < at ||
            s->regions[i].end <= s->regions[i].start) {
            return false;
        }
        at = s->regions[i].end;
    }
    return true;
}

/* Its regions; fewer, when they are too many. */
static GArray *code_regions(const VhHistory *h, const VhSnapshot *s)
{
    GArray *all = g_array_sized_new(false, false, sizeof(VhCodedRegion), s->nr);
    VhMerge *fewer;
    GArray *out;

    for (size_t i = 0; i < s->nr; i++) {
        VhCodedRegion r = code_region(h, s, &s->regions[i]);

        g_array_append_val(all, r);
    }
    if (s->nr <= h->regions_max) {
        return all;
    }
    fewer = vh_merge_new(h->regions_max);
    vh_merge_add(fewer, (const VhCodedRegion *)all->data, all->len, 1);
    g_array_unref(all);
    out = g_array_ref((GArray *)vh_merge_end(fewer, 0));
    vh_merge_free(fewer);
    return out;
}

/* What is kept already goes into the means of @level; and, when it is one by
 * itself, of the level that has longer ones. The last level keeps it again. */
static void add_to_means(VhHistory *h, unsigned level, const VhSnapHead *head,
                         const VhCodedRegion *regions, size_t nr,
                         const VhEntry *e)
{
    VhFold *f = &h->folds[level - 1];
    bool alone = vh_fold_is_mean(f, nr, e);

    if (f->nr && (alone || vh_fold_is_due(f, head, e))) {
        VhEntry mean;
        const GArray *all = vh_fold_end(f, &mean);
        const VhCodedRegion *first = (const VhCodedRegion *)all->data;

        vh_level_add(&h->levels[level], &f->head, first, all->len, &mean);
        if (level + 1 < VH_LEVELS) {
            add_to_means(h, level + 1, &f->head, first, all->len, &mean);
        }
    }
    if (!alone) {
        vh_fold_add(f, head, regions, nr, e);
    } else if (level + 1 < VH_LEVELS) {
        add_to_means(h, level + 1, head, regions, nr, e);
    } else {
        vh_level_add(&h->levels[level], head, regions, nr, e);
    }
}

bool vh_history_add(VhHistory *h, const VhSnapshot *s, int64_t wall_us,
                    const VhHistoryPoint *p)
{
    VhSnapHead head = head_of(s);
    g_autoptr(GArray) regions = NULL;
    const VhCodedRegion *coded;
    VhEntry e = { 0 };

    if (!is_sane(s) || wall_us <= 0 || !set_time(h, &head, wall_us, &e)) {
        return false;
    }
    regions = code_regions(h, s);
    vh_values_of(s, p, e.values);
    coded = (const VhCodedRegion *)regions->data;
    if (!vh_level_add(&h->levels[0], &head, coded, regions->len, &e)) {
        return false;
    }
    add_to_means(h, 1, &head, coded, regions->len, &e);
    h->before = head;
    h->last_us = wall_us;
    keep_limits(h);
    return true;
}

/* ---- what else is known ---- */

static bool too_many_ranges(const VhHistory *h)
{
    return h->ranges->len > 1 &&
           (h->ranges->len > RANGES_KEPT ||
            h->ranges_bytes > h->limits.bytes / RANGES_PART);
}

void vh_history_set_ranges(VhHistory *h, int64_t wall_us,
                           const VhStateRange *ranges, size_t nr)
{
    VhRanges *last =
        h->ranges->len ? h->ranges->pdata[h->ranges->len - 1] : NULL;
    VhRanges *r;

    if (last && vh_ranges_same(last, ranges, nr)) {
        return;
    }
    r = vh_ranges_new(wall_us, ranges, nr);
    h->ranges_bytes += r->bytes;
    g_ptr_array_add(h->ranges, r);
    while (too_many_ranges(h)) {
        h->ranges_bytes -= ((VhRanges *)h->ranges->pdata[0])->bytes;
        g_ptr_array_remove_index(h->ranges, 0);
    }
}

void vh_history_set_record(VhHistory *h, const char *path)
{
    if (h->source && !g_strcmp0(path, vh_source_path(h->source))) {
        return;
    }
    vh_source_unref(h->source);
    h->source = path ? vh_source_new(path) : NULL;
}

char *vh_history_take_warning(VhHistory *h)
{
    return h->source ? vh_source_take_warning(h->source) : NULL;
}

/* ---- views ---- */

static GPtrArray *blocks_of(const VhLevel *l)
{
    GPtrArray *out = g_ptr_array_new_full(
        l->blocks.length + 1, (GDestroyNotify)vh_history_block_unref);
    VhHistoryBlock *open = vh_level_open(l);

    for (GList *i = l->blocks.head; i; i = i->next) {
        g_ptr_array_add(out, vh_history_block_ref(i->data));
    }
    if (open) {
        g_ptr_array_add(out, open);
    }
    return out;
}

VhHistoryView *vh_history_view(VhHistory *h)
{
    VhHistoryView *v = g_new0(VhHistoryView, 1);

    for (unsigned i = 0; i < VH_LEVELS; i++) {
        v->step_us[i] = i ? h->folds[i - 1].step_us : 0;
        v->blocks[i] = blocks_of(&h->levels[i]);
    }
    v->ranges = g_ptr_array_new_with_free_func((GDestroyNotify)vh_ranges_unref);
    for (guint i = 0; i < h->ranges->len; i++) {
        g_ptr_array_add(v->ranges, vh_ranges_ref(h->ranges->pdata[i]));
    }
    v->source = h->source ? vh_source_ref(h->source) : NULL;
    return v;
}
