/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Giving back pages that hold nothing but zeroes.
 */
#ifndef VMHEAT_ACTIONS_ZEROES_H
#define VMHEAT_ACTIONS_ZEROES_H

#include "actions/alias.h"

/**
 * vh_zeroes_out() - page out the pages of 2 MiB that hold only zeroes
 * @alias: of the section, open; or closed, when its memory is private
 * @s: section
 * @offset: where in it; of an aligned 2 MiB of the address space
 *
 * Pages of a huge page stay; it has to be split before. Returns the bytes that
 * left memory; 0 without free swap.
 */
uint64_t vh_zeroes_out(const VhAlias *alias, const VhMapSection *s,
                       uint64_t offset);

#endif
