/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A device tree comes from whoever gave QEMU -dtb, so nothing in it is
 * trusted. fdt_check_full() walks all of it first: after that every offset,
 * length and name libfdt returns is within the blob. Then three places tell of
 * memory, as the Devicetree Specification 0.4 has them:
 *
 *   /memory@… (or device_type "memory")   reg, numa-node-id
 *   /reserved-memory/…                    reg, no-map, reusable
 *   the memory reservation block          address and size
 *
 * Each of their entries becomes a Claim. Memory is sorted here, whatever its
 * order in the tree; two entries that overlap contradict each other and the
 * tree is refused. Reservations lie over memory, and over one another (tools
 * put the same range in both places): where several meet, the strongest counts.
 * sweep() cuts all claims at each other's edges and labels the pieces.
 *
 * What it cannot see: children of /reserved-memory without reg, which the guest
 * places where it likes (size and alloc-ranges). Nodes whose status is not
 * "okay" do not count.
 */
#include <inttypes.h>
#include <libfdt.h>
#include <string.h>

#include "fdt-map.h"

#define NAME_MAX_SHOWN 64

/* The specification's. In older ones names are paths, and fdt_check_full() of
 * libfdt 1.6.1 crashes where such a name has no '/'. */
#define VERSION_MIN 17

/* What one entry says. @name lies in the blob; NULL: the reservation block. */
typedef struct Claim {
    uint64_t start;
    uint64_t end;
    const char *name;
    int node;
    VmheatFdtHold hold;
} Claim;

typedef struct Parse {
    const void *fdt;
    GArray *memory;
    GArray *held;
    char **why;
} Parse;

/* A node whose 'reg' is read. */
typedef struct Node {
    int offset;
    const char *name;
    uint32_t address_cells;
    uint32_t size_cells;
    int numa;
    VmheatFdtHold hold;
} Node;

static bool G_GNUC_PRINTF(2, 3) fail(Parse *p, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    *p->why = g_strdup_vprintf(format, ap);
    va_end(ap);
    return false;
}

/* Names end up on terminals and in JSON. */
static char *clean_name(const char *name)
{
    char *clean = g_strndup(name, NAME_MAX_SHOWN);

    for (char *c = clean; *c; c++) {
        if (!g_ascii_isalnum(*c) && !strchr(",._+-@/", *c)) {
            *c = '?';
        }
    }
    return clean;
}

static bool fail_at(Parse *p, const char *name, const char *what)
{
    g_autofree char *clean = clean_name(name);

    return fail(p, "the device tree's node '%s' %s", clean, what);
}

static bool check_blob(Parse *p, size_t size)
{
    int e;

    if ((uintptr_t)p->fdt % 8) {
        return fail(p, "the device tree is at an address that is no multiple "
                       "of 8");
    }
    if (size >= FDT_V1_SIZE && fdt_magic(p->fdt) == FDT_MAGIC &&
        fdt_version(p->fdt) < VERSION_MIN) {
        return fail(p,
                    "the device tree has version %u: allowed are %d and "
                    "later",
                    fdt_version(p->fdt), VERSION_MIN);
    }
    e = fdt_check_full(p->fdt, size);
    if (e == -FDT_ERR_TRUNCATED &&
        (size < FDT_V1_SIZE || fdt_totalsize(p->fdt) > size)) {
        return fail(p,
                    "the device tree is cut off: there are only %zu bytes of "
                    "it",
                    size);
    }
    if (e == -FDT_ERR_BADMAGIC) {
        return fail(p, "the device tree begins with 0x%08x: allowed is 0x%08x",
                    fdt32_ld(p->fdt), FDT_MAGIC);
    }
    return !e || fail(p, "the device tree is malformed: libfdt says %s",
                      fdt_strerror(e));
}

/* #address-cells and #size-cells, for the children of @node. */
static bool read_cells(Parse *p, int node, const char *name, const char *prop,
                       uint32_t *cells)
{
    int length;
    const void *v = fdt_getprop(p->fdt, node, prop, &length);
    g_autofree char *what = NULL;

    if (!v) {
        return true; /* as it was */
    }
    if (length != 4) {
        what = g_strdup_printf("has a '%s' of %d bytes: allowed are 4", prop,
                               length);
        return fail_at(p, name, what);
    }
    *cells = fdt32_ld(v);
    if (*cells < 1 || *cells > 2) {
        what =
            g_strdup_printf("has '%s' %u: allowed are 1 and 2", prop, *cells);
        return fail_at(p, name, what);
    }
    return true;
}

/* Both, for children that begin with nothing but these. */
static bool read_both_cells(Parse *p, int node, const char *name, Node *child)
{
    child->address_cells = 2; /* the specification's defaults */
    child->size_cells = 1;
    return read_cells(p, node, name, "#address-cells", &child->address_cells) &&
           read_cells(p, node, name, "#size-cells", &child->size_cells);
}

static uint64_t cells_at(const fdt32_t *at, uint32_t cells)
{
    return cells == 1 ? fdt32_ld(at)
                      : (uint64_t)fdt32_ld(at) << 32 | fdt32_ld(at + 1);
}

