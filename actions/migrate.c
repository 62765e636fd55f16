/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * migrate-hot and migrate-cold move memory to NUMA nodes of the host with
 * move_pages(2), on memory of this process, which needs no privilege. The two
 * differ in which regions come first; where they go is up to the scheme.
 *
 * A page that a vCPU has mapped is taken from KVM before it moves, each on its
 * own, and that stops the guest as paging out does (pageout.c). So shared
 * memory is moved through a second mapping: unmapped in one go, mapped again at
 * an address that no vCPU knows, and moved there. A page that the guest uses
 * meanwhile is mapped twice, and stays for this time. Private memory is moved
 * in small pieces with much time in between while the guest runs; a huge page
 * moves as one.
 *
 * Only pages that are in memory and on another node move. The kernel does not
 * move what is pinned, or mapped by another process (vhost-user). A memory
 * policy of the backend (host-nodes=, policy=bind) is not changed by this: new
 * pages still come from its nodes.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "actions/advise.h"
#include "actions/alias.h"
#include "actions/nodes.h"
#include "actions/pace.h"
#include "actions/registry.h"
#include "actions/resident.h"

#define SMALL_CHUNK (64ULL << 10)
#define MOVE (1 << 1) /* MPOL_MF_MOVE */
#define SYSFS "/sys/devices/system/node/has_memory"

typedef struct Migrate {
    const VhActionEnv *env;
    VhMap *map;
    VhAlias alias;
} Migrate;

/* Pages of one call. */
typedef struct Batch {
    unsigned n;
    void *addr[VH_RESIDENT_PAGES];
    int node[VH_RESIDENT_PAGES];
    int status[VH_RESIDENT_PAGES];
} Batch;

static long move_pages(Batch *b, const int *nodes)
{
    return syscall(SYS_move_pages, 0, (unsigned long)b->n, b->addr, nodes,
                   b->status, nodes ? MOVE : 0);
}

/* The list after "Mems_allowed_list:"; NULL: not known. */
static char *allowed_nodes(void)
{
    g_autofree char *text = NULL;
    const char *line;

    if (!g_file_get_contents("/proc/self/status", &text, NULL, NULL)) {
        return NULL;
    }
    line = strstr(text, "Mems_allowed_list:");
    if (!line) {
        return NULL;
    }
    line += strlen("Mems_allowed_list:");
    return g_strstrip(g_strndup(line, strcspn(line, "\n")));
}

static bool migrate_probe(const VhActionEnv *env, const VhActionArgs *args,
                          char **why)
{
    g_autofree char *memory = NULL, *allowed = allowed_nodes();

    if (syscall(SYS_move_pages, 0, 0UL, NULL, NULL, NULL, MOVE) < 0) {
        *why = g_strdup_printf("move_pages() does not work: %s%s",
                               g_strerror(errno),
                               errno == EPERM ? "; a sandbox forbids it (in a "
                                                "container: CAP_SYS_NICE)"
                                              : "");
        return false;
    }
    if (!g_file_get_contents(SYSFS, &memory, NULL, NULL)) {
        *why = g_strdup("this host has no NUMA nodes (" SYSFS ")");
        return false;
    }
    g_strstrip(memory);
    if (args->nr_nodes) {
        return vh_nodes_check(args, memory, allowed, why);
    }
    if (!strpbrk(memory, ",-")) {
        *why = g_strdup_printf("this host has one NUMA node with memory, %s",
                               memory);
        return false;
    }
    return true;
}

static void *migrate_open(const VhActionEnv *env)
{
    Migrate *m = g_new0(Migrate, 1);

    m->env = env;
    return m;
}

static void migrate_rest(void *a)
{
    Migrate *m = a;

    vh_alias_close(&m->alias);
}

static void migrate_set_map(void *a, VhMap *map)
{
    Migrate *m = a;

    migrate_rest(m);
    vh_map_unref(m->map);
    m->map = vh_map_ref(map);
}

static void migrate_close(void *a)
{
    migrate_set_map(a, NULL);
    g_free(a);
}

static void batch_of(Batch *b, uint8_t *addr, unsigned pages,
                     const uint64_t *bits, uint32_t node)
{
    b->n = 0;
    for (unsigned i = 0; i < pages; i++) {
        if (vh_resident_bit(bits, i)) {
            b->addr[b->n] = addr + i * VH_PAGE_SIZE;
            b->node[b->n++] = node;
        }
    }
}

/* Leaves only those that are on another node than theirs; false: not known. */
static bool keep_strangers(Batch *b)
{
    unsigned n = 0;

    if (b->n && move_pages(b, NULL) < 0) {
        return false;
    }
    for (unsigned i = 0; i < b->n; i++) {
        if (b->status[i] >= 0 && b->status[i] != b->node[i]) {
            b->addr[n] = b->addr[i];
            b->node[n++] = b->node[i];
        }
    }
    b->n = n;
    return true;
}

/* Pages that are on their node. */
static unsigned there(Batch *b)
{
    unsigned n = 0;

    if (b->n && move_pages(b, NULL) < 0) {
        return 0;
    }
    for (unsigned i = 0; i < b->n; i++) {
        n += b->status[i] == b->node[i];
    }
    return n;
}

/*
 * Pages that moved; @error: for reasons that may pass. Of a huge page, which
 * moves as one, the call says for all pages but the first that they are busy,
 * so it is asked again.
 */
