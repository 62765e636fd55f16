/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>
#include <stdlib.h>

#include "actions/nodes.h"

#define SPAN_SHIFT 21 /* 2 MiB, so that huge pages are on one node */

bool vh_nodes_has(const char *list, uint32_t node)
{
    while (g_ascii_isdigit(*list)) {
        char *end;
        uint64_t from = g_ascii_strtoull(list, &end, 10), to = from;

        if (*end == '-') {
            to = g_ascii_strtoull(end + 1, &end, 10);
        }
        if (node >= from && node <= to) {
            return true;
        }
        list = *end == ',' ? end + 1 : end;
    }
    return false;
}

bool vh_nodes_check(const VhActionArgs *args, const char *memory,
                    const char *allowed, char **why)
{
    for (size_t i = 0; i < args->nr_nodes; i++) {
        uint32_t node = args->nodes[i].node;

        if (!vh_nodes_has(memory, node)) {
            *why = g_strdup_printf("this host has no memory on NUMA node %u; "
                                   "it has nodes %s",
                                   node, memory);
            return false;
        }
        if (allowed && !vh_nodes_has(allowed, node)) {
            *why = g_strdup_printf("QEMU may not use memory of NUMA node %u, "
                                   "only of nodes %s (cpuset)",
                                   node, allowed);
            return false;
        }
    }
    return true;
}

uint32_t vh_nodes_pick(const VhActionArgs *args, uint64_t gpa)
{
    uint64_t sum = 0, at;

    for (size_t i = 0; i < args->nr_nodes; i++) {
        sum += args->nodes[i].weight;
    }
    at = sum ? (gpa >> SPAN_SHIFT) % sum : 0;
    for (size_t i = 0; i < args->nr_nodes; i++) {
        if (at < args->nodes[i].weight) {
            return args->nodes[i].node;
        }
        at -= args->nodes[i].weight;
    }
    return args->nodes[0].node;
}
