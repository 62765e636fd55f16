/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation in heatmap-read.h. */
#include <inttypes.h>

#include "../progress.h"
#include "heatmap-read.h"
#include "input.h"
#include "units.h"

#define THREADS_MAX 16
#define GRIDS_BYTES (256u << 20) /* of all threads, if there is a choice */

/*
 * What is to be read.
 * blocks: of snapshots, VhRecordBlock, those of the time asked for
 * tail: where the last one ends; SIZE_MAX: look at what follows, too
 */
typedef struct Work {
    VhHeatRecord *rec;
    const VhHeatSize *size;
    VhProgress *progress;
    GArray *blocks;
    uint64_t lower;
    uint64_t upper;
    uint64_t from;
    uint64_t to;
    bool rates;
    size_t tail;
} Work;

/*
 * What a thread does: blocks from first to end.
 * strange: what was seen that is not on the axis
 * damage, good: as the reader says
 */
typedef struct Part {
    const Work *work;
    guint first;
    guint end;
    VhHeatmap *map;
    VhHeatAxis strange;
    char *damage;
    size_t good;
} Part;

static const VhRecordBlock *block(const Work *w, guint i)
{
    return &g_array_index(w->blocks, VhRecordBlock, i);
}

/* ---- one thread ---- */

static void see(Part *p, const VhSnapshot *s)
{
    if (!vh_heat_axis_covers(&p->work->rec->axis, s)) {
        vh_heat_axis_add(&p->strange, s);
    }
    vh_heatmap_add(p->map, s);
}

/* The snapshot before the first one tells how long that one stands for. */
static void see_before(Part *p, VhRecordReader *r)
{
    const VhRecordBlock *b = p->first ? block(p->work, p->first - 1) : NULL;
    VhRecordItem item;

    vh_record_part_of(r, b ? b->at : 0, b ? b->end : 0);
    while (b && vh_record_next(r, &item)) {
        if (item.type == VH_RECORD_SNAPSHOTS) {
            vh_heatmap_pass(p->map, item.snapshot);
        }
    }
}

static gpointer run_part(gpointer opaque)
{
    Part *p = opaque;
    const Work *w = p->work;
    g_autoptr(VhRecordReader) before = vh_record_open(w->rec->path, NULL);
    g_autoptr(VhRecordReader) r = vh_record_open(w->rec->path, NULL);
    bool last = p->end == w->blocks->len;
    VhRecordItem item;

    if (!r || !before) {
        p->damage = g_strdup_printf("'%s' is gone", w->rec->path);
        return NULL;
    }
    see_before(p, before);
    vh_record_part_of(r, block(w, p->first)->at,
                      last ? w->tail : block(w, p->end)->at);
    vh_record_range(r, w->lower, w->upper);
    while (vh_record_next(r, &item)) {
        if (item.type == VH_RECORD_SNAPSHOTS) {
            see(p, item.snapshot);
        }
        if (!p->first) {
            vh_progress_to(w->progress, vh_record_part(r), NULL);
        }
    }
    p->damage = g_strdup(vh_record_damage(r));
    p->good = vh_record_good(r);
    return NULL;
}

/* ---- all threads ---- */

static void part_begin(Part *p, const Work *w, guint first, guint end)
{
    *p = (Part){ .work = w, .first = first, .end = end };
    p->map = vh_heatmap_new(&w->rec->axis, w->from, w->to, w->rates, w->size);
    vh_heat_axis_init(&p->strange, w->rec->axis.start, w->rec->axis.end);
}

static void part_end(Part *p)
{
    vh_heatmap_free(p->map);
    vh_heat_axis_clear(&p->strange);
    g_free(p->damage);
}

static guint threads_for(const Work *w)
{
    uint64_t bytes = sizeof(double) * 2 * w->size->rows * w->size->width;
    guint n = MIN(MIN(g_get_num_processors(), THREADS_MAX), w->blocks->len);

    return CLAMP(GRIDS_BYTES / bytes, 1, n);
}

/* Read it all once; returns what each thread saw, that many. */
static guint run_parts(const Work *w, Part *parts)
{
    guint n = threads_for(w);
    GThread *threads[THREADS_MAX];

    for (guint i = 0; i < n; i++) {
        part_begin(&parts[i], w, (guint64)w->blocks->len * i / n,
                   (guint64)w->blocks->len * (i + 1) / n);
    }
    for (guint i = 1; i < n; i++) {
        threads[i] = g_thread_new("heatmap", run_part, &parts[i]);
    }
    run_part(&parts[0]);
    for (guint i = 1; i < n; i++) {
        g_thread_join(threads[i]);
    }
    return n;
}

static uint64_t last_time(const Work *w)
{
    uint64_t last = 0;

    for (guint i = 0; i < w->blocks->len; i++) {
        last = MAX(last, block(w, i)->last_ns);
    }
    return MIN(last, w->upper);
}

/* Leave out what is behind the damage. */
static void cut(Work *w, const Part *p)
{
    guint n = 0;

    w->rec->damage = g_strdup(p->damage);
    while (n < w->blocks->len && block(w, n)->end <= p->good) {
        n++;
    }
    g_array_set_size(w->blocks, n);
    w->tail = p->good;
    w->to = last_time(w); /* what a damaged header says may be anything */
}

