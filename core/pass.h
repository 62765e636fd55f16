/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One scheme at work: what the engine's parts share. */
#ifndef CORE_PASS_H
#define CORE_PASS_H

#include <pthread.h>

#include "backoff.h"
#include "goals.h"
#include "quota.h"
#include "vmheat/scheme.h"
#include "watermarks.h"

/**
 * struct VhWalk - a pass over the regions of a snapshot
 * @snap: the snapshot; NULL: there is no pass
 * @i: region that is being looked at
 * @at: address of what comes next; below it everything was dealt with
 * @tried: something of region @i was tried
 * @applied: the action was applied to something of region @i
 * @ready_ns: nothing may be done before
 * @asked: section of which @suits tells; NULL: none
 * @suits: can the action be applied to it?
 * @aged: memory the action was tried on whose age is to be reset
 */
typedef struct VhWalk {
    VhSnapshot *snap;
    size_t i;
    uint64_t at;
    bool tried;
    bool applied;
    uint64_t ready_ns;
    const VhMapSection *asked;
    bool suits;
    VhRange aged;
} VhWalk;

/**
 * struct VhSchemeRun - a scheme in use
 * @s: the scheme; written under the engine's lock only
 * @index: in the engine's list
 * @state: the action's
 * @stats: counters
 * @charge: quota
 * @goals: of the quota
 * @watermarks: state of them
 * @off: back-off
 * @walk: the pass
 * @resume: where the next pass begins, if @resumes
 * @resumes: the last pass did not come to the end
 * @began: a pass began at @began_ns, and the apply interval counts from there
 * @began_ns: end of the snapshot the last pass looked at
 * @pub: what status tells (but @scheme); under the engine's lock
 * @pub_nr_goals: length of goal_current in @pub; under the engine's lock
 */
typedef struct VhSchemeRun {
    VhScheme s;
    size_t index;
    void *state;
    VhSchemeStats stats;
    VhCharge charge;
    VhGoals goals;
    VhWatermarkState watermarks;
    VhBackOffState off;
    VhWalk walk;
    uint64_t resume;
    bool resumes;
    bool began;
    uint64_t began_ns;
    VhSchemeStatus pub;
    size_t pub_nr_goals;
} VhSchemeRun;

/**
 * struct VhSchemes - the engine
 * @env: surroundings
 * @map: guest memory, or NULL
 * @next: scheme whose turn it is
 * @runs: the schemes; written under @lock only
 * @nr: how many; written under @lock only
 * @lock: held for copying only
 */
struct VhSchemes {
    VhSchemesEnv env;
    VhMap *map;
    size_t next;
    VhSchemeRun **runs;
    size_t nr;
    pthread_mutex_t lock;
};

/** vh_pass_running() - is there a pass? */
static inline bool vh_pass_running(const VhSchemeRun *r)
{
    return r->walk.snap != NULL;
}

/** vh_pass_begin() - begin a pass over @snap where the last one stopped */
void vh_pass_begin(VhSchemes *e, VhSchemeRun *r, VhSnapshot *snap,
                   uint64_t now);

/** vh_pass_step() - do one quantum; may end the pass */
void vh_pass_step(VhSchemes *e, VhSchemeRun *r);

/** vh_pass_stop() - end the pass; the next snapshot may begin one here */
void vh_pass_stop(VhSchemes *e, VhSchemeRun *r);

/** vh_pass_tell_age() - tell env->reset_age what was tried so far */
void vh_pass_tell_age(VhSchemes *e, VhSchemeRun *r);

/** vh_run_back_off() - leave the guest alone; takes @why */
void vh_run_back_off(VhSchemes *e, VhSchemeRun *r, char *why);

/** vh_run_state() - what the scheme is doing at @now */
VhSchemeState vh_run_state(const VhSchemeRun *r, uint64_t now);

/** vh_run_publish() - bring up to date what status tells, but tried regions */
void vh_run_publish(VhSchemes *e, VhSchemeRun *r);

/** vh_run_publish_tried() - regions of the pattern in @snap */
void vh_run_publish_tried(VhSchemes *e, VhSchemeRun *r, const VhSnapshot *snap);

#endif
