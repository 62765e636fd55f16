/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_LIBVIRT_XML_H
#define VMHEAT_TOOLS_LIBVIRT_XML_H

#include <libxml/tree.h>

#include "domain-xml.h"

#define VH_NS_QEMU "http://libvirt.org/schemas/domain/qemu/1.0"
#define VH_NS_VMHEAT "urn:vmheat:libvirt:1"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

/**
 * vh_xml_parse() - read the XML of a domain
 * @xml: text
 * @blanks: keep blanks between elements
 * @error: reason of failure
 *
 * Returns: a document the root of which is <domain>, or NULL.
 */
xmlDoc *vh_xml_parse(const char *xml, bool blanks, GError **error);

/**
 * vh_xml_text() - write a document
 * @doc: the document
 * @format: indent it
 *
 * Returns: text; free it.
 */
char *vh_xml_text(xmlDoc *doc, bool format);

/**
 * vh_xml_child() - the first child element of a name
 * @node: the parent; NULL is fine
 * @name: the name
 * @ns: its namespace, or NULL
 */
xmlNode *vh_xml_child(xmlNode *node, const char *name, const char *ns);

/**
 * vh_xml_has_children() - is there any element in it?
 * @node: the parent
 */
bool vh_xml_has_children(const xmlNode *node);

/**
 * vh_xml_get() - the value of an attribute
 * @node: the element; NULL is fine
 * @name: of the attribute
 *
 * Returns: free it; NULL when there is none.
 */
char *vh_xml_get(xmlNode *node, const char *name);

/**
 * vh_xml_is() - has an attribute this value?
 * @node: the element; NULL is fine
 * @name: of the attribute
 * @value: the value; NULL: it is not there
 */
bool vh_xml_is(xmlNode *node, const char *name, const char *value);

/**
 * vh_xml_set() - set an attribute, or remove it
 * @node: the element
 * @name: of the attribute
 * @value: NULL: remove
 */
void vh_xml_set(xmlNode *node, const char *name, const char *value);

/**
 * vh_xml_remove() - take an element out and free it
 * @node: the element
 */
void vh_xml_remove(xmlNode *node);

/**
 * vh_xml_refuse() - set an error of VH_DOMAIN_XML_ERROR_REFUSED
 * @error: set
 * @format: as in printf()
 *
 * Returns: false.
 */
bool vh_xml_refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
