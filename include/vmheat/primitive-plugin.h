/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How to write an access-check primitive of your own: a shared object that
 * QEMU loads with -device vmheat,primitive-plugin=FILE.
 *
 * Include this header alone, fill in a VhPrimitiveOps (see vmheat/primitive.h
 * for the contract and which thread calls what), and export one function:
 *
 *     const VhPrimitiveOps *vmheat_primitive_plugin(const VhPluginApi *api,
 *                                                   char **why);
 *
 * It returns the primitive, or NULL and a sentence in @why when it does not want
 * to be loaded by a vmheat of this version. Link with nothing of vmheat or QEMU.
 * Texts that the contract frees with g_free() come from malloc().
 *
 * docs/devel/primitive-plugin.md is a guide; tests/primitive-plugin/checksum.c
 * is a complete example in one file.
 */
#ifndef VMHEAT_PRIMITIVE_PLUGIN_H
#define VMHEAT_PRIMITIVE_PLUGIN_H

#include "vmheat/primitive.h"

/**
 * struct VhPluginApi - what vmheat offers a plugin
 * @size: sizeof(VhPluginApi) of the vmheat that loads the plugin
 * @version: VH_PRIMITIVE_VERSION of that vmheat; members are only appended
 * @map_ref: vh_map_ref()
 * @map_unref: vh_map_unref()
 * @map_find: vh_map_find()
 *
 * Lives as long as the process.
 */
typedef struct VhPluginApi {
    uint32_t size;
    uint32_t version;
    VhMap *(*map_ref)(VhMap *m);
    void (*map_unref)(VhMap *m);
    const VhMapSection *(*map_find)(const VhMap *m, uint64_t gpa);
} VhPluginApi;

/**
 * vmheat_primitive_plugin() - what a plugin defines
 * @api: of this vmheat
 * @why: out, with NULL: a sentence (from malloc)
 */
__attribute__((visibility("default"))) const VhPrimitiveOps *
vmheat_primitive_plugin(const VhPluginApi *api, char **why);

/** Name of the exported function. */
#define VH_PLUGIN_SYMBOL "vmheat_primitive_plugin"

/** Its type. */
typedef const VhPrimitiveOps *(*VhPluginEntry)(const VhPluginApi *api,
                                               char **why);

#endif
