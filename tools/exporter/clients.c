/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is connected; theory of operation in clients.h. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "clients.h"

#define BUCKETS_MAX 4096

/* Requests that may be made, of an address. */
typedef struct Bucket {
    double left;
    gint64 at;
} Bucket;

struct VhConnection {
    int fd;
    char address[INET6_ADDRSTRLEN + 1];
    VhPhase phase;
    gint64 since;
    bool cut;
    GList link;
};

struct VhClients {
    GMutex lock;
    GQueue all;
    unsigned max;
    double rate;
    GHashTable *buckets; /* of "m" or "o" and an address */
    VhCounters *counters;
};

VhClients *vh_clients_new(unsigned max, unsigned rate, VhCounters *counters)
{
    VhClients *c = g_new0(VhClients, 1);

    *c = (VhClients){ .max = max, .rate = rate, .counters = counters };
    c->buckets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_mutex_init(&c->lock);
    g_queue_init(&c->all);
    return c;
}

void vh_clients_free(VhClients *c)
{
    g_hash_table_unref(c->buckets);
    g_mutex_clear(&c->lock);
    g_free(c);
}

static void cut(VhClients *c, VhConnection *n, VhRefusal why)
{
    if (!n->cut) {
        n->cut = true;
        shutdown(n->fd, SHUT_RDWR);
        vh_counters_add(c->counters, &c->counters->stats.refused[why], 1);
    }
}

static VhConnection *longest_waiting(VhClients *c)
{
    VhConnection *found = NULL;

    for (GList *l = c->all.head; l; l = l->next) {
        VhConnection *n = l->data;

        if (n->phase == VH_PHASE_WAIT && !n->cut &&
            (!found || n->since < found->since)) {
            found = n;
        }
    }
    return found;
}

static void set_address(VhConnection *n, const struct sockaddr *a)
{
    const void *at = NULL;

    if (a && a->sa_family == AF_INET) {
        at = &((const struct sockaddr_in *)a)->sin_addr;
    } else if (a && a->sa_family == AF_INET6) {
        at = &((const struct sockaddr_in6 *)a)->sin6_addr;
    }
    if (!at ||
        !inet_ntop(a->sa_family, at, n->address + 1, sizeof(n->address) - 1)) {
        strcpy(n->address + 1, "unix");
    }
}

VhConnection *vh_clients_come(VhClients *c, int fd,
                              const struct sockaddr *address, gint64 now)
{
    VhConnection *n = g_new0(VhConnection, 1);

    *n = (VhConnection){ .fd = fd, .since = now, .link.data = n };
    set_address(n, address);
    g_mutex_lock(&c->lock);
    g_queue_push_tail_link(&c->all, &n->link);
    if (c->all.length > c->max) {
        VhConnection *victim = longest_waiting(c);

        cut(c, victim ? victim : n, VH_REFUSED_CLIENTS);
    }
    g_mutex_unlock(&c->lock);
    vh_counters_add(c->counters, &c->counters->stats.clients, 1);
    return n;
}

void vh_clients_go(VhClients *c, VhConnection *n)
{
    g_mutex_lock(&c->lock);
    g_queue_unlink(&c->all, &n->link);
    g_mutex_unlock(&c->lock);
    g_free(n);
    vh_counters_add(c->counters, &c->counters->stats.clients, -1);
}

void vh_clients_phase(VhClients *c, VhConnection *n, VhPhase phase, gint64 now)
{
    g_mutex_lock(&c->lock);
    n->phase = phase;
    n->since = now;
    g_mutex_unlock(&c->lock);
}

static Bucket *bucket(VhClients *c, const char *key, gint64 now)
{
    Bucket *b = g_hash_table_lookup(c->buckets, key);

    if (!b) {
        if (g_hash_table_size(c->buckets) >= BUCKETS_MAX) {
            g_hash_table_remove_all(c->buckets);
        }
        b = g_new(Bucket, 1);
        *b = (Bucket){ 2 * c->rate, now };
        g_hash_table_insert(c->buckets, g_strdup(key), b);
    }
    return b;
}

bool vh_clients_may(VhClients *c, VhConnection *n, bool scrape, gint64 now)
{
    Bucket *b;
    bool may;

    g_mutex_lock(&c->lock);
    n->address[0] = scrape ? 'm' : 'o';
    b = bucket(c, n->address, now);
    b->left = MIN(b->left + c->rate * MAX(now - b->at, 0) / 1e6, 2 * c->rate);
    b->at = now;
    may = b->left >= 1;
    b->left -= may;
    g_mutex_unlock(&c->lock);
    return may;
}

static bool is_slow(const VhConnection *n, gint64 now)
{
    gint64 us = now - n->since;

    return (n->phase == VH_PHASE_WAIT && us > VH_WAIT_US) ||
           (n->phase == VH_PHASE_SERVE && us > VH_SERVE_US);
}

void vh_clients_sweep(VhClients *c, gint64 now)
{
    g_mutex_lock(&c->lock);
    for (GList *l = c->all.head; l; l = l->next) {
        VhConnection *n = l->data;

        if (is_slow(n, now)) {
            cut(c, n, VH_REFUSED_SLOW);
        }
    }
    g_mutex_unlock(&c->lock);
}