/* All that was learnt; returns false when it has to be done again. */
static bool learn(Work *w, const Part *parts, guint n)
{
    bool good = true;

    for (guint i = 0; i < n; i++) {
        if (parts[i].damage && !w->rec->damage) {
            guint blocks = w->blocks->len;

            cut(w, &parts[i]);
            good &= blocks == w->blocks->len;
        }
        if (parts[i].strange.length) {
            vh_heat_axis_join(&w->rec->axis, &parts[i].strange);
            good = false;
        }
        if (w->rec->damage) {
            break;
        }
    }
    return good;
}

static bool read_once(Work *w)
{
    Part parts[THREADS_MAX];
    guint n = run_parts(w, parts);
    bool good = learn(w, parts, n);

    for (guint i = 1; i < n; i++) {
        vh_heatmap_join(parts[0].map, parts[i].map);
    }
    if (good) {
        w->rec->map = g_steal_pointer(&parts[0].map);
    }
    for (guint i = 0; i < n; i++) {
        part_end(&parts[i]);
    }
    return good;
}

/* ---- before that ---- */

/* A block's first snapshot begins the picture; all of it are on the axis. */
static bool look_at(Work *w, guint i, bool first)
{
    g_autoptr(VhRecordReader) r = vh_record_open(w->rec->path, NULL);
    VhRecordItem item;
    bool found = false;

    if (!r) {
        return false;
    }
    vh_record_part_of(r, block(w, i)->at, block(w, i)->end);
    while (vh_record_next(r, &item)) {
        const VhSnapshot *s = item.snapshot;

        if (first && !found) {
            w->from = MAX(w->lower, s->start_time);
            w->rates = s->has_rates;
        }
        vh_heat_axis_add(&w->rec->axis, s);
        found = true;
    }
    return found;
}

static void keep_wanted(Work *w, const GArray *all)
{
    w->blocks = g_array_new(false, false, sizeof(VhRecordBlock));
    for (guint i = 0; i < all->len; i++) {
        const VhRecordBlock *b = &g_array_index(all, VhRecordBlock, i);

        if (b->type == VH_RECORD_SNAPSHOTS && b->last_ns >= w->lower &&
            b->first_ns <= w->upper) {
            g_array_append_val(w->blocks, *b);
        }
    }
}

/* Name and clock, from the first block that tells them. */
static void read_vm(VhHeatRecord *rec, const GArray *all)
{
    g_autoptr(VhRecordReader) r = vh_record_open(rec->path, NULL);
    VhRecordItem item;
    guint i = 0;

    while (i < all->len &&
           g_array_index(all, VhRecordBlock, i).type != VH_RECORD_VM) {
        i++;
    }
    if (r && i < all->len) {
        vh_record_part_of(r, g_array_index(all, VhRecordBlock, i).at, SIZE_MAX);
        if (vh_record_next(r, &item)) {
            vh_about_take(&rec->about, &item);
        }
    }
}

/* What is wanted of the record; false: nothing of it is. */
static bool prepare(Work *w, const VhOptions *o, VhRecordReader *r)
{
    g_autoptr(GArray) all = vh_record_blocks(r);
    VhHeatRecord *rec = w->rec;
    uint64_t last;

    read_vm(rec, all);
    if (!vh_record_span(r, &rec->about.origin, &last)) {
        return false;
    }
    w->lower = o->from_us ? vh_input_after(rec->about.origin, o->from_us) : 0;
    w->upper = vh_input_after(rec->about.origin, o->to_us);
    w->tail = SIZE_MAX;
    keep_wanted(w, all);
    if (!w->blocks->len || !look_at(w, 0, true)) {
        return false;
    }
    look_at(w, w->blocks->len - 1, false);
    w->to = last_time(w);
    return w->to > w->from && rec->axis.length;
}

/* There is nothing to be drawn; is that because of damage? */
static void find_damage(const Work *w, VhRecordReader *r)
{
    VhRecordItem item;

    vh_record_range(r, w->lower, w->upper);
    while (vh_record_next(r, &item)) {
    }
    w->rec->damage = g_strdup(vh_record_damage(r));
}

static void tell(VhHeatRecord *rec)
{
    rec->about.nr = rec->map->snapshots;
    rec->about.begin = rec->map->from;
    rec->about.end = rec->map->to;
    rec->about.total = rec->axis.length;
}

VhHeatRecord *vh_heat_record_read(const VhOptions *options,
                                  const VhHeatSize *size, GError **error)
{
    const char *path = vh_input_file(options);
    g_autoptr(VhRecordReader) r = vh_record_open(path, error);
    g_autoptr(VhProgress) progress = NULL;
    g_autofree char *what = g_strdup_printf("reading %s", path);
    VhHeatRecord *rec;
    Work w = { .size = size };

    if (!r) {
        return NULL;
    }
    rec = g_new0(VhHeatRecord, 1);
    rec->path = rec->about.path = path;
    vh_heat_axis_init(&rec->axis,
                      options->start == UINT64_MAX ? 0 : options->start,
                      options->end);
    w.rec = rec;
    w.progress = progress = vh_progress_new(what);
    if (prepare(&w, options, r)) {
        while (w.blocks->len && !read_once(&w)) {
        }
    }
    if (rec->map) {
        tell(rec);
    } else if (!rec->damage) {
        find_damage(&w, r);
    }
    g_clear_pointer(&w.blocks, g_array_unref);
    return rec;
}

void vh_heat_record_free(VhHeatRecord *rec)
{
    if (rec) {
        vh_heatmap_free(rec->map);
        vh_heat_axis_clear(&rec->axis);
        vh_about_clear(&rec->about);
        g_free(rec->damage);
        g_free(rec);
    }
}
