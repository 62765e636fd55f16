/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_LIBVIRT_WISH_H
#define VMHEAT_TOOLS_LIBVIRT_WISH_H

#include "cli.h"
#include "client/libvirt-domain.h"

/**
 * struct VhWish - what "libvirt enable" shall give a domain
 * @plugin: path
 * @properties: of the device, "NAME=VALUE" each
 * @device: the same as an argument of "-device"
 * @file: to be written, or NULL
 * @schemes: what is written there
 */
typedef struct VhWish {
    const char *plugin;
    GPtrArray *properties;
    char *device;
    char *file, *schemes;
} VhWish;

/**
 * vh_wish_new() - make it of the options
 * @options: the options
 * @config: the domain
 * @why: set when NULL is returned: one sentence; g_free()
 *
 * Returns: free it.
 */
VhWish *vh_wish_new(const VhOptions *options, const VhDomainConfig *config,
                    char **why);

/**
 * vh_wish_free() - free it
 * @wish: it
 */
void vh_wish_free(VhWish *wish);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhWish, vh_wish_free)

/**
 * vh_wish_write() - write its file, if there is one
 * @wish: it
 * @why: set when false is returned: one sentence; g_free()
 */
bool vh_wish_write(const VhWish *wish, char **why);

/**
 * vh_wish_file() - where the schemes of recipes go
 * @config: the domain
 *
 * Returns: a path; free it.
 */
char *vh_wish_file(const VhDomainConfig *config);

#endif
