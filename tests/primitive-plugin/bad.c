/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plugins that must be refused; -DBAD=... says which. */
#include <string.h>

#include "vmheat/primitive-plugin.h"

#define NO_SYMBOL 1
#define NEW_VERSION 2
#define SMALL 3
#define LARGE 4
#define NO_ARM 5
#define TAKEN_NAME 6
#define UNWILLING 7
#define NO_NAME 8

#if BAD != NO_SYMBOL
static bool probe(const VhMap *map, const VhHost *host, VhCaps *caps,
                  char **why)
{
    return true;
}

static void *open_(const VhHost *host, char **why)
{
    return NULL;
}

static bool set_map(void *p, VhMap *map, char **why)
{
    return true;
}

static void check(void *p, VhCheck *checks, size_t n)
{
}

static void release(void *p)
{
}

static void stats(void *p, VhPrimitiveStats *out)
{
}

const VhPrimitiveOps *vmheat_primitive_plugin(const VhPluginApi *api,
                                              char **why)
{
    static const VhPrimitiveOps ops = {
        .size = BAD == SMALL   ? 16
                : BAD == LARGE ? sizeof(VhPrimitiveOps) + 8
                               : sizeof(VhPrimitiveOps),
        .version = VH_PRIMITIVE_VERSION + (BAD == NEW_VERSION),
        .name = BAD == TAKEN_NAME ? "trap" : BAD == NO_NAME ? NULL : "bad",
        .summary = "bad",
        .probe = probe,
        .open = open_,
        .set_map = set_map,
        .arm = BAD == NO_ARM ? NULL : check,
        .collect = check,
        .release = release,
        .stats = stats,
    };

    if (BAD == UNWILLING) {
        *why = strdup("not on a Monday");
        return NULL;
    }
    return &ops;
}
#endif
