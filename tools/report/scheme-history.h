/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What schemes did in the time of a record. */
#ifndef VMHEAT_TOOLS_SCHEME_HISTORY_H
#define VMHEAT_TOOLS_SCHEME_HISTORY_H

#include "../scheme-model.h"

/**
 * struct VhSchemePast - of a scheme
 * @name: of it
 * @action: of it
 * @state: at the end
 * @first: its counters when it was seen first
 * @last: the same of the last time
 * @did: what was counted in between, also when counters began anew
 * @first_ns: when that was
 * @last_ns: the same of the last time
 * @has_score: it has goals
 * @first_score: how near the best goal was, in 1/10000
 * @last_score: the same of the last time
 * @gone: it was removed in the end
 */
typedef struct VhSchemePast {
    char *name, *action, *state;
    VhSchemeCounters first, last, did;
    uint64_t first_ns, last_ns;
    bool has_score, gone;
    uint64_t first_score, last_score;
} VhSchemePast;

/**
 * struct VhHappening - what happened
 * @ns: when
 * @event: name of the event; "" when it was found by comparing
 * @scheme: its name; "" when it is not of a scheme
 * @text: what, in words
 */
typedef struct VhHappening {
    uint64_t ns;
    char *event, *scheme, *text;
} VhHappening;

/**
 * struct VhSchemeHistory - all of them
 * @from: what was before tells only where counters began, ns
 * @to: what was after is left out
 * @pasts: of VhSchemePast, in the order in which they were seen
 * @happenings: of VhHappening, in the order of the record
 * @blocks: how often schemes were asked for
 */
typedef struct VhSchemeHistory {
    uint64_t from, to;
    GArray *pasts;
    GArray *happenings;
    unsigned blocks;
} VhSchemeHistory;

/**
 * struct VhSchemeCounter - one of VhSchemeCounters
 * @name: as in QMP
 * @words: for people
 * @offset: in VhSchemeCounters
 * @unit: 'b' bytes, 't' ns, 0 times
 */
typedef struct VhSchemeCounter {
    const char *name, *words;
    size_t offset;
    char unit;
} VhSchemeCounter;

/** vh_scheme_counters() - all of them; the last one has no name */
const VhSchemeCounter *vh_scheme_counters(void);

/** vh_scheme_counter() - the value of one */
uint64_t vh_scheme_counter(const VhSchemeCounters *c,
                           const VhSchemeCounter *of);

/** vh_scheme_history_init() - nothing happened */
void vh_scheme_history_init(VhSchemeHistory *h, uint64_t from, uint64_t to);

/** vh_scheme_history_clear() - free what it holds */
void vh_scheme_history_clear(VhSchemeHistory *h);

/**
 * vh_scheme_history_schemes() - a block of type VH_RECORD_SCHEMES
 *
 * Returns: false when it is not what it should be; nothing was changed.
 */
bool vh_scheme_history_schemes(VhSchemeHistory *h, uint64_t ns,
                               const char *json);

/** vh_scheme_history_event() - a block of type VH_RECORD_EVENT; the same */
bool vh_scheme_history_event(VhSchemeHistory *h, uint64_t ns, const char *json);

#endif
