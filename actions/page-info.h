/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the page tables tell of pages, for filters.
 */
#ifndef VMHEAT_ACTIONS_PAGE_INFO_H
#define VMHEAT_ACTIONS_PAGE_INFO_H

#include "actions/young.h"

typedef struct VhPageInfo VhPageInfo;

/** vh_page_info_new() - never NULL; without /proc no page is huge; @host
 * outlives it */
VhPageInfo *vh_page_info_new(const VhHost *host);

/** vh_page_info_free() - frees it */
void vh_page_info_free(VhPageInfo *p);

/**
 * vh_page_info_young() - what tells which pages are young
 */
VhYoung *vh_page_info_young(VhPageInfo *p);

/**
 * vh_page_info() - VhSchemesEnv::page
 *
 * Present is what is in host memory, mapped or not. Huge is what is mapped by
 * huge pages, which is known only with PAGEMAP_SCAN; hugetlb pages are. Young:
 * see actions/young.h.
 */
VhIs vh_page_info(VhPageInfo *p, VhFilterType type, const VhMapSection *s,
                  uint64_t offset, uint64_t end, uint64_t *until);

#endif
