/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host says of its memory. */
#ifndef VMHEAT_EXPORTER_HOST_H
#define VMHEAT_EXPORTER_HOST_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define VH_HOST_FRESH_US G_USEC_PER_SEC

/**
 * struct VhHost - memory of the host, in bytes
 * @memory_total: RAM
 * @memory_available: that can be had without swapping
 * @swap_total: of all swap
 * @swap_used: of all swap
 * @has_compressed: there is zram that is swapped to, or zswap holds something
 * @original: bytes that zram and zswap hold
 * @stored: in how many bytes of RAM
 */
typedef struct VhHost {
    uint64_t memory_total, memory_available;
    uint64_t swap_total, swap_used;
    bool has_compressed;
    uint64_t original, stored;
} VhHost;

/**
 * struct VhHostCache - what was read last, for all threads
 * @root: "" for this host; a folder that has proc/ and sys/ in a test
 * @lock: of what follows
 * @read_us: when that was, g_get_monotonic_time(); 0: never
 * @host: what was read
 */
typedef struct VhHostCache {
    const char *root;
    GMutex lock;
    gint64 read_us;
    VhHost host;
} VhHostCache;

/** vh_host_cache_init() - nothing was read yet; @root must stay */
void vh_host_cache_init(VhHostCache *cache, const char *root);

/** vh_host_cache_clear() - free what it holds */
void vh_host_cache_clear(VhHostCache *cache);

/**
 * vh_host_latest() - what the kernel says, at most VH_HOST_FRESH_US ago
 * @cache: of the host; any thread
 * @host: set; what the kernel does not tell is 0
 *
 * A hundred machines need it as often as they are asked, and reading it takes
 * some 5 % of what asking one takes.
 */
void vh_host_latest(VhHostCache *cache, VhHost *host);

/**
 * vh_host_compressed() - what a compressed store keeps of memory paged out
 * @host: the host
 * @paged_out: bytes of a machine that are paged out
 *
 * The host does not tell whose pages are where, so a machine has its share: all
 * that is in swap is taken to be as well compressed.
 *
 * Returns: bytes of RAM.
 */
uint64_t vh_host_compressed(const VhHost *host, uint64_t paged_out);

#endif
