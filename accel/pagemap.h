/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages of this process are mapped, from /proc/self/pagemap.
 */
#ifndef VMHEAT_ACCEL_PAGEMAP_H
#define VMHEAT_ACCEL_PAGEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VH_PAGE_PRESENT (1u << 0)
#define VH_PAGE_HUGE (1u << 1) /* mapped by a PMD; only known with scan */

/**
 * struct VhPagemap - an open pagemap
 * @fd: of /proc/self/pagemap
 * @scan: the kernel has PAGEMAP_SCAN (Linux 6.7); tests may switch it off
 */
typedef struct VhPagemap {
    int fd;
    bool scan;
} VhPagemap;

/** vh_pagemap_open() - false and @why (g_free) when /proc is not to be had */
bool vh_pagemap_open(VhPagemap *pm, char **why);

/** vh_pagemap_close() - closes it */
void vh_pagemap_close(VhPagemap *pm);

/** vh_pagemap_query() - VH_PAGE_* bits of the page at @addr */
unsigned vh_pagemap_query(const VhPagemap *pm, const void *addr);

/** vh_pagemap_present() - is the page at @addr mapped? */
bool vh_pagemap_present(const VhPagemap *pm, const void *addr);

/** vh_pagemap_any_present() - is any page of [@addr, @addr + @len) mapped? */
bool vh_pagemap_any_present(const VhPagemap *pm, const void *addr, size_t len);

#endif