static bool add_claim(Parse *p, const Claim *c, uint64_t size)
{
    GArray *to = c->hold == VMHEAT_FDT_FREE ? p->memory : p->held;
    g_autofree char *name = c->name ? clean_name(c->name) : NULL;
    Claim whole = *c;

    if (!size) {
        return true;
    }
    if (size > UINT64_MAX - c->start) {
        return fail(p,
                    "the device tree's '%s' has a range of 0x%" PRIx64
                    " bytes at 0x%" PRIx64 ", which ends beyond 64 bits",
                    name ?: "memreserve", size, c->start);
    }
    if (to->len == VMHEAT_FDT_ENTRIES_MAX) {
        return fail(p, "the device tree has more than %d ranges of %s",
                    VMHEAT_FDT_ENTRIES_MAX,
                    to == p->memory ? "memory" : "reserved memory");
    }
    whole.end = c->start + size;
    g_array_append_val(to, whole);
    return true;
}

static bool read_reg(Parse *p, const Node *n)
{
    size_t entry = (n->address_cells + n->size_cells) * sizeof(fdt32_t);
    Claim c = { .name = n->name, .node = n->numa, .hold = n->hold };
    int length;
    const fdt32_t *reg = fdt_getprop(p->fdt, n->offset, "reg", &length);

    if (!reg) {
        return n->hold != VMHEAT_FDT_FREE ||
               fail_at(p, n->name, "has no 'reg'");
    }
    if (length % entry) {
        g_autofree char *what = g_strdup_printf(
            "has a 'reg' of %d bytes: allowed are multiples of %zu", length,
            entry);

        return fail_at(p, n->name, what);
    }
    for (int done = 0; done < length; done += entry) {
        const fdt32_t *at = reg + done / sizeof(fdt32_t);

        c.start = cells_at(at, n->address_cells);
        if (!add_claim(p, &c, cells_at(at + n->address_cells, n->size_cells))) {
            return false;
        }
    }
    return true;
}

static bool has_text(Parse *p, int node, const char *prop, const char *text)
{
    int length;
    const char *v = fdt_getprop(p->fdt, node, prop, &length);

    return v && (size_t)length == strlen(text) + 1 && !memcmp(v, text, length);
}

static bool has(Parse *p, int node, const char *prop)
{
    return fdt_getprop(p->fdt, node, prop, NULL) != NULL;
}

static bool is_enabled(Parse *p, int node)
{
    return !has(p, node, "status") || has_text(p, node, "status", "okay") ||
           has_text(p, node, "status", "ok");
}

static bool is_memory(Parse *p, const Node *n)
{
    return g_str_equal(n->name, "memory") ||
           g_str_has_prefix(n->name, "memory@") ||
           has_text(p, n->offset, "device_type", "memory");
}

static bool read_numa(Parse *p, Node *n)
{
    int length;
    const void *v = fdt_getprop(p->fdt, n->offset, "numa-node-id", &length);
    g_autofree char *what = NULL;
    uint32_t id;

    n->numa = -1;
    if (!v) {
        return true;
    }
    if (length != 4) {
        what = g_strdup_printf(
            "has a 'numa-node-id' of %d bytes: allowed are 4", length);
        return fail_at(p, n->name, what);
    }
    id = fdt32_ld(v);
    if (id >= VMHEAT_FDT_NODES) {
        what = g_strdup_printf("has 'numa-node-id' %u: allowed are 0 .. %d", id,
                               VMHEAT_FDT_NODES - 1);
        return fail_at(p, n->name, what);
    }
    n->numa = id;
    return true;
}

static VmheatFdtHold hold_of(Parse *p, int node)
{
    return has(p, node, "no-map")     ? VMHEAT_FDT_NO_MAP
           : has(p, node, "reusable") ? VMHEAT_FDT_REUSABLE
                                      : VMHEAT_FDT_RESERVED;
}

static bool read_reserved(Parse *p, int parent)
{
    Node n = { .numa = -1 };
    int length = 0;

    if (!read_both_cells(p, parent, "reserved-memory", &n)) {
        return false;
    }
    fdt_getprop(p->fdt, parent, "ranges", &length);
    if (length > 0) {
        return fail_at(p, "reserved-memory",
                       "has a 'ranges' that translates addresses: allowed is "
                       "an empty one");
    }
    fdt_for_each_subnode(n.offset, p->fdt, parent)
    {
        n.name = fdt_get_name(p->fdt, n.offset, NULL);
        n.hold = hold_of(p, n.offset);
        if (is_enabled(p, n.offset) && !read_reg(p, &n)) {
            return false;
        }
    }
    return true;
}

static bool read_tree(Parse *p)
{
    Node n = { 0 };

    if (!read_both_cells(p, 0, "/", &n)) {
        return false;
    }
    fdt_for_each_subnode(n.offset, p->fdt, 0)
    {
        bool good = true;

        n.name = fdt_get_name(p->fdt, n.offset, NULL);
        if (!is_enabled(p, n.offset)) {
            continue;
        }
        if (g_str_equal(n.name, "reserved-memory")) {
            good = read_reserved(p, n.offset);
        } else if (is_memory(p, &n)) {
            good = read_numa(p, &n) && read_reg(p, &n);
        }
        if (!good) {
            return false;
        }
    }
    return true;
}

