/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A snapshot in one of many styles, for people or for programs. */
#ifndef VMHEAT_TOOLS_ACCESS_VIEW_H
#define VMHEAT_TOOLS_ACCESS_VIEW_H

#include "../table.h"

/** enum VhAccessStyle - what a snapshot is shown as; names in access-view.c */
typedef enum VhAccessStyle {
    VH_ACCESS_TABLE,
    VH_ACCESS_BOXES,
    VH_ACCESS_TEMPERATURE_HIST,
    VH_ACCESS_RECENCY_HIST,
    VH_ACCESS_RATE_HIST,
    VH_ACCESS_SIZE_HIST,
    VH_ACCESS_TEMPERATURE_PERCENTILES,
    VH_ACCESS_RECENCY_PERCENTILES,
} VhAccessStyle;

/** vh_access_style_parse() - a style by its name, or by damo's */
bool vh_access_style_parse(const char *name, VhAccessStyle *out);

/** vh_access_style_names() - what can be given, for a message */
const char *vh_access_style_names(void);

/**
 * struct VhAccessView - how to show a snapshot
 * @style: as what
 * @order: of its regions
 * @limit: no more regions than that, of that order
 * @raw: for programs
 */
typedef struct VhAccessView {
    VhAccessStyle style;
    VhOrder order;
    uint64_t limit;
    bool raw;
} VhAccessView;

/**
 * struct VhChosen - regions to be shown
 * @snap: what they are of
 * @regions: in their order
 * @nr: how many
 */
typedef struct VhChosen {
    const VhSnapshot *snap;
    const VhRegion **regions;
    size_t nr;
} VhChosen;

/**
 * vh_chosen_init() - the regions of a snapshot that a view shows
 * @c: filled in; free with vh_chosen_clear(), before @snap
 * @snap: the snapshot, filtered
 * @view: order and limit
 */
void vh_chosen_init(VhChosen *c, const VhSnapshot *snap,
                    const VhAccessView *view);

/** vh_chosen_clear() - free what it holds */
void vh_chosen_clear(VhChosen *c);

/** vh_chosen_bytes() - size of them all */
uint64_t vh_chosen_bytes(const VhChosen *c);

/**
 * vh_access_draw() - a snapshot for people, and how much of it is shown
 * @page: where to
 * @c: the regions; may be none
 * @view: how
 */
void vh_access_draw(VhPage *page, const VhChosen *c, const VhAccessView *view);

/**
 * vh_access_raw() - the same for programs
 * @out: where to: lines of numbers, a tab between two; lines that begin with #
 *       tell what they are
 * @c: the regions
 * @view: how
 */
void vh_access_raw(GString *out, const VhChosen *c, const VhAccessView *view);

/** vh_boxes_draw() - regions as boxes as long as they are old */
void vh_boxes_draw(VhPage *page, const VhChosen *c);

/**
 * vh_spread_draw() - how much memory (or how many regions) is like what
 * @page: where to
 * @c: the regions, at least one
 * @view: of a style that is neither table nor boxes
 */
void vh_spread_draw(VhPage *page, const VhChosen *c, const VhAccessView *view);

/** vh_spread_raw() - the same for programs */
void vh_spread_raw(GString *out, const VhChosen *c, const VhAccessView *view);

#endif
