/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What hw/fdt-map.c makes of device trees, good and bad. Addresses are small,
 * so that a whole map is one line: [start,end) in hexadecimal, then "ram", the
 * node, why it is reserved and by what.
 */
#include <inttypes.h>

#include "fdt-build.h"
#include "hw/fdt-map.h"

static char *text_of(const GArray *ranges)
{
    GString *s = g_string_new(NULL);

    for (guint i = 0; i < ranges->len; i++) {
        const VmheatFdtRange *r = &g_array_index(ranges, VmheatFdtRange, i);

        g_string_append_printf(s, "%s[%" PRIx64 ",%" PRIx64 ")", i ? " " : "",
                               r->start, r->end);
        g_string_append(s, r->memory ? " ram" : "");
        if (r->node >= 0) {
            g_string_append_printf(s, " %d", r->node);
        }
        if (r->hold) {
            g_string_append_printf(s, " %s", vmheat_fdt_hold_name(r->hold));
        }
        if (r->name) {
            g_string_append_printf(s, " %s", r->name);
        }
    }
    return g_string_free(s, false);
}

/* Reads @size bytes of the blob, which it frees. */
static void expect_of(void *fdt, size_t size, const char *map, const char *why)
{
    g_autofree void *exact = g_memdup2(fdt, size);
    g_autofree char *got = NULL, *error = NULL;
    GArray *ranges = vmheat_fdt_ranges(exact, size, &error);

    g_free(fdt);
    g_assert_cmpstr(error, ==, why);
    g_assert_true(!ranges == !map);
    if (ranges) {
        got = text_of(ranges);
        g_assert_cmpstr(got, ==, map);
        g_array_unref(ranges);
    }
}

static void expect(void *fdt, const char *map)
{
    size_t size = fdt_end(fdt);

    expect_of(fdt, size, map, NULL);
}

static void refuse(void *fdt, const char *why)
{
    size_t size = fdt_end(fdt);

    expect_of(fdt, size, NULL, why);
}

static void *begin(void)
{
    void *fdt = fdt_begin();

    fdt_root(fdt);
    return fdt;
}

static void test_nothing(void)
{
    expect(begin(), "");
}

static void test_sorted(void)
{
    void *fdt = begin();

    fdt_memory(fdt, "memory@8000", 0x8000, 0x1000, 1);
    fdt_memory(fdt, "memory@4000", 0x4000, 0x4000, 0);
    fdt_memory(fdt, "memory-controller@1", 0x1, 0x1, -1); /* device_type */
    fdt_node(fdt, "memory-controller@2", 0x2, 0x1);
    FDT_DO(fdt_end_node(fdt));
    fdt_node(fdt, "memory", 0xa000, 0x1000);
    FDT_DO(fdt_end_node(fdt));
    expect(fdt, "[1,2) ram [4000,8000) ram 0 [8000,9000) ram 1 "
                "[a000,b000) ram");
}

/* One node of several ranges, and of nothing. */
static void test_many_ranges(void)
{
    void *fdt = begin();

    FDT_DO(fdt_begin_node(fdt, "memory@1000"));
    fdt_reg(fdt, (uint64_t[]){ 0x9000, 0x1000, 0x1000, 0x2000, 0x5000, 0 }, 6);
    FDT_DO(fdt_property_u32(fdt, "numa-node-id", 127));
    FDT_DO(fdt_end_node(fdt));
    expect(fdt, "[1000,3000) ram 127 [9000,a000) ram 127");
}

static void test_one_cell(void)
{
    const fdt32_t reg[] = { cpu_to_fdt32(0x80000000), cpu_to_fdt32(0x1000) };
    void *fdt = fdt_begin();

    FDT_DO(fdt_finish_reservemap(fdt));
    FDT_DO(fdt_begin_node(fdt, ""));
    FDT_DO(fdt_property_u32(fdt, "#address-cells", 1));
    FDT_DO(fdt_begin_node(fdt, "memory@80000000")); /* one #size-cells if
                                                       none is given */
    FDT_DO(fdt_property(fdt, "reg", reg, sizeof(reg)));
    FDT_DO(fdt_end_node(fdt));
    expect(fdt, "[80000000,80001000) ram");
}

