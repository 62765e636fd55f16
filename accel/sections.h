/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What several primitives ask of a memory map.
 */
#ifndef VMHEAT_ACCEL_SECTIONS_H
#define VMHEAT_ACCEL_SECTIONS_H

#include "vmheat/map.h"

/**
 * vh_section_main() - the largest section of main memory; NULL without any RAM
 *
 * The RAMBlock with the lowest address is what the guest boots from; DIMMs come
 * above it, and may be larger.
 */
const VhMapSection *vh_section_main(const VhMap *map);

/**
 * vh_section_same() - the very same piece of memory in @map, or NULL
 *
 * At the very same address. @map may be NULL.
 */
const VhMapSection *vh_section_same(const VhMap *map, const VhMapSection *s);

#endif
