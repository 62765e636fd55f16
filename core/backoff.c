/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Back-off. Three things make a scheme leave the guest alone: an error of the
 * host (pass.c), memory that comes back soon after it was paged out, and memory
 * pressure on the host. The first time lasts a second, each further one twice
 * as long as the one before, at most 64 seconds; after a minute without, it is
 * a second again.
 *
 * The refault rate is that of the last minute: totals are kept once a second,
 * and now is compared with a minute ago. Less than 4 MiB applied in it say
 * nothing. So after one bad minute the scheme backs off again and again until
 * that minute is over: that is meant.
 */
#include <glib.h>
#include <inttypes.h>

#include "backoff.h"

#define SECOND_NS 1000000000ULL
#define MINUTE_NS (60 * SECOND_NS)
#define SPAN_MAX_NS (64 * SECOND_NS)
#define LEAST_APPLIED (4ULL << 20)

bool vh_backoff_active(const VhBackOffState *b, uint64_t now)
{
    return now < b->until_ns;
}

uint64_t vh_backoff_start(VhBackOffState *b, uint64_t now, char *why)
{
    bool again = b->span_ns && now < b->until_ns + MINUTE_NS;

    b->span_ns = again ? MIN(b->span_ns * 2, SPAN_MAX_NS) : SECOND_NS;
    b->until_ns = now + b->span_ns;
    g_free(b->reason);
    b->reason = why;
    return b->span_ns;
}

void vh_backoff_clear(VhBackOffState *b)
{
    g_clear_pointer(&b->reason, g_free);
}

void vh_backoff_end(VhBackOffState *b)
{
    b->until_ns = 0;
    b->span_ns = 0;
}

void vh_backoff_rebase(VhBackOffState *b)
{
    b->based = false;
}

static void count_refaults(VhBackOffState *b, size_t index,
                           const VhSchemesEnv *env, VhSchemeStats *stats)
{
    uint64_t total = env->refaults ? env->refaults(env->opaque, index) : 0;

    if (b->based) {
        /* it began anew when it is less */
        stats->refaulted += total >= b->total ? total - b->total : total;
    }
    b->total = total;
    b->based = true;
}

static const VhBackOffSample *sample(const VhBackOffState *b, size_t i)
{
    return &b->ring[(b->first + i) % VH_BACKOFF_SAMPLES];
}

static void drop_oldest(VhBackOffState *b)
{
    b->first = (b->first + 1) % VH_BACKOFF_SAMPLES;
    b->nr--;
}

/* Adds a sample; the oldest then is the one of a minute ago. */
static void remember(VhBackOffState *b, const VhSchemeStats *stats,
                     uint64_t now)
{
    while (b->nr > 1 && sample(b, 1)->ns + MINUTE_NS <= now) {
        drop_oldest(b);
    }
    if (b->nr == VH_BACKOFF_SAMPLES) {
        drop_oldest(b);
    }
    b->ring[(b->first + b->nr++) % VH_BACKOFF_SAMPLES] = (VhBackOffSample){
        .ns = now, .applied = stats->sz_applied, .refaulted = stats->refaulted
    };
}

static char *why_refaults(const VhBackOffState *b, uint32_t allowed)
{
    const VhBackOffSample *old = sample(b, 0), *new = sample(b, b->nr - 1);
    uint64_t applied = new->applied - old->applied;
    uint64_t back = new->refaulted - old->refaulted, permille;

    if (!allowed || applied < LEAST_APPLIED) {
        return NULL;
    }
    permille = (unsigned __int128)back * 1000 / applied;
    if (permille <= allowed) {
        return NULL;
    }
    return g_strdup_printf(
        "for 1000 bytes paged out in the last minute %" PRIu64
        " came back; allowed are %" PRIu32,
        permille, allowed);
}

static char *why_psi(const VhSchemesEnv *env, uint32_t allowed)
{
    uint64_t psi;

    if (!allowed || !env->metric ||
        !env->metric(env->opaque, VH_METRIC_SOME_MEM_PSI, &psi) ||
        psi <= allowed) {
        return NULL;
    }
    return g_strdup_printf("memory pressure of the host is %" PRIu64 " of "
                           "10000; allowed are %" PRIu32,
                           psi, allowed);
}

char *vh_backoff_look(VhBackOffState *b, const VhScheme *s, size_t index,
                      const VhSchemesEnv *env, VhSchemeStats *stats,
                      uint64_t now)
{
    char *why;

    if (!s->action->counts_refaults || now < b->next_ns) {
        return NULL;
    }
    b->next_ns = now + SECOND_NS;
    count_refaults(b, index, env, stats);
    remember(b, stats, now);
    why = why_refaults(b, s->back_off.refault_permille);
    return why ? why : why_psi(env, s->back_off.psi);
}
