/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of proc(5) and of zram: /proc/meminfo, /proc/swaps, and mm_stat of each
 * zram device that is swapped to. One that holds a filesystem keeps nothing of
 * a guest.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <glib.h>

#include "host.h"

static char *read_file(const char *root, const char *path)
{
    g_autofree char *name = g_strconcat(root, path, NULL);
    char *text = NULL;

    return g_file_get_contents(name, &text, NULL, NULL) ? text : NULL;
}

/* A line "NAME:  123 kB" of meminfo, in bytes. */
static uint64_t meminfo(const char *text, const char *name)
{
    size_t n = strlen(name);

    for (const char *p = text; p; p = strchr(p, '\n')) {
        p += *p == '\n';
        if (!strncmp(p, name, n) && p[n] == ':') {
            return g_ascii_strtoull(p + n + 1, NULL, 10) * 1024;
        }
    }
    return 0;
}

static void add_zram(const char *root, const char *device, VhHost *h)
{
    g_autofree char *path = g_strdup_printf("/sys/block/%s/mm_stat", device);
    g_autofree char *text = read_file(root, path);
    uint64_t original, compressed, used;

    if (text && sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64, &original,
                       &compressed, &used) == 3) {
        h->has_compressed = true;
        h->original += original;
        h->stored += used;
    }
}

static void add_zrams(const char *root, VhHost *h)
{
    g_autofree char *text = read_file(root, "/proc/swaps");
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

    for (char **l = lines; *l; l++) {
        size_t n = strcspn(*l, " \t");
        const char *at = g_str_has_prefix(*l, "/dev/") ? *l + 5 : NULL;

        (*l)[n] = 0;
        if (at && g_str_has_prefix(at, "zram") && !strchr(at, '/')) {
            add_zram(root, at, h);
        }
    }
}

static void read_host(const char *root, VhHost *host)
{
    g_autofree char *text = read_file(root, "/proc/meminfo");
    uint64_t zswapped = meminfo(text, "Zswapped");

    *host = (VhHost){ .memory_total = meminfo(text, "MemTotal"),
                      .memory_available = meminfo(text, "MemAvailable"),
                      .swap_total = meminfo(text, "SwapTotal"),
                      .has_compressed = zswapped > 0,
                      .original = zswapped,
                      .stored = zswapped ? meminfo(text, "Zswap") : 0 };
    host->swap_used =
        host->swap_total - MIN(meminfo(text, "SwapFree"), host->swap_total);
    add_zrams(root, host);
}

void vh_host_cache_init(VhHostCache *cache, const char *root)
{
    *cache = (VhHostCache){ .root = root };
    g_mutex_init(&cache->lock);
}

void vh_host_cache_clear(VhHostCache *cache)
{
    g_mutex_clear(&cache->lock);
}

void vh_host_latest(VhHostCache *cache, VhHost *host)
{
    gint64 now = g_get_monotonic_time();

    g_mutex_lock(&cache->lock);
    if (!cache->read_us || now - cache->read_us > VH_HOST_FRESH_US) {
        read_host(cache->root, &cache->host);
        cache->read_us = now;
    }
    *host = cache->host;
    g_mutex_unlock(&cache->lock);
}

uint64_t vh_host_compressed(const VhHost *host, uint64_t paged_out)
{
    double all = MAX(MAX(host->swap_used, host->original), paged_out);

    if (!host->has_compressed || all <= 0) {
        return 0;
    }
    return MIN(paged_out * (host->stored / all), paged_out);
}
