/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device trees for tests, made with libfdt's sequential write functions. They
 * have two #address-cells and two #size-cells where nothing else is said.
 */
#ifndef TESTS_UNIT_FDT_BUILD_H
#define TESTS_UNIT_FDT_BUILD_H

#include <glib.h>
#include <libfdt.h>
#include <stdint.h>
#include <string.h>

#define FDT_BUILD_BYTES (256u << 10)

#define FDT_DO(call) g_assert_cmpint(call, ==, 0)

/** fdt_begin() - up to before the first memory reservation; g_free() it */
static inline void *fdt_begin(void)
{
    void *fdt = g_malloc0(FDT_BUILD_BYTES);

    FDT_DO(fdt_create(fdt, FDT_BUILD_BYTES));
    return fdt;
}

/** fdt_root() - the reservations are over; the root node begins */
static inline void fdt_root(void *fdt)
{
    FDT_DO(fdt_finish_reservemap(fdt));
    FDT_DO(fdt_begin_node(fdt, ""));
    FDT_DO(fdt_property_u32(fdt, "#address-cells", 2));
    FDT_DO(fdt_property_u32(fdt, "#size-cells", 2));
}

/** fdt_reg() - property reg of @n numbers, each of two cells */
static inline void fdt_reg(void *fdt, const uint64_t *numbers, size_t n)
{
    g_autofree fdt64_t *cells = g_new(fdt64_t, n);

    for (size_t i = 0; i < n; i++) {
        cells[i] = cpu_to_fdt64(numbers[i]);
    }
    FDT_DO(fdt_property(fdt, "reg", cells, n * sizeof(*cells)));
}

/** fdt_node() - begin a node with one range, for fdt_end_node() */
static inline void fdt_node(void *fdt, const char *name, uint64_t start,
                            uint64_t size)
{
    FDT_DO(fdt_begin_node(fdt, name));
    fdt_reg(fdt, (uint64_t[]){ start, size }, 2);
}

/** fdt_memory() - a whole memory node; @node below 0: of no NUMA node */
static inline void fdt_memory(void *fdt, const char *name, uint64_t start,
                              uint64_t size, int64_t node)
{
    fdt_node(fdt, name, start, size);
    FDT_DO(fdt_property_string(fdt, "device_type", "memory"));
    if (node >= 0) {
        FDT_DO(fdt_property_u32(fdt, "numa-node-id", node));
    }
    FDT_DO(fdt_end_node(fdt));
}

/** fdt_begin_reserved() - begin /reserved-memory, as it should be */
static inline void fdt_begin_reserved(void *fdt)
{
    FDT_DO(fdt_begin_node(fdt, "reserved-memory"));
    FDT_DO(fdt_property_u32(fdt, "#address-cells", 2));
    FDT_DO(fdt_property_u32(fdt, "#size-cells", 2));
    FDT_DO(fdt_property(fdt, "ranges", NULL, 0));
}

/** fdt_reserved() - a whole child of it; @flag: "no-map", "reusable" or NULL */
static inline void fdt_reserved(void *fdt, const char *name, uint64_t start,
                                uint64_t size, const char *flag)
{
    fdt_node(fdt, name, start, size);
    if (flag) {
        FDT_DO(fdt_property(fdt, flag, NULL, 0));
    }
    FDT_DO(fdt_end_node(fdt));
}

/** fdt_end() - ends the root; returns the size of the blob */
static inline size_t fdt_end(void *fdt)
{
    FDT_DO(fdt_end_node(fdt));
    FDT_DO(fdt_finish(fdt));
    return fdt_totalsize(fdt);
}

#endif