/* /reserved-memory has cells of its own. */
static void test_cells_of_parent(void)
{
    const fdt32_t reg[] = { cpu_to_fdt32(0x2000), cpu_to_fdt32(0x1000) };
    void *fdt = begin();

    fdt_memory(fdt, "memory@1000", 0x1000, 0x4000, 0);
    FDT_DO(fdt_begin_node(fdt, "reserved-memory"));
    FDT_DO(fdt_property_u32(fdt, "#address-cells", 1));
    FDT_DO(fdt_property_u32(fdt, "#size-cells", 1));
    FDT_DO(fdt_begin_node(fdt, "fw@2000"));
    FDT_DO(fdt_property(fdt, "reg", reg, sizeof(reg)));
    FDT_DO(fdt_end_node(fdt));
    FDT_DO(fdt_end_node(fdt));
    expect(fdt, "[1000,2000) ram 0 [2000,3000) ram 0 reserved-memory fw@2000 "
                "[3000,5000) ram 0");
}

static void test_reserved(void)
{
    void *fdt = fdt_begin();

    FDT_DO(fdt_add_reservemap_entry(fdt, 0x1800, 0x100));
    FDT_DO(fdt_add_reservemap_entry(fdt, 0x9000, 0)); /* of no bytes */
    fdt_root(fdt);
    fdt_begin_reserved(fdt);
    fdt_reserved(fdt, "fw@2000", 0x2000, 0x1000, "no-map");
    fdt_reserved(fdt, "cma@4000", 0x4000, 0x1000, "reusable");
    fdt_reserved(fdt, "log@5000", 0x5000, 0x1000, NULL);
    fdt_reserved(fdt, "mmio@20000", 0x20000, 0x1000, "no-map");
    FDT_DO(fdt_end_node(fdt));
    fdt_memory(fdt, "memory@1000", 0x1000, 0x8000, 3);
    expect(fdt,
           "[1000,1800) ram 3 [1800,1900) ram 3 memreserve [1900,2000) ram 3 "
           "[2000,3000) ram 3 no-map fw@2000 [3000,4000) ram 3 "
           "[4000,5000) ram 3 reusable cma@4000 "
           "[5000,6000) ram 3 reserved-memory log@5000 [6000,9000) ram 3 "
           "[20000,21000) no-map mmio@20000");
}

/* The strongest reservation counts; one may lie over two memory nodes. */
static void test_reserved_overlap(void)
{
    void *fdt = fdt_begin();

    FDT_DO(fdt_add_reservemap_entry(fdt, 0x1000, 0x6000));
    fdt_root(fdt);
    fdt_memory(fdt, "memory@0", 0, 0x4000, 0);
    fdt_memory(fdt, "memory@4000", 0x4000, 0x4000, 1);
    fdt_begin_reserved(fdt);
    fdt_reserved(fdt, "a@2000", 0x2000, 0x3000, NULL);
    fdt_reserved(fdt, "b@2800", 0x2800, 0x800, "no-map");
    fdt_reserved(fdt, "c@2900", 0x2900, 0x100, "reusable");
    FDT_DO(fdt_end_node(fdt));
    expect(fdt, "[0,1000) ram 0 [1000,2000) ram 0 memreserve "
                "[2000,2800) ram 0 reserved-memory a@2000 "
                "[2800,3000) ram 0 no-map b@2800 "
                "[3000,4000) ram 0 reserved-memory a@2000 "
                "[4000,5000) ram 1 reserved-memory a@2000 "
                "[5000,7000) ram 1 memreserve [7000,8000) ram 1");
}

/* What the guest places itself is not known; what is off does not count. */
static void test_not_counted(void)
{
    void *fdt = begin();

    fdt_memory(fdt, "memory@0", 0, 0x4000, -1);
    fdt_node(fdt, "memory@8000", 0x8000, 0x1000);
    FDT_DO(fdt_property_string(fdt, "status", "disabled"));
    FDT_DO(fdt_end_node(fdt));
    fdt_node(fdt, "memory@9000", 0x9000, 0x1000);
    FDT_DO(fdt_property_string(fdt, "status", "okay"));
    FDT_DO(fdt_end_node(fdt));
    fdt_begin_reserved(fdt);
    FDT_DO(fdt_begin_node(fdt, "linux,cma"));
    FDT_DO(fdt_property_u64(fdt, "size", 0x1000));
    FDT_DO(fdt_end_node(fdt));
    fdt_node(fdt, "off@1000", 0x1000, 0x1000);
    FDT_DO(fdt_property_string(fdt, "status", "disabled"));
    FDT_DO(fdt_end_node(fdt));
    FDT_DO(fdt_end_node(fdt));
    expect(fdt, "[0,4000) ram [9000,a000) ram");
}

