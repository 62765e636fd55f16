/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A primitive that watches a simulated guest; see sim-primitive.h. */
#include <glib.h>
#include <math.h>
#include <time.h>

#include "sim-primitive.h"

uint64_t sim_now(void *sim)
{
    return ((Sim *)sim)->now_ns;
}

uint64_t sim_cpu(void *sim)
{
    Sim *s = sim;

    s->cpu_ns += s->cost.tick / 2;
    return s->free ? 0 : s->cpu_ns;
}

uint64_t sim_real_cpu(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* For the begin and the end of what is the primitive's own work. */
static uint64_t stopwatch(const Sim *s)
{
    return s->measure ? sim_real_cpu() : 0;
}

/* Was the granule of @wire touched since it was last looked at? */
static bool touched(SimSensor *p, Wire *wire)
{
    Sim *s = p->sim;
    uint64_t start = (wire->key - 1) * s->granule;
    VhRange r = { start, MIN(start + s->granule, s->work->size) };
    double mean =
        workload_mean(s->work, r, wire->seen_ns, s->now_ns, p->writes);

    wire->seen_ns = s->now_ns;
    if (mean <= 0 || vh_rng_unit(&s->rng) >= -expm1(-mean)) {
        return false;
    }
    p->fires++;
    return true;
}

/* Is the granule armed, and still untouched? A wire that was touched is gone.
 */
static bool still_armed(SimSensor *p, uint64_t granule)
{
    Wire *wire = wires_find(&p->wires, granule);

    if (wire && touched(p, wire)) {
        wires_remove(&p->wires, wire);
        return false;
    }
    return wire != NULL;
}

static void *sim_open(const VhHost *host, char **why)
{
    return &((Sim *)host->opaque)->accesses;
}

static void *sim_open_writes(const VhHost *host, char **why)
{
    return &((Sim *)host->opaque)->writes;
}

static bool sim_set_map(void *p, VhMap *map, char **why)
{
    return true;
}

static void arm_one(SimSensor *p, VhCheck *c)
{
    Sim *s = p->sim;
    uint64_t granule = c->gpa / s->granule, before = p->fires;

    c->state = VH_CHECK_ARMED;
    c->granule = s->granule;
    c->present = !still_armed(p, granule);
    p->unseen += p->fires - before;
    if (!c->present) {
        p->stats.arms_free++;
        return;
    }
    wires_add(&p->wires, granule, s->now_ns);
    p->stats.arms++;
    p->stats.vcpu_ns += s->cost.arm;
}

static void sim_arm(void *opaque, VhCheck *checks, size_t n)
{
    SimSensor *p = opaque;
    uint64_t start = stopwatch(p->sim), before = p->stats.arms;

    for (size_t i = 0; i < n; i++) {
        arm_one(p, &checks[i]);
    }
    p->stats.vcpu_ns += p->stats.arms > before ? p->sim->cost.batch : 0;
    p->sim->cpu_ns += n * p->sim->cost.check / 2;
    p->sim->own_ns += stopwatch(p->sim) - start;
}

static void sim_collect(void *opaque, VhCheck *checks, size_t n)
{
    SimSensor *p = opaque;
    uint64_t start = stopwatch(p->sim);

    for (size_t i = 0; i < n; i++) {
        bool fired = !still_armed(p, checks[i].gpa / p->sim->granule);

        if (checks[i].state == VH_CHECK_ARMED) {
            checks[i].state = fired ? VH_CHECK_FIRED : VH_CHECK_SILENT;
            p->stats.fires += fired;
        }
    }
    if (!p->sim->persistent) {
        wires_clear(&p->wires); /* the monitor asks about all it armed */
    }
    p->sim->cpu_ns += n * p->sim->cost.check / 2;
    p->sim->own_ns += stopwatch(p->sim) - start;
}

static void sim_release(void *p)
{
}

static void sim_stats(void *opaque, VhPrimitiveStats *out)
{
    SimSensor *p = opaque;
    const SimCosts *cost = &p->sim->cost;

    *out = p->stats;
    if (p->sim->free) {
        out->vcpu_ns = 0;
        return;
    }
    out->arm_ns = cost->arm;
    out->arm_batch_ns = cost->batch;
    out->fire_ns = cost->fire;
}

#define SIM_OPS(name_, open_)                                                 \
    {                                                                         \
        .size = sizeof(VhPrimitiveOps), .version = VH_PRIMITIVE_VERSION,      \
        .name = name_, .open = open_, .set_map = sim_set_map, .arm = sim_arm, \
        .collect = sim_collect, .release = sim_release, .stats = sim_stats,   \
    }

const VhPrimitiveOps sim_primitive = SIM_OPS("simulated", sim_open);
const VhPrimitiveOps sim_write_primitive =
    SIM_OPS("simulated-writes", sim_open_writes);

void sim_begin(Sim *s, uint64_t seed)
{
    vh_rng_seed(&s->rng, seed);
    s->accesses = (SimSensor){ .sim = s };
    s->writes = (SimSensor){ .sim = s, .writes = true };
}

static void finish_sensor(SimSensor *p)
{
    for (size_t i = 0; i < p->wires.room; i++) {
        p->unseen += p->wires.v[i].key && touched(p, &p->wires.v[i]);
    }
    wires_clear(&p->wires);
}

void sim_finish(Sim *s)
{
    finish_sensor(&s->accesses);
    finish_sensor(&s->writes);
}

VhCaps sim_caps(const Sim *s, bool writes)
{
    return (VhCaps){ .sees = VH_SEES_WRITES | (writes ? 0 : VH_SEES_READS),
                     .granule = s->granule,
                     .persistent = s->persistent };
}

uint64_t sim_guest_ns(const Sim *s)
{
    return s->accesses.stats.vcpu_ns + s->writes.stats.vcpu_ns +
           (s->accesses.fires + s->writes.fires) * s->cost.fire;
}
