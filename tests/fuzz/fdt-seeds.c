/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fdt-seeds DIR: good device trees, for fuzz-fdt to begin with. */
#include <stdio.h>

#include "../unit/fdt-build.h"

static void seed_memory(void *fdt)
{
    fdt_root(fdt);
    fdt_memory(fdt, "memory@8000", 0x8000, 0x1000, 1);
    fdt_memory(fdt, "memory@4000", 0x4000, 0x4000, 0);
}

static void seed_reserved(void *fdt)
{
    FDT_DO(fdt_add_reservemap_entry(fdt, 0x1800, 0x100));
    FDT_DO(fdt_add_reservemap_entry(fdt, 0x4800, 0x1000));
    fdt_root(fdt);
    fdt_memory(fdt, "memory@1000", 0x1000, 0x8000, 3);
    fdt_begin_reserved(fdt);
    fdt_reserved(fdt, "fw@2000", 0x2000, 0x1000, "no-map");
    fdt_reserved(fdt, "cma@4000", 0x4000, 0x1000, "reusable");
    fdt_reserved(fdt, "log@4800", 0x4800, 0x1000, NULL);
    FDT_DO(fdt_end_node(fdt));
}

static void seed_odd(void *fdt)
{
    FDT_DO(fdt_finish_reservemap(fdt));
    FDT_DO(fdt_begin_node(fdt, ""));
    FDT_DO(fdt_begin_node(fdt, "memory"));
    FDT_DO(fdt_property_string(fdt, "status", "okay"));
    FDT_DO(fdt_property(fdt, "reg", "\0\0\0\0\100\0\0\0\10\0\0\0", 12));
    FDT_DO(fdt_end_node(fdt));
}

int main(int argc, char **argv)
{
    void (*const seeds[])(void *fdt) = { seed_memory, seed_reserved, seed_odd };

    for (size_t i = 0; argc == 2 && i < G_N_ELEMENTS(seeds); i++) {
        g_autofree char *path = g_strdup_printf("%s/seed-%zu", argv[1], i);
        g_autofree void *fdt = fdt_begin();

        seeds[i](fdt);
        if (!g_file_set_contents(path, fdt, fdt_end(fdt), NULL)) {
            fprintf(stderr, "'%s' cannot be written\n", path);
            return 1;
        }
    }
    return argc == 2 ? 0 : 2;
}