static void test_names(void)
{
    void *fdt = begin();

    fdt_begin_reserved(fdt);
    fdt_reserved(fdt, "a\033[31m\"\xff{", 0x1000, 0x1000, NULL);
    fdt_reserved(fdt,
                 "0123456789012345678901234567890123456789"
                 "0123456789012345678901234567890123456789",
                 0x2000, 0x1000, NULL);
    FDT_DO(fdt_end_node(fdt));
    expect(fdt, "[1000,2000) reserved-memory a??31m??? "
                "[2000,3000) reserved-memory 0123456789012345678901234567890123"
                "456789012345678901234567890123");
}

static void test_overlap(void)
{
    void *fdt = begin();

    fdt_memory(fdt, "memory@3fff", 0x3fff, 0x2000, 1);
    fdt_memory(fdt, "memory@1000", 0x1000, 0x3000, 0);
    refuse(fdt, "the device tree's memory nodes 'memory@1000' (0x1000 up to "
                "0x4000) and 'memory@3fff' (0x3fff up to 0x5fff) overlap");
}

static void test_numa_node(void)
{
    void *fdt = begin();

    fdt_memory(fdt, "memory@0", 0, 0x1000, 128);
    refuse(fdt, "the device tree's node 'memory@0' has 'numa-node-id' 128: "
                "allowed are 0 .. 127");
    fdt = begin();
    fdt_memory(fdt, "memory@0", 0, 0x1000, UINT32_MAX);
    refuse(fdt, "the device tree's node 'memory@0' has 'numa-node-id' "
                "4294967295: allowed are 0 .. 127");
    fdt = begin();
    fdt_node(fdt, "memory@0", 0, 0x1000);
    FDT_DO(fdt_property_u64(fdt, "numa-node-id", 0));
    FDT_DO(fdt_end_node(fdt));
    refuse(fdt, "the device tree's node 'memory@0' has a 'numa-node-id' of 8 "
                "bytes: allowed are 4");
}

static void test_cells(void)
{
    void *fdt;

    for (uint32_t cells = 0; cells < 5; cells += 3) {
        g_autofree char *why = g_strdup_printf(
            "the device tree's node '/' has '#address-cells' %u: allowed are "
            "1 and 2",
            cells);

        fdt = fdt_begin();
        FDT_DO(fdt_finish_reservemap(fdt));
        FDT_DO(fdt_begin_node(fdt, ""));
        FDT_DO(fdt_property_u32(fdt, "#address-cells", cells));
        refuse(fdt, why);
    }
    fdt = begin();
    FDT_DO(fdt_begin_node(fdt, "reserved-memory"));
    FDT_DO(fdt_property_u64(fdt, "#size-cells", 1));
    FDT_DO(fdt_end_node(fdt));
    refuse(fdt, "the device tree's node 'reserved-memory' has a '#size-cells' "
                "of 8 bytes: allowed are 4");
}

static void test_reg(void)
{
    void *fdt = begin();

    FDT_DO(fdt_begin_node(fdt, "memory@0"));
    fdt_reg(fdt, (uint64_t[]){ 0, 0x1000, 0x1000 }, 3);
    FDT_DO(fdt_end_node(fdt));
    refuse(fdt, "the device tree's node 'memory@0' has a 'reg' of 24 bytes: "
                "allowed are multiples of 16");
    fdt = begin();
    FDT_DO(fdt_begin_node(fdt, "memory@0"));
    FDT_DO(fdt_end_node(fdt));
    refuse(fdt, "the device tree's node 'memory@0' has no 'reg'");
    fdt = begin();
    fdt_memory(fdt, "memory@f000", 0xfffffffffffff000, 0x1000, 0);
    refuse(fdt, "the device tree's 'memory@f000' has a range of 0x1000 bytes "
                "at 0xfffffffffffff000, which ends beyond 64 bits");
    fdt = fdt_begin();
    FDT_DO(fdt_add_reservemap_entry(fdt, 1, UINT64_MAX));
    fdt_root(fdt);
    refuse(fdt, "the device tree's 'memreserve' has a range of "
                "0xffffffffffffffff bytes at 0x1, which ends beyond 64 bits");
}