static bool read_memreserve(Parse *p)
{
    Claim c = { .node = -1, .hold = VMHEAT_FDT_MEMRESERVE };
    int n = fdt_num_mem_rsv(p->fdt); /* fdt_check_full() found its end */

    for (int i = 0; i < n; i++) {
        uint64_t size;

        int e = fdt_get_mem_rsv(p->fdt, i, &c.start, &size);

        if (e) {
            return fail(p,
                        "the device tree's memreserve block cannot be read: "
                        "libfdt says %s",
                        fdt_strerror(e));
        }
        if (!add_claim(p, &c, size)) {
            return false;
        }
    }
    return true;
}

static int by_start(const void *a, const void *b)
{
    const Claim *x = a, *y = b;

    return (x->start > y->start) - (x->start < y->start);
}

static bool memory_is_apart(Parse *p)
{
    for (guint i = 1; i < p->memory->len; i++) {
        const Claim *a = &g_array_index(p->memory, Claim, i - 1), *b = a + 1;
        g_autofree char *x = clean_name(a->name), *y = clean_name(b->name);

        if (b->start < a->end) {
            return fail(p,
                        "the device tree's memory nodes '%s' (0x%" PRIx64
                        " up to 0x%" PRIx64 ") and '%s' (0x%" PRIx64
                        " up to 0x%" PRIx64 ") overlap",
                        x, a->start, a->end, y, b->start, b->end);
        }
    }
    return true;
}

/* The strongest of the sorted @claims that hold @at; NULL: none does. */
static const Claim *strongest(const GArray *claims, uint64_t at)
{
    const Claim *best = NULL;

    for (guint i = 0; i < claims->len; i++) {
        const Claim *c = &g_array_index(claims, Claim, i);

        if (c->start > at) {
            break;
        }
        if (at < c->end && (!best || c->hold > best->hold)) {
            best = c;
        }
    }
    return best;
}

static void add_edges(GArray *edges, const GArray *claims)
{
    for (guint i = 0; i < claims->len; i++) {
        const Claim *c = &g_array_index(claims, Claim, i);

        g_array_append_val(edges, c->start);
        g_array_append_val(edges, c->end);
    }
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void clear_range(void *range)
{
    g_free(((VmheatFdtRange *)range)->name);
}

static void append_piece(GArray *out, uint64_t start, uint64_t end,
                         const Claim *memory, const Claim *held)
{
    VmheatFdtRange r = {
        .start = start,
        .end = end,
        .memory = memory != NULL,
        .node = memory ? memory->node : -1,
        .hold = held ? held->hold : VMHEAT_FDT_FREE,
        .name = held && held->name ? clean_name(held->name) : NULL,
    };

    g_array_append_val(out, r);
}

/* Between two edges that are neighbours every claim holds all or nothing. */
static GArray *sweep(const Parse *p)
{
    g_autoptr(GArray) edges = g_array_new(false, false, sizeof(uint64_t));
    GArray *out = g_array_new(false, false, sizeof(VmheatFdtRange));
    const Claim *last_memory = NULL, *last_held = NULL;

    g_array_set_clear_func(out, clear_range);
    add_edges(edges, p->memory);
    add_edges(edges, p->held);
    g_array_sort(edges, by_value);
    for (guint i = 1; i < edges->len; i++) {
        uint64_t at = g_array_index(edges, uint64_t, i - 1);
        uint64_t end = g_array_index(edges, uint64_t, i);
        const Claim *memory, *held;

        if (at == end) {
            continue;
        }
        memory = strongest(p->memory, at);
        held = strongest(p->held, at);
        if ((memory || held) && memory == last_memory && held == last_held) {
            g_array_index(out, VmheatFdtRange, out->len - 1).end = end;
        } else if (memory || held) {
            append_piece(out, at, end, memory, held);
        }
        last_memory = memory;
        last_held = held;
    }
    return out;
}

GArray *vmheat_fdt_ranges(const void *fdt, size_t size, char **why)
{
    g_autoptr(GArray) memory = g_array_new(false, false, sizeof(Claim));
    g_autoptr(GArray) held = g_array_new(false, false, sizeof(Claim));
    Parse p = { .fdt = fdt, .memory = memory, .held = held, .why = why };

    *why = NULL;
    if (!check_blob(&p, size) || !read_tree(&p) || !read_memreserve(&p)) {
        return NULL;
    }
    g_array_sort(memory, by_start);
    g_array_sort(held, by_start);
    return memory_is_apart(&p) ? sweep(&p) : NULL;
}

const char *vmheat_fdt_hold_name(VmheatFdtHold hold)
{
    static const char *const names[] = {
        [VMHEAT_FDT_MEMRESERVE] = "memreserve",
        [VMHEAT_FDT_REUSABLE] = "reusable",
        [VMHEAT_FDT_RESERVED] = "reserved-memory",
        [VMHEAT_FDT_NO_MAP] = "no-map",
    };

    return names[hold];
}
