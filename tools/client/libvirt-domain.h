/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_LIBVIRT_DOMAIN_H
#define VMHEAT_TOOLS_LIBVIRT_DOMAIN_H

#include <stdint.h>

#include "client.h"

/**
 * struct VhDomainConfig - what libvirt has of a domain
 * @name: its name
 * @uri: of the libvirt that has it
 * @xml: its persistent definition; NULL: it has none
 * @live_xml: of what runs; NULL: it does not
 * @capabilities: XML of the host; NULL: not asked for
 * @saved: it has a saved state, with the XML it was saved with
 * @ram: bytes of memory, at most
 */
typedef struct VhDomainConfig {
    char *name, *uri;
    char *xml, *live_xml, *capabilities;
    bool saved;
    uint64_t ram;
} VhDomainConfig;

/**
 * vh_domain_config_free() - free a configuration
 * @config: it
 */
void vh_domain_config_free(VhDomainConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhDomainConfig, vh_domain_config_free)

/**
 * enum VhDomainRead - what else to read of a domain
 * @VH_READ_SECRET: passwords, for vh_domain_config_define()
 * @VH_READ_CAPABILITIES: what the host has. The first time since its start
 *     libvirt tries each emulator there is, which takes half a second for each
 */
typedef enum VhDomainRead {
    VH_READ_SECRET = 1 << 0,
    VH_READ_CAPABILITIES = 1 << 1,
} VhDomainRead;

/**
 * vh_domain_config_read() - what libvirt has of a domain
 * @uri: NULL: libvirt's default
 * @domain: name, UUID or id
 * @what: VhDomainRead flags
 * @timeout_us: how long that may take
 * @error: reason of failure
 *
 * Returns: free it; NULL on error.
 */
VhDomainConfig *vh_domain_config_read(const char *uri, const char *domain,
                                      unsigned what, gint64 timeout_us,
                                      GError **error);

/**
 * vh_domain_config_define() - change the persistent definition of a domain
 * @uri: NULL: libvirt's default
 * @xml: of the domain
 * @timeout_us: how long that may take
 * @error: reason of failure
 */
bool vh_domain_config_define(const char *uri, const char *xml,
                             gint64 timeout_us, GError **error);

#endif