static void test_ranges(void)
{
    void *fdt = begin();

    FDT_DO(fdt_begin_node(fdt, "reserved-memory"));
    FDT_DO(fdt_property_u32(fdt, "ranges", 0));
    FDT_DO(fdt_end_node(fdt));
    refuse(fdt, "the device tree's node 'reserved-memory' has a 'ranges' that "
                "translates addresses: allowed is an empty one");
}

static void test_too_many(void)
{
    for (unsigned n = VMHEAT_FDT_ENTRIES_MAX; n <= VMHEAT_FDT_ENTRIES_MAX + 1;
         n++) {
        g_autofree char *error = NULL;
        g_autoptr(GArray) ranges = NULL;
        void *fdt = fdt_begin();

        for (unsigned i = 0; i < n; i++) {
            FDT_DO(fdt_add_reservemap_entry(fdt, i * 0x2000, 0x1000));
        }
        fdt_root(fdt);
        ranges = vmheat_fdt_ranges(fdt, fdt_end(fdt), &error);
        g_free(fdt);
        g_assert_cmpstr(error, ==,
                        ranges ? NULL
                               : "the device tree has more than 1024 ranges of "
                                 "reserved memory");
        g_assert_true(!ranges == (n > VMHEAT_FDT_ENTRIES_MAX));
        g_assert_true(!ranges || ranges->len == n);
    }
}

static void test_magic(void)
{
    void *fdt = begin();
    size_t size = fdt_end(fdt);

    fdt_set_magic(fdt, 0x7f454c46);
    expect_of(fdt, size, NULL,
              "the device tree begins with 0x7f454c46: allowed is 0xd00dfeed");
}

/* libfdt 1.6.1 crashes at such a tree. */
static void test_old_version(void)
{
    void *fdt = begin();
    size_t size = fdt_end(fdt);

    fdt_set_version(fdt, 15);
    fdt_set_last_comp_version(fdt, 15);
    expect_of(fdt, size, NULL,
              "the device tree has version 15: allowed are 17 and later");
}

static void test_malformed(void)
{
    void *fdt = begin();
    size_t size = fdt_end(fdt);

    fdt_set_off_dt_struct(fdt, size + 4);
    expect_of(fdt, size, NULL,
              "the device tree is malformed: libfdt says FDT_ERR_TRUNCATED");
}

static void test_misplaced(void)
{
    g_autofree char *why = NULL;
    g_autofree uint8_t *fdt = fdt_begin();

    g_assert_null(vmheat_fdt_ranges(fdt + 4, 64, &why));
    g_assert_cmpstr(why, ==,
                    "the device tree is at an address that is no multiple of "
                    "8");
}

/* Cut off anywhere, it is refused, in memory of just that size. */
static void test_cut_off(void)
{
    void *fdt = begin();
    size_t size;

    fdt_memory(fdt, "memory@0", 0, 0x1000, 0);
    size = fdt_end(fdt);
    for (size_t n = 0; n < size; n++) {
        g_autofree char *why = g_strdup_printf(
            "the device tree is cut off: there are only %zu bytes of it", n);

        expect_of(g_memdup2(fdt, size), n, NULL, why);
    }
    g_free(fdt);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fdt-map/nothing", test_nothing);
    g_test_add_func("/fdt-map/sorted", test_sorted);
    g_test_add_func("/fdt-map/many-ranges", test_many_ranges);
    g_test_add_func("/fdt-map/one-cell", test_one_cell);
    g_test_add_func("/fdt-map/cells-of-parent", test_cells_of_parent);
    g_test_add_func("/fdt-map/reserved", test_reserved);
    g_test_add_func("/fdt-map/reserved-overlap", test_reserved_overlap);
    g_test_add_func("/fdt-map/not-counted", test_not_counted);
    g_test_add_func("/fdt-map/names", test_names);
    g_test_add_func("/fdt-map/overlap", test_overlap);
    g_test_add_func("/fdt-map/numa-node", test_numa_node);
    g_test_add_func("/fdt-map/cells", test_cells);
    g_test_add_func("/fdt-map/reg", test_reg);
    g_test_add_func("/fdt-map/ranges", test_ranges);
    g_test_add_func("/fdt-map/too-many", test_too_many);
    g_test_add_func("/fdt-map/magic", test_magic);
    g_test_add_func("/fdt-map/old-version", test_old_version);
    g_test_add_func("/fdt-map/malformed", test_malformed);
    g_test_add_func("/fdt-map/misplaced", test_misplaced);
    g_test_add_func("/fdt-map/cut-off", test_cut_off);
    return g_test_run();
}
