/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's HMP tables have a fixed size. "info" keeps its subcommands in a table
 * of its own that it points to, so that pointer is set to a copy with one more
 * entry. The copy lives as long as QEMU.
 */
#include "compat/qemu.h"
#include "monitor/hmp.h"
#include "monitor/tables.h"
#include "monitors.h"
#include "monitor/info.h"

static int by_name(const void *a, const void *b)
{
    return strcmp(((const HMPCommand *)a)->name, ((const HMPCommand *)b)->name);
}

void vmheat_hmp_install(void)
{
    HMPCommand *info = vmheat_hmp_find("info");
    HMPCommand *table;
    size_t n = 0;

    if (!info || !info->sub_table) {
        return;
    }
    while (info->sub_table[n].name) {
        n++;
    }
    table = g_new0(HMPCommand, n + 2);
    memcpy(table, info->sub_table, n * sizeof(*table));
    table[n] = (HMPCommand){
        .name = "vmheat",
        .args_type = "",
        .params = "",
        .help = "show guest memory access monitoring",
        .cmd = hmp_info_vmheat,
    };
    qsort(table, n + 1, sizeof(*table), by_name);
    info->sub_table = table;
}
