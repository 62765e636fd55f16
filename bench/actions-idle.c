/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast actions are on memory that nobody uses meanwhile, without QEMU and
 * without a guest: each on the same range as one plain call of the kernel that
 * does the same, in the same round; who comes first changes with each.
 *
 * One line of JSON for each action and backing, of the medians of all rounds.
 * What has no plain call (really splitting huge pages) has none. What cannot
 * run here is left out, with the reason on stderr.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "actions/advise.h"
#include "bench-memory.h"
#include "swap.h"

#define ROUNDS_MAX 99

typedef struct Bench {
    uint8_t *mem;
    uint64_t size;
    bool shared;
    VhMap *map;
    VhActionEnv env;
} Bench;

/* An action; how the range is made ready for it, and what it is held to. */
typedef struct Kind {
    const char *action;
    void (*prepare)(const Bench *b);
    int advice; /* of the plain call; 0: there is none */
} Kind;

typedef struct Rates {
    double action[ROUNDS_MAX], plain[ROUNDS_MAX], ratio[ROUNDS_MAX];
} Rates;

/* All of it in memory, of small pages, and mapped. */
static void small_pages(const Bench *b)
{
    madvise(b->mem, b->size, b->shared ? MADV_REMOVE : MADV_DONTNEED);
    madvise(b->mem, b->size, MADV_NOHUGEPAGE);
    bench_fill(b->mem, 0, b->size);
    madvise(b->mem, b->size, MADV_HUGEPAGE);
}

static void huge_pages(const Bench *b)
{
    small_pages(b);
    madvise(b->mem, b->size, MADV_COLLAPSE);
}

/* All of it in swap, and not mapped. */
static void in_swap(const Bench *b)
{
    small_pages(b);
    madvise(b->mem, b->size, MADV_PAGEOUT);
}

static const Kind kinds[] = {
    { "cold", small_pages, MADV_COLD },
    { "pageout", small_pages, MADV_PAGEOUT },
    { "willneed", in_swap, MADV_POPULATE_READ },
    { "collapse", small_pages, MADV_COLLAPSE },
    { "nohugepage", huge_pages, 0 },
};

static void apply(Bench *b, const Kind *k)
{
    const VhActionOps *ops = bench_action(k->action);
    const VhActionArgs none = { 0 };
    void *state = ops->open(&b->env);

    if (ops->set_map) {
        ops->set_map(state, b->map);
    }
    for (uint64_t done = 0; done < b->size;) {
        done += ops->apply(state, &none, &b->map->sections[0], done,
                           b->size - done)
                    .size;
    }
    if (ops->set_map) {
        ops->set_map(state, NULL);
    }
    ops->close(state);
}

static void plain(Bench *b, const Kind *k)
{
    madvise(b->mem, b->size, k->advice);
}

/* GiB/s */
static double rate(Bench *b, const Kind *k, void (*act)(Bench *, const Kind *))
{
    uint64_t start;

    k->prepare(b);
    start = bench_now_ns(NULL);
    act(b, k);
    return b->size * 1e9 / (bench_now_ns(NULL) - start) / (1 << 30);
}

static void round_of(Bench *b, const Kind *k, Rates *r, int i)
{
    for (int turn = 0; turn < 2; turn++) {
        if (turn == i % 2) {
            r->action[i] = rate(b, k, apply);
        } else if (k->advice) {
            r->plain[i] = rate(b, k, plain);
        }
    }
    r->ratio[i] = k->advice ? r->action[i] / r->plain[i] : 0;
}

static void print(const Bench *b, const Kind *k, Rates *r, int rounds, bool ok)
{
    printf("{\"action\": \"%s\", \"backing\": \"%s\", \"guest\": \"none\", "
           "\"gib_per_s\": %.3f, ",
           k->action, b->shared ? "shared" : "private",
           bench_median(r->action, rounds));
    if (k->advice) {
        printf("\"plain_gib_per_s\": %.3f, \"speed_ratio\": %.3f, ",
               bench_median(r->plain, rounds), bench_median(r->ratio, rounds));
    } else {
        printf("\"plain_gib_per_s\": null, \"speed_ratio\": null, ");
    }
    printf("\"guest_loss_pct\": null, \"checksum_ok\": %s}\n",
           ok ? "true" : "false");
    fflush(stdout);
}

static bool can_run(const Bench *b, const Kind *k)
{
    const VhActionOps *ops = bench_action(k->action);
    const VhActionArgs none = { 0 };
    g_autofree char *why = NULL;

    if (ops->probe(&b->env, &none, &why) &&
        (!ops->suits || ops->suits(&b->map->sections[0], &why))) {
        return true;
    }
    fprintf(stderr, "actions-idle: %s: %s\n", k->action, why);
    return false;
}

static bool run(bool shared, uint64_t size, int rounds)
{
    Bench b = { .mem = bench_memory(size, shared),
                .size = size,
                .shared = shared,
                .env = { .clock = { .now_ns = bench_now_ns } } };
    bool all = true;

    if (!b.mem) {
        fprintf(stderr, "actions-idle: no memory\n");
        exit(77);
    }
    b.map = bench_map(b.mem, size, shared);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        Rates r;
        bool ok;

        if (!can_run(&b, &kinds[i])) {
            continue;
        }
        for (int n = 0; n < rounds; n++) {
            round_of(&b, &kinds[i], &r, n);
        }
        ok = bench_intact(b.mem, 0, size);
        print(&b, &kinds[i], &r, rounds, ok);
        all = all && ok;
    }
    vh_map_unref(b.map);
    munmap(b.mem, size);
    return all;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 5;
    uint64_t size = (argc > 2 ? atoi(argv[2]) : 256) * MIB;
    const char *why;
    Swap swap;
    bool ok;

    if (rounds < 1 || rounds > ROUNDS_MAX || size < 2 * MIB ||
        size > 1024 * MIB || size % (2 * MIB)) {
        fprintf(stderr, "usage: actions-idle [ROUNDS [MIB]]\n");
        return 2;
    }
    if (!swap_start(&swap, 2 * size, &why)) {
        fprintf(stderr, "actions-idle: %s\n", why);
        return 77;
    }
    ok = run(true, size, rounds) & run(false, size, rounds);
    swap_stop(&swap);
    return !ok;
}
