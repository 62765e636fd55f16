/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A little of libxml2, as the files beside this need it. */
#include "xml.h"

#include <string.h>

#include <libxml/parser.h>
#include <libxml/xmlsave.h>

G_DEFINE_QUARK(vh - domain - xml - error - quark, vh_domain_xml_error)

static void set_broken(GError **error, const xmlError *e)
{
    g_autofree char *message = g_strdup(e && e->message ? e->message : "empty");

    g_strchomp(message);
    g_set_error(error, VH_DOMAIN_XML_ERROR, VH_DOMAIN_XML_ERROR_BROKEN,
                "the domain's XML cannot be read: line %d: %s", e ? e->line : 1,
                message);
}

/* Nothing but the text itself is read: no DTD, no entities, no network. */
xmlDoc *vh_xml_parse(const char *xml, bool blanks, GError **error)
{
    int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                  (blanks ? 0 : XML_PARSE_NOBLANKS);
    xmlParserCtxt *ctxt = xmlNewParserCtxt();
    xmlDoc *doc =
        xmlCtxtReadMemory(ctxt, xml, strlen(xml), "domain", NULL, options);
    xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;

    if (!ctxt->nsWellFormed) {
        root = NULL; /* libxml2 forgives an undeclared prefix */
    }
    if (!root) {
        set_broken(error, xmlCtxtGetLastError(ctxt));
    } else if (!g_str_equal(root->name, "domain") || root->ns) {
        g_set_error(error, VH_DOMAIN_XML_ERROR, VH_DOMAIN_XML_ERROR_BROKEN,
                    "the XML is of a '%s', not of a domain", root->name);
        root = NULL;
    }
    xmlFreeParserCtxt(ctxt);
    if (!root && doc) {
        xmlFreeDoc(doc);
    }
    return root ? doc : NULL;
}

char *vh_xml_text(xmlDoc *doc, bool format)
{
    xmlBuffer *buffer = xmlBufferCreate();
    xmlSaveCtxt *save = xmlSaveToBuffer(
        buffer, "UTF-8", XML_SAVE_NO_DECL | (format ? XML_SAVE_FORMAT : 0));
    char *text;

    xmlSaveDoc(save, doc);
    xmlSaveClose(save);
    text = g_strdup((const char *)xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    return text;
}

static bool is_element(const xmlNode *node, const char *name, const char *ns)
{
    return node->type == XML_ELEMENT_NODE && g_str_equal(node->name, name) &&
           g_strcmp0(node->ns ? (const char *)node->ns->href : NULL, ns) == 0;
}

xmlNode *vh_xml_child(xmlNode *node, const char *name, const char *ns)
{
    xmlNode *at = node ? node->children : NULL;

    while (at && !is_element(at, name, ns)) {
        at = at->next;
    }
    return at;
}

bool vh_xml_has_children(const xmlNode *node)
{
    return xmlChildElementCount((xmlNode *)node) > 0;
}

char *vh_xml_get(xmlNode *node, const char *name)
{
    xmlChar *value = node ? xmlGetNoNsProp(node, (const xmlChar *)name) : NULL;
    char *copy = g_strdup((const char *)value);

    xmlFree(value);
    return copy;
}

bool vh_xml_is(xmlNode *node, const char *name, const char *value)
{
    g_autofree char *real = vh_xml_get(node, name);

    return g_strcmp0(real, value) == 0;
}

void vh_xml_set(xmlNode *node, const char *name, const char *value)
{
    if (value) {
        xmlSetProp(node, (const xmlChar *)name, (const xmlChar *)value);
    } else {
        xmlUnsetProp(node, (const xmlChar *)name);
    }
}

void vh_xml_remove(xmlNode *node)
{
    xmlUnlinkNode(node);
    xmlFreeNode(node);
}

bool vh_xml_refuse(GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, VH_DOMAIN_XML_ERROR, VH_DOMAIN_XML_ERROR_REFUSED,
                        text);
    return false;
}
