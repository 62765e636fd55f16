/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_LIBVIRT_DOMAIN_XML_H
#define VMHEAT_TOOLS_LIBVIRT_DOMAIN_XML_H

#include <stdbool.h>
#include <glib.h>

/* The message of every error is one sentence, ready to be shown. */
#define VH_DOMAIN_XML_ERROR vh_domain_xml_error_quark()
GQuark vh_domain_xml_error_quark(void);

/**
 * enum VhDomainXmlError - what is wrong with a domain
 * @VH_DOMAIN_XML_ERROR_BROKEN: it is no XML, or not of a domain
 * @VH_DOMAIN_XML_ERROR_REFUSED: it cannot or may not be changed
 */
typedef enum VhDomainXmlError {
    VH_DOMAIN_XML_ERROR_BROKEN,
    VH_DOMAIN_XML_ERROR_REFUSED,
} VhDomainXmlError;

/**
 * enum VhHeatState - what a domain has of vmheat
 * @VH_HEAT_NONE: nothing
 * @VH_HEAT_ENABLED: what vh_domain_xml_enable() made
 * @VH_HEAT_BY_HAND: arguments of QEMU that somebody else wrote
 * @VH_HEAT_BROKEN: what it made was changed by hand
 */
typedef enum VhHeatState {
    VH_HEAT_NONE,
    VH_HEAT_ENABLED,
    VH_HEAT_BY_HAND,
    VH_HEAT_BROKEN,
} VhHeatState;

/**
 * struct VhDomainXml - what vh_domain_xml_show() finds
 * @state: what there is of vmheat
 * @plugin: argument of "-plugin", or NULL
 * @device: argument of "-device", or NULL
 * @private_reason: why guest memory is not shared; NULL: it is
 */
typedef struct VhDomainXml {
    VhHeatState state;
    char *plugin;
    char *device;
    char *private_reason;
} VhDomainXml;

/**
 * vh_domain_xml_show() - what a domain has of vmheat
 * @xml: of the domain
 * @error: reason of failure
 *
 * Returns: free it; NULL on error.
 */
VhDomainXml *vh_domain_xml_show(const char *xml, GError **error);

/**
 * vh_domain_xml_free() - free what was found
 * @x: it
 */
void vh_domain_xml_free(VhDomainXml *x);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhDomainXml, vh_domain_xml_free)

/**
 * vh_domain_xml_enable() - give a domain vmheat and shared memory
 * @xml: of the domain
 * @plugin: path of the plugin
 * @device: argument of "-device", begins with "vmheat"
 * @error: reason of failure
 *
 * What is added is noted in the domain's metadata. Of a domain that has it
 * already the arguments are replaced.
 *
 * Returns: XML; free it. NULL on error.
 */
char *vh_domain_xml_enable(const char *xml, const char *plugin,
                           const char *device, GError **error);

/**
 * vh_domain_xml_disable() - take back what vh_domain_xml_enable() did
 * @xml: of the domain
 * @error: reason of failure
 *
 * What was changed by others since stays.
 *
 * Returns: XML; free it. NULL on error.
 */
char *vh_domain_xml_disable(const char *xml, GError **error);

/**
 * vh_domain_xml_pretty() - indented evenly, to be compared by people
 * @xml: of the domain
 * @error: reason of failure
 *
 * Returns: XML; free it. NULL on error.
 */
char *vh_domain_xml_pretty(const char *xml, GError **error);

#endif