static unsigned move(Batch *b, int *error)
{
    if (!b->n) {
        return 0;
    }
    if (move_pages(b, b->node) < 0) {
        *error = errno;
        return 0;
    }
    for (unsigned i = 0; i < b->n; i++) {
        if (b->status[i] == -ENOMEM) {
            *error = ENOMEM;
        }
    }
    return there(b);
}

static bool elsewhere(uint8_t *addr, uint32_t node)
{
    Batch b = { .n = 1, .addr = { addr } };

    return !move_pages(&b, NULL) && b.status[0] >= 0 &&
           b.status[0] != (int)node;
}

/* How many of the pages from @addr on are on @node. */
static unsigned run_on(uint8_t *addr, unsigned pages, uint32_t node)
{
    Batch b = { .n = pages };
    unsigned n = 0;

    for (unsigned i = 0; i < pages; i++) {
        b.addr[i] = addr + i * VH_PAGE_SIZE;
    }
    if (move_pages(&b, NULL) < 0) {
        return 0;
    }
    while (n < pages && b.status[n] == (int)node) {
        n++;
    }
    return n;
}

/*
 * Which pages are elsewhere can be asked of the first mapping only for those
 * that are mapped there. So all of a chunk goes to the second one; but only
 * when one of those mapped, or none of them, says that it may be worth it.
 */
static bool worth_it(Batch *b)
{
    unsigned known = 0, n = b->n;

    if (move_pages(b, NULL) < 0) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        if (b->status[i] >= 0) {
            known++;
            if (b->status[i] != b->node[i]) {
                return true;
            }
        }
    }
    return known < n;
}

static unsigned migrate_chunk(Migrate *m, const VhMapSection *s,
                              uint64_t offset, uint64_t size, uint32_t node,
                              int *error)
{
    uint64_t bits[VH_RESIDENT_WORDS];
    unsigned pages = size / VH_PAGE_SIZE, moved = 0;
    uint8_t *addr = s->hva + offset;
    Batch b;

    vh_resident(addr, pages, bits);
    batch_of(&b, addr, pages, bits, node);
    if (!b.n || !worth_it(&b)) {
        return 0;
    }
    if (m->alias.section == s) {
        addr = vh_alias_show(&m->alias, offset, size, bits);
        if (!addr) {
            return 0; /* locked */
        }
        batch_of(&b, addr, pages, bits, node);
    }
    if (keep_strangers(&b)) {
        moved = move(&b, error);
    }
    if (m->alias.section == s) {
        vh_alias_forget(&m->alias, offset, size);
    }
    return moved;
}

/*
 * A small chunk of private memory, and what moved along with it: the rest of a
 * huge page. Sets @r's size and what was applied.
 */
static void migrate_small(Migrate *m, const VhMapSection *s, uint64_t offset,
                          uint32_t node, VhApplied *r, int *error)
{
    uint64_t chunk = MIN(r->size, SMALL_CHUNK);
    uint8_t *next = s->hva + offset + chunk;
    unsigned rest = (r->size - chunk) / VH_PAGE_SIZE;
    bool whole = rest && elsewhere(next, node);
    unsigned moved = migrate_chunk(m, s, offset, chunk, node, error);

    r->size = chunk;
    if (moved && whole) {
        unsigned along = run_on(next, rest, node);

        moved += along;
        r->size += along * VH_PAGE_SIZE;
    }
    r->applied = moved * VH_PAGE_SIZE;
}

static VhApplied migrate_apply(void *a, const VhActionArgs *args,
                               const VhMapSection *s, uint64_t offset,
                               uint64_t size)
{
    Migrate *m = a;
    uint64_t start = vh_clock_now(&m->env->clock);
    bool shared = vh_alias_of(&m->alias, s);
    VhApplied r = { .size = vh_advise_chunk(s->hva + offset, size) };
    uint64_t gpa = s->gpa + offset;
    uint32_t node = vh_nodes_pick(args, gpa);
    int error = 0;

    /* All of it is of one 2 MiB of guest memory. */
    r.size = MIN(r.size, VH_HUGE_SIZE - gpa % VH_HUGE_SIZE);
    if (shared) {
        r.applied = migrate_chunk(m, s, offset, r.size, node, &error) *
                    VH_PAGE_SIZE;
    } else {
        migrate_small(m, s, offset, node, &r, &error);
    }
    r.error = vh_advise_passes(error) ? error : 0;
    r.spent_ns = vh_clock_now(&m->env->clock) - start;
    if (r.applied && m->env->kvm) {
        r.wait_ns = vh_pace_wait(m->env, r.spent_ns,
                                 shared ? VH_PACE_ALIAS : VH_PACE_EACH);
    }
    return r;
}

#define MIGRATE(word, order, first)                                      \
    {                                                                    \
        .name = word,                                                    \
        .summary = "move it to NUMA nodes of the host, " first " first", \
        .needs = "more than one NUMA node on the host", .prio = order,   \
        .takes_nodes = true, .probe = migrate_probe,                     \
        .suits = vh_advise_not_hugetlb, .open = migrate_open,            \
        .set_map = migrate_set_map, .apply = migrate_apply,              \
        .rest = migrate_rest, .close = migrate_close,                    \
    }

const VhActionOps vh_action_migrate_hot =
    MIGRATE("migrate-hot", VH_PRIO_HOT, "hottest");
const VhActionOps vh_action_migrate_cold =
    MIGRATE("migrate-cold", VH_PRIO_COLD, "coldest");
