/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stats.h"

void vh_counters_init(VhCounters *c)
{
    *c = (VhCounters){};
    g_mutex_init(&c->lock);
}

void vh_counters_clear(VhCounters *c)
{
    g_mutex_clear(&c->lock);
}

void vh_counters_add(VhCounters *c, uint64_t *what, int n)
{
    g_mutex_lock(&c->lock);
    *what += n;
    g_mutex_unlock(&c->lock);
}

void vh_counters_read(VhCounters *c, VhStats *stats)
{
    g_mutex_lock(&c->lock);
    *stats = c->stats;
    g_mutex_unlock(&c->lock);
}

const char *vh_refusal_name(VhRefusal r)
{
    static const char *const names[] = {
        [VH_REFUSED_CLIENTS] = "clients", [VH_REFUSED_SLOW] = "slow",
        [VH_REFUSED_RATE] = "rate",       [VH_REFUSED_SIZE] = "size",
        [VH_REFUSED_HOST] = "host",       [VH_REFUSED_TOKEN] = "token",
    };

    return names[r];
}
