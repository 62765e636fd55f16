/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a machine was like before: its history (history/history.h), with a lock.
 * Any thread may call any of these.
 */
#ifndef VMHEAT_EXPORTER_PAST_H
#define VMHEAT_EXPORTER_PAST_H

#include "history/history.h"
#include "view.h"

typedef struct VhPast VhPast;

/**
 * vh_past_new() - nothing is known yet
 * @limits: how much to keep; of 0 seconds: nothing
 * @records: folder of records that tell what is older; NULL: none
 *
 * Returns: NULL when nothing is to be kept.
 */
VhPast *vh_past_new(const VhHistoryLimits *limits, const char *records);

/** vh_past_free() - NULL is fine */
void vh_past_free(VhPast *p);

/**
 * vh_past_add() - there is a new view
 * @p: of the machine; NULL: nothing is kept
 * @view: what it is like now
 * @host: it runs on
 *
 * Returns: whether it has a snapshot that was not there before.
 */
bool vh_past_add(VhPast *p, const VhView *view, const VhHost *host);

/**
 * vh_past_view() - what there is now
 * @p: of the machine; NULL: nothing is kept
 *
 * Returns: a reference; NULL: nothing is kept.
 */
VhHistoryView *vh_past_view(VhPast *p);

#endif
