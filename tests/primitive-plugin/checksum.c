/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Example of an access-check primitive in a shared object: a page was written
 * when its contents are other than before.
 *
 * arm notes a checksum of the page, collect compares. It needs nothing of the
 * kernel and works on any guest RAM, but it reads whole pages (so the host has
 * to have them in memory), and it does not see reads, nor writes that change
 * nothing.
 *
 * Build it like this:  cc -shared -fPIC -I include checksum.c -o checksum.so
 */
#include <stdlib.h>
#include <string.h>

#include "vmheat/primitive-plugin.h"

typedef struct Checksum {
    const VhPluginApi *api;
    const VhHost *host;
    VhMap *map;
    VhPrimitiveStats stats;
} Checksum;

/* The one thing open() is not given. Set once, before anything else runs. */
static const VhPluginApi *vmheat;

static bool probe(const VhMap *map, const VhHost *host, VhCaps *caps,
                  char **why)
{
    *caps = (VhCaps){ .sees = VH_SEES_WRITES | VH_SEES_DMA,
                      .granule = VH_PAGE_SIZE,
                      .blind = "reads, and writes that change nothing",
                      .cost_ns = 1000000 /* last resort for auto */ };
    if (!map->nr) {
        *why = strdup("the guest has no RAM");
        return false;
    }
    return true;
}

static void *open_(const VhHost *host, char **why)
{
    Checksum *c = calloc(1, sizeof(*c));

    if (!c) {
        *why = strdup("out of memory");
        return NULL;
    }
    c->api = vmheat;
    c->host = host;
    return c;
}

static bool set_map(void *p, VhMap *map, char **why)
{
    Checksum *c = p;

    c->api->map_ref(map);
    c->api->map_unref(c->map);
    c->map = map;
    return true;
}

/* FNV-1a over 64-bit words; false when the page is not in the map. */
static bool sum(const Checksum *c, uint64_t gpa, uint64_t *out)
{
    const VhMapSection *s = c->map ? c->api->map_find(c->map, gpa) : NULL;
    const volatile uint64_t *word =
        s ? (const volatile uint64_t *)(s->hva + (gpa - s->gpa)) : NULL;

    *out = 0xcbf29ce484222325;
    for (size_t i = 0; word && i < VH_PAGE_SIZE / sizeof(*word); i++) {
        *out = (*out ^ word[i]) * 0x100000001b3;
    }
    return word != NULL;
}

/* The checksum travels in the check itself. */
static void arm(void *p, VhCheck *checks, size_t n)
{
    Checksum *c = p;

    for (size_t i = 0; i < n; i++) {
        checks[i].granule = VH_PAGE_SIZE;
        checks[i].present = false;
        checks[i].state = sum(c, checks[i].gpa, &checks[i].reserved)
                              ? VH_CHECK_ARMED
                              : VH_CHECK_SKIPPED;
    }
    c->stats.arms_free += n;
}

static void collect(void *p, VhCheck *checks, size_t n)
{
    Checksum *c = p;

    for (size_t i = 0; i < n; i++) {
        uint64_t now;

        if (checks[i].state != VH_CHECK_ARMED) {
            continue;
        }
        if (!sum(c, checks[i].gpa, &now)) {
            checks[i].state = VH_CHECK_LOST;
            c->stats.lost++;
        } else if (now != checks[i].reserved) {
            checks[i].state = VH_CHECK_FIRED;
            c->stats.fires++;
        } else {
            checks[i].state = VH_CHECK_SILENT;
        }
        checks[i].reserved = 0;
    }
}

static void idle(void *p)
{
    Checksum *c = p;

    c->api->map_unref(c->map);
    c->map = NULL;
}

static void release(void *p)
{
    idle(p);
    free(p);
}

static void stats(void *p, VhPrimitiveStats *out)
{
    *out = ((Checksum *)p)->stats;
    out->detail = "compares checksums";
}

const VhPrimitiveOps *vmheat_primitive_plugin(const VhPluginApi *api,
                                              char **why)
{
    static const VhPrimitiveOps ops = {
        .size = sizeof(VhPrimitiveOps),
        .version = VH_PRIMITIVE_VERSION,
        .name = "checksum",
        .summary = "compares checksums of pages; sees writes",
        .probe = probe,
        .open = open_,
        .set_map = set_map,
        .arm = arm,
        .collect = collect,
        .idle = idle,
        .release = release,
        .stats = stats,
    };

    if (api->version < VH_PRIMITIVE_VERSION) {
        *why = strdup("this vmheat is too old for it");
        return NULL;
    }
    vmheat = api;
    return &ops;
}
