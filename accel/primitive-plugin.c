/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * What a plugin was compiled with is told by the first two members of its
 * VhPrimitiveOps. A version newer than ours may use members and structures we
 * do not have, so it is refused; an older one has a shorter VhPrimitiveOps, which
 * is copied into one of ours with the rest zero, that is, "not implemented".
 */
#include <dlfcn.h>
#include <glib.h>
#include <stddef.h>
#include <string.h>

#include "accel/primitive-plugin.h"
#include "vmheat/primitive-plugin.h"

/* The members that version 1 began with. */
#define SIZE_MIN offsetof(VhPrimitiveOps, covers)

static char *fault_in(const VhPrimitiveOps *ops)
{
    if (ops->version < 1 || ops->version > VH_PRIMITIVE_VERSION) {
        return g_strdup_printf("was made for version %u of the interface: this "
                               "vmheat knows 1 to %d",
                               ops->version, VH_PRIMITIVE_VERSION);
    }
    if (ops->size < SIZE_MIN || ops->size > sizeof(VhPrimitiveOps)) {
        return g_strdup_printf("has a VhPrimitiveOps of %u bytes: must be %zu "
                               "to %zu; rebuild it with this vmheat's headers",
                               ops->size, SIZE_MIN, sizeof(VhPrimitiveOps));
    }
    if (!ops->name || !*ops->name || !ops->summary) {
        return g_strdup("does not tell its name and summary");
    }
    if (g_str_equal(ops->name, "auto") || g_str_equal(ops->name, "none") ||
        vh_primitive_find(ops->name)) {
        return g_strdup_printf("calls itself '%s', which vmheat has already",
                               ops->name);
    }
    if (!ops->probe || !ops->open || !ops->set_map || !ops->arm ||
        !ops->collect || !ops->release || !ops->stats) {
        return g_strdup("lacks one of probe, open, set_map, arm, collect, "
                        "release and stats");
    }
    return NULL;
}

static const VhPrimitiveOps *enter(VhPluginEntry entry, char **why)
{
    static const VhPluginApi api = {
        .size = sizeof(VhPluginApi),
        .version = VH_PRIMITIVE_VERSION,
        .map_ref = vh_map_ref,
        .map_unref = vh_map_unref,
        .map_find = vh_map_find,
    };
    g_autofree char *refusal = NULL;
    const VhPrimitiveOps *ops = entry(&api, &refusal);

    if (!ops) {
        *why = g_strdup_printf("refuses: %s", refusal ?: "it does not say why");
    }
    return ops;
}

static VhPrimitiveOps *load(void *handle, char **why)
{
    VhPluginEntry entry = (VhPluginEntry)dlsym(handle, VH_PLUGIN_SYMBOL);
    const VhPrimitiveOps *ops;
    VhPrimitiveOps *copy;

    if (!entry) {
        *why = g_strdup("is no vmheat primitive: it has no function "
                        "'" VH_PLUGIN_SYMBOL "'");
        return NULL;
    }
    ops = enter(entry, why);
    if (!ops || (*why = fault_in(ops))) {
        return NULL;
    }
    copy = g_new0(VhPrimitiveOps, 1);
    memcpy(copy, ops, ops->size);
    return copy;
}

VhPrimitiveOps *vh_primitive_plugin_load(const char *path, char **why)
{
    /* without a slash dlopen() would search the library path */
    g_autofree char *file = g_canonicalize_filename(path, NULL);
    g_autofree char *fault = NULL;
    void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    VhPrimitiveOps *ops;

    if (!handle) {
        *why = g_strdup_printf("primitive-plugin '%s' cannot be loaded: %s",
                               path, dlerror());
        return NULL;
    }
    ops = load(handle, &fault);
    if (!ops) {
        *why = g_strdup_printf("primitive-plugin '%s' %s", path, fault);
        dlclose(handle);
    }
    return ops;
}
