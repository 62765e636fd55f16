/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is cut off, and when; time is injected. */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clients.h"

#define S 1000000ll

typedef struct Pair {
    int ours, theirs;
    VhConnection *n;
} Pair;

static Pair come(VhClients *c, guint32 address, gint64 now)
{
    struct sockaddr_in in = { .sin_family = AF_INET,
                              .sin_addr.s_addr = address };
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds),
                    ==, 0);
    return (Pair){ fds[0], fds[1],
                   vh_clients_come(c, fds[0], (struct sockaddr *)&in, now) };
}

static bool is_cut(const Pair *p)
{
    char byte;

    return read(p->theirs, &byte, 1) == 0;
}

static void leave(VhClients *c, Pair *p)
{
    vh_clients_go(c, p->n);
    close(p->ours);
    close(p->theirs);
}

static void test_full(void)
{
    VhCounters counters;
    VhClients *c;
    Pair p[4];

    vh_counters_init(&counters);
    c = vh_clients_new(3, 10, &counters);
    for (int i = 0; i < 3; i++) {
        p[i] = come(c, 1, i * S);
    }
    /* the first is served, so the second waits for longest */
    vh_clients_phase(c, p[0].n, VH_PHASE_SERVE, 3 * S);
    p[3] = come(c, 2, 4 * S);
    g_assert_false(is_cut(&p[0]));
    g_assert_true(is_cut(&p[1]));
    g_assert_false(is_cut(&p[2]));
    g_assert_false(is_cut(&p[3]));
    g_assert_cmpuint(counters.stats.refused[VH_REFUSED_CLIENTS], ==, 1);
    g_assert_cmpuint(counters.stats.clients, ==, 4);
    for (int i = 0; i < 4; i++) {
        leave(c, &p[i]);
    }
    g_assert_cmpuint(counters.stats.clients, ==, 0);
    vh_clients_free(c);
    vh_counters_clear(&counters);
}

/* Nobody waits: the new one has to go. */
static void test_full_of_work(void)
{
    VhCounters counters;
    VhClients *c;
    Pair p[3];

    vh_counters_init(&counters);
    c = vh_clients_new(2, 10, &counters);
    for (int i = 0; i < 3; i++) {
        p[i] = come(c, 1, 0);
        g_assert_true(is_cut(&p[i]) == (i == 2));
        vh_clients_phase(c, p[i].n, i ? VH_PHASE_SERVE : VH_PHASE_EVENTS, 0);
    }
    for (int i = 0; i < 3; i++) {
        leave(c, &p[i]);
    }
    vh_clients_free(c);
    vh_counters_clear(&counters);
}

static void test_slow(void)
{
    VhCounters counters;
    VhClients *c;
    Pair p[3];

    vh_counters_init(&counters);
    c = vh_clients_new(10, 10, &counters);
    for (int i = 0; i < 3; i++) {
        p[i] = come(c, 1, 0);
        vh_clients_phase(c, p[i].n, i, 0);
    }
    vh_clients_sweep(c, VH_WAIT_US);
    g_assert_false(is_cut(&p[0]));
    vh_clients_sweep(c, VH_WAIT_US + 1);
    g_assert_true(is_cut(&p[0]));
    g_assert_false(is_cut(&p[1]));
    vh_clients_sweep(c, VH_SERVE_US + 1);
    g_assert_true(is_cut(&p[1]));
    vh_clients_sweep(c, 1000ll * VH_SERVE_US);
    g_assert_false(is_cut(&p[2])); /* events may last */
    g_assert_cmpuint(counters.stats.refused[VH_REFUSED_SLOW], ==, 2);
    for (int i = 0; i < 3; i++) {
        leave(c, &p[i]);
    }
    vh_clients_free(c);
    vh_counters_clear(&counters);
}

static unsigned count_allowed(VhClients *c, VhConnection *n, bool scrape,
                              gint64 now)
{
    unsigned n_ok = 0;

    while (vh_clients_may(c, n, scrape, now)) {
        n_ok++;
    }
    return n_ok;
}

static void test_rate(void)
{
    VhCounters counters;
    VhClients *c;
    Pair a, same, other;

    vh_counters_init(&counters);
    c = vh_clients_new(10, 5, &counters);
    a = come(c, 1, 0);
    same = come(c, 1, 0);
    other = come(c, 2, 0);
    g_assert_cmpuint(count_allowed(c, a.n, false, 0), ==, 10);
    g_assert_cmpuint(count_allowed(c, same.n, false, 0), ==, 0);
    g_assert_cmpuint(count_allowed(c, other.n, false, 0), ==, 10);
    g_assert_cmpuint(count_allowed(c, a.n, true, 0), ==, 10);
    g_assert_cmpuint(count_allowed(c, a.n, false, S), ==, 5);
    g_assert_cmpuint(count_allowed(c, a.n, false, 100 * S), ==, 10);
    leave(c, &a);
    leave(c, &same);
    leave(c, &other);
    vh_clients_free(c);
    vh_counters_clear(&counters);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/clients/full", test_full);
    g_test_add_func("/clients/full-of-work", test_full_of_work);
    g_test_add_func("/clients/slow", test_slow);
    g_test_add_func("/clients/rate", test_rate);
    return g_test_run();
}
