/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NUMA nodes of the host, and which memory belongs on which.
 */
#ifndef VMHEAT_ACTIONS_NODES_H
#define VMHEAT_ACTIONS_NODES_H

#include "vmheat/action.h"

/**
 * vh_nodes_has() - is @node in a list as "0-1,3"?
 */
bool vh_nodes_has(const char *list, uint32_t node);

/**
 * vh_nodes_check() - can memory be moved to all of these?
 * @memory: nodes with memory, as a list
 * @allowed: nodes this process may use, as a list; NULL: all
 * @why: out, a sentence naming the node and those there are (g_free)
 */
bool vh_nodes_check(const VhActionArgs *args, const char *memory,
                    const char *allowed, char **why);

/**
 * vh_nodes_pick() - the node for the 2 MiB at @gpa
 *
 * Interleaves by the weights: of as many 2 MiB in a row as the sum of the
 * weights, each node gets its weight; the same ones each time.
 */
uint32_t vh_nodes_pick(const VhActionArgs *args, uint64_t gpa);

#endif
