/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer's target for device trees; tests/fuzz/run-libfuzzer builds and runs
 * it. Each input is read twice, once in memory of its exact size for
 * AddressSanitizer, once right before a page that cannot be read, which is for
 * libfdt: the distribution's has no sanitizer in it. Both have to agree. What
 * is read is a map that could be; what is refused has one sentence.
 */
#include <libfdt.h>
#include <string.h>
#include <sys/mman.h>

#include "hw/fdt-map.h"

#define ROOM (1u << 20)

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most,
                               unsigned seed);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_sentence(const char *why)
{
    size_t n = why ? strlen(why) : 0;

    g_assert_cmpuint(n, >, 20);
    g_assert_true(why[n - 1] != '.');
    for (size_t i = 0; i < n; i++) {
        g_assert_true(g_ascii_isprint(why[i]));
    }
}

static void check_range(const VmheatFdtRange *r, uint64_t at)
{
    g_assert_cmpuint(r->start, >=, at);
    g_assert_cmpuint(r->end, >, r->start);
    g_assert_true(r->memory || r->hold != VMHEAT_FDT_FREE);
    g_assert_cmpint(r->node, >=, -1);
    g_assert_cmpint(r->node, <, r->memory ? VMHEAT_FDT_NODES : 0);
    g_assert_true(!r->name == (r->hold <= VMHEAT_FDT_MEMRESERVE));
    g_assert_true(!vmheat_fdt_hold_name(r->hold) == !r->hold);
    for (const char *c = r->name ?: ""; *c; c++) {
        g_assert_true(g_ascii_isgraph(*c));
    }
}

static void check_map(const GArray *ranges)
{
    uint64_t at = 0;

    for (guint i = 0; i < ranges->len; i++) {
        const VmheatFdtRange *r = &g_array_index(ranges, VmheatFdtRange, i);

        check_range(r, at);
        at = r->end;
    }
}

static void check_same(const GArray *a, const GArray *b)
{
    g_assert_cmpuint(a->len, ==, b->len);
    for (guint i = 0; i < a->len; i++) {
        const VmheatFdtRange *x = &g_array_index(a, VmheatFdtRange, i);
        const VmheatFdtRange *y = &g_array_index(b, VmheatFdtRange, i);

        g_assert_cmpuint(x->start, ==, y->start);
        g_assert_cmpuint(x->end, ==, y->end);
        g_assert_cmpint(x->node, ==, y->node);
        g_assert_cmpint(x->hold, ==, y->hold);
        g_assert_cmpstr(x->name, ==, y->name);
    }
}

/* Memory before a page that cannot be read; stays for all inputs. */
static uint8_t *guarded(void)
{
    static uint8_t *room;

    if (!room) {
        room = mmap(NULL, ROOM + 4096, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        g_assert_true(room != MAP_FAILED);
        g_assert_cmpint(mprotect(room + ROOM, 4096, PROT_NONE), ==, 0);
    }
    return room + ROOM;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree uint8_t *exact = g_malloc(MAX(size, 1));
    uint8_t *end = guarded(), *at = end - ((size + 7) & ~7ul);
    g_autofree char *why = NULL, *why_again = NULL;
    GArray *ranges, *again;

    g_assert_cmpuint(size, <, ROOM);
    memcpy(exact, data, size);
    memcpy(at, data, size);
    ranges = vmheat_fdt_ranges(exact, size, &why);
    again = vmheat_fdt_ranges(at, size, &why_again);
    g_assert_cmpstr(why, ==, why_again);
    g_assert_true(!ranges == !again);
    if (!ranges) {
        check_sentence(why);
        return 0;
    }
    g_assert_null(why);
    check_map(ranges);
    check_same(ranges, again);
    g_array_unref(ranges);
    g_array_unref(again);
    return 0;
}

/* Most changes are to what is in the tree, not to what only says its size. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most,
                               unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, most);
    if (seed % 8 && size >= sizeof(struct fdt_header)) {
        fdt_set_magic(data, FDT_MAGIC);
        fdt_set_totalsize(data, size);
    }
    return size;
}
