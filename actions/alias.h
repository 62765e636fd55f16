/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A second mapping of shared guest memory, that no vCPU knows.
 */
#ifndef VMHEAT_ACTIONS_ALIAS_H
#define VMHEAT_ACTIONS_ALIAS_H

#include "vmheat/map.h"

/**
 * struct VhAlias - the second mapping of the section worked on last
 * @asked: that section; NULL: none since it was closed
 * @section: the same, or NULL: it has no second mapping
 * @addr: where it begins
 */
typedef struct VhAlias {
    const VhMapSection *asked;
    const VhMapSection *section;
    uint8_t *addr;
} VhAlias;

/** vh_alias_proves_shared() - may pages of it be unmapped without loss? By what
 * QEMU says and by what /proc/self/maps shows (docs/design/safety.md). */
bool vh_alias_proves_shared(const VhMapSection *s);

/**
 * vh_alias_of() - is there a second mapping of @s? Made if there is none
 *
 * At an address that is as much aligned as the first, read-only, with nothing
 * mapped in it yet. False when @s is not proved shared or is locked, or there
 * is no room; that is found out once, until it is closed. That of another
 * section is closed.
 */
bool vh_alias_of(VhAlias *alias, const VhMapSection *s);

/**
 * vh_alias_show() - unmap pages of the first mapping, and map them in the
 * second
 * @offset: of the section
 * @size: at most VH_RESIDENT_PAGES
 * @bits: which pages, of vh_resident(); the others are not touched, so nothing
 *        comes back from swap and no hole is filled
 *
 * Returns where they are, for vh_alias_forget() afterwards, or NULL and errno
 * when the memory is locked. The guest may use it at any time.
 */
uint8_t *vh_alias_show(const VhAlias *alias, uint64_t offset, uint64_t size,
                       const uint64_t *bits);

/** vh_alias_conceal() - no CPU can access them in the second mapping; see above
 */
bool vh_alias_conceal(const VhAlias *alias, uint64_t offset, uint64_t size);

/** vh_alias_forget() - they are not mapped in the second mapping any more */
void vh_alias_forget(const VhAlias *alias, uint64_t offset, uint64_t size);

/** vh_alias_close() - unmap it; closing a closed one is no error */
void vh_alias_close(VhAlias *alias);

#endif
