/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How right a snapshot is: it against the truth at one time.
 *
 * Theory of operation
 * -------------------
 * A page is hot when its true rate is at least a threshold (5 accesses a
 * second). A snapshot calls a region hot by a rule that was fixed before
 * anybody looked at the answer, see struct Judge. Everything counts by bytes.
 *
 * One figure is not like that: f1_best looks at the answer and takes that
 * threshold on the snapshot's rate which gives the best F1. No user could
 * choose it; it shows how much is lost to the threshold and how much to what
 * the estimator doesn't know. The study that vmheat began with counted so.
 */
#ifndef BENCH_ACCURACY_SCORE_H
#define BENCH_ACCURACY_SCORE_H

#include "vmheat/snapshot.h"
#include "workload.h"

/* Pages with at least this share of the hot rate count for rate_error. */
#define WARM_SHARE 0.1

/** enum Rule - when a region of a snapshot is called hot */
typedef enum Rule {
    RULE_DEFAULT, /* the estimator's own, see judge_of() */
    RULE_HALF,    /* 2 * nr_accesses >= max_nr_accesses */
    RULE_RATE,    /* its rate is at least the threshold of the truth */
} Rule;

/**
 * struct Judge - how to read the snapshots of an estimator
 * @estimator: its name
 * @rule: its rule: when a region is called hot
 * @rate: accesses a second and page of a region, of a snapshot whose checks
 *        waited for @interval_s; @writes: only those
 */
typedef struct Judge {
    const char *estimator;
    Rule rule;
    double (*rate)(const VhSnapshot *s, const VhSnapRegion *r,
                   double interval_s, bool writes);
} Judge;

/** judge_of() - that of @estimator, or that of classic */
const Judge *judge_of(const char *estimator);

/**
 * struct Exam - against what to score
 * @work: the truth
 * @judge: how to read the snapshot
 * @rule: when it calls a region hot; default: the judge's
 * @hot_hz: rate from which on a page is hot
 * @interval_s: time between two checks of a region
 * @now_ns: the time
 * @writes: look at writes only
 */
typedef struct Exam {
    const Workload *work;
    const Judge *judge;
    Rule rule;
    double hot_hz;
    double interval_s;
    uint64_t now_ns;
    bool writes;
} Exam;

/**
 * struct Score - the outcome
 * @precision: share of what is called hot that is; 1 when nothing is called
 *             hot and nothing is
 * @recall: share of what is hot that is called so; 1 when nothing is
 * @f1: their harmonic mean
 * @f1_best: see above
 * @wss_error: bytes called hot against bytes hot, relative; 1 when nothing is
 *             hot but something called so
 * @rate_error: median relative error of the rate of pages with at least
 *              WARM_SHARE of the threshold; NAN when there are none
 */
typedef struct Score {
    double precision;
    double recall;
    double f1;
    double f1_best;
    double wss_error;
    double rate_error;
} Score;

/** score() - of @s, which may be NULL: nothing is known */
Score score(const Exam *e, const VhSnapshot *s);

/** hot_bytes() - bytes that are hot at @now_ns */
uint64_t hot_bytes(const Exam *e);

/** hot_changed() - is any page hot now that was not before @now_ns, or vice
 *                  versa? */
bool hot_changed(const Exam *e);

#endif
