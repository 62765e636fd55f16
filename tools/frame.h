/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_FRAME_H
#define VMHEAT_TOOLS_FRAME_H

#include "model.h"
#include "page.h"

/**
 * struct VhFrame - what a picture of "top" shows
 * @socket: where from
 * @info: state, attributes, costs
 * @snap: regions
 * @taken_us: when @info was read, g_get_monotonic_time()
 * @before: stats of the picture before, NULL when this is the first
 * @before_us: when they were read
 * @news: last event, or NULL
 */
typedef struct VhFrame {
    const char *socket;
    const VhInfo *info;
    const VhSnapshot *snap;
    int64_t taken_us;
    const VhStatsInfo *before;
    int64_t before_us;
    const char *news;
} VhFrame;

/**
 * vh_frame_draw() - fill a page of the terminal's height
 * @page: an empty page
 * @frame: what to show
 */
void vh_frame_draw(VhPage *page, const VhFrame *frame);

#endif
