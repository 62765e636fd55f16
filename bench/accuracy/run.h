/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run: the real monitor, budget and estimator on a simulated guest.
 *
 * The clock is virtual: it jumps to the time at which the monitor wants to be
 * called again. All of chance comes from the seed, so a run can be repeated
 * to the byte, but for cpu_ns_per_tick, which is real time.
 */
#ifndef BENCH_ACCURACY_RUN_H
#define BENCH_ACCURACY_RUN_H

#include "options.h"
#include "vmheat/types.h"
#include "workload.h"

/**
 * struct Result - what came out; all are doubles, INFINITY is never, NAN none
 * @precision: median over the scoring times, as the next ones
 * @recall: see struct Score
 * @f1: by the rule in force
 * @f1_half: by RULE_HALF
 * @f1_rate: by RULE_RATE
 * @f1_best: see struct Score
 * @wss_error: see struct Score
 * @rate_error: see struct Score
 * @write_f1: F1 of what is hot by writes alone; NAN without --writes
 * @detect_ms: from a change of what is hot until F1 >= DETECTED, median over
 *             the changes, of which the start is one
 * @first_ms: first snapshot with precision and recall >= GOOD
 * @settled_ms: first snapshot from which on all are like that
 * @good_pct: share of such snapshots since the first
 * @checks_per_s: checks planned, those of pages left armed as well
 * @checks_share: checks planned, relative to those of DAMON, see table_run();
 *                NAN without
 * @arms_per_s: granules unmapped
 * @fires_per_s: faults of the guest
 * @unseen_per_s: those among them that no check asked about
 * @ticks_per_s: sampling intervals
 * @guest_pct: guest time taken, of one vCPU
 * @worker_pct: virtual CPU time of the worker, of one host core
 * @regions: of the last snapshot
 * @cpu_ns_per_tick: real CPU time of monitor, budget and estimator in a tick
 * @bytes: most memory that the estimator held
 * @size: of guest memory
 * @seconds: simulated
 */
typedef struct Result {
    double precision;
    double recall;
    double f1;
    double f1_half;
    double f1_rate;
    double f1_best;
    double wss_error;
    double rate_error;
    double write_f1;
    double detect_ms;
    double first_ms;
    double settled_ms;
    double good_pct;
    double checks_per_s;
    double checks_share;
    double arms_per_s;
    double fires_per_s;
    double unseen_per_s;
    double ticks_per_s;
    double guest_pct;
    double worker_pct;
    double regions;
    double cpu_ns_per_tick;
    double bytes;
    double size;
    double seconds;
} Result;

/* When something is found: both precision and recall, or F1. */
#define GOOD 0.95
#define DETECTED 0.9

/* The first scoring time and the time from one to the next, in ns. */
#define SCORE_FIRST_NS 2000000000ULL
#define SCORE_EACH_NS 1000000000ULL

/**
 * run_one() - run with @seed
 * @work: what the guest does, or NULL: o->pattern, made from the seed
 *
 * False and @why (g_free) when the options don't fit together.
 */
bool run_one(const Options *o, const Workload *work, uint64_t seed, Result *r,
             char **why);

/**
 * run_seeds() - run with o->seeds seeds; @r has room for as many
 *
 * Reads o->trace if there is one.
 */
bool run_seeds(const Options *o, Result *r, char **why);

/** run_attrs() - monitoring attributes in force */
VhAttrs run_attrs(const Options *o);

/** run_quantile() - of the Result member at @offset of @n runs */
double run_quantile(const Result *r, int n, size_t offset, double q);

#endif
