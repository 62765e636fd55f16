/* SPDX-License-Identifier: GPL-2.0-or-later */
/* <qemu:commandline>: arguments that libvirt hands through to QEMU. */
#include "qemu-args.h"

#include <string.h>

#include <json-glib/json-glib.h>

static bool is_arg(const xmlNode *node)
{
    return node->type == XML_ELEMENT_NODE && g_str_equal(node->name, "arg") &&
           node->ns && g_str_equal(node->ns->href, VH_NS_QEMU);
}

/* "/usr/lib/.../vmheat.so" or "file=/usr/lib/.../vmheat.so,x=y" */
static bool is_plugin(const char *value)
{
    g_auto(GStrv) parts = g_strsplit(value, ",", 2);
    const char *path = parts[0] ? parts[0] : "";
    g_autofree char *base =
        g_path_get_basename(g_str_has_prefix(path, "file=") ? path + 5 : path);

    return g_str_equal(base, "vmheat.so") || g_str_equal(base, "vmheat");
}

/* "vmheat,id=heat0", "driver=vmheat,..." or {"driver":"vmheat", ...} */
static bool is_device(const char *value)
{
    g_autoptr(JsonNode) json =
        *value == '{' ? json_from_string(value, NULL) : NULL;
    g_auto(GStrv) parts = g_strsplit(value, ",", -1);

    if (json && JSON_NODE_HOLDS_OBJECT(json)) {
        JsonNode *driver =
            json_object_get_member(json_node_get_object(json), "driver");

        return driver && json_node_get_value_type(driver) == G_TYPE_STRING &&
               g_str_equal(json_node_get_string(driver), "vmheat");
    }
    for (int i = 0; parts[i]; i++) {
        if (g_str_equal(parts[i], "driver=vmheat")) {
            return true;
        }
    }
    return parts[0] && g_str_equal(parts[0], "vmheat");
}

static void look_at(VhQemuArgs *out, xmlNode *word, xmlNode *node)
{
    g_autofree char *option = vh_xml_get(word, "value");
    g_autofree char *value = vh_xml_get(node, "value");
    const char *name = option ? option : "";

    name += g_str_has_prefix(name, "--");
    if (!value) {
        return;
    }
    if (g_str_equal(name, "-plugin") && is_plugin(value)) {
        out->nr_plugins++;
        out->plugin_word = word;
        out->plugin = node;
    }
    if (g_str_equal(name, "-device") && is_device(value)) {
        out->nr_devices++;
        out->device_word = word;
        out->device = node;
    }
}

static void look_in(VhQemuArgs *out, xmlNode *commandline)
{
    xmlNode *word = NULL;

    for (xmlNode *at = commandline->children; at; at = at->next) {
        if (is_arg(at)) {
            if (word) {
                look_at(out, word, at);
            }
            word = at;
        }
    }
}

VhQemuArgs vh_qemu_args_find(xmlNode *domain)
{
    VhQemuArgs out = {};

    for (xmlNode *at = domain->children; at; at = at->next) {
        if (at->type == XML_ELEMENT_NODE && at->ns &&
            g_str_equal(at->name, "commandline") &&
            g_str_equal(at->ns->href, VH_NS_QEMU)) {
            look_in(&out, at);
        }
    }
    return out;
}

static void add_arg(xmlNode *commandline, const char *value)
{
    xmlNode *arg =
        xmlNewChild(commandline, commandline->ns, (const xmlChar *)"arg", NULL);

    vh_xml_set(arg, "value", value);
}

/* A prefix that is not taken on the root element. */
static xmlNs *declare(xmlNode *domain)
{
    g_autofree char *prefix = g_strdup("qemu");

    while (xmlSearchNs(domain->doc, domain, (const xmlChar *)prefix)) {
        char *longer = g_strconcat(prefix, "_", NULL);

        g_free(prefix);
        prefix = longer;
    }
    return xmlNewNs(domain, (const xmlChar *)VH_NS_QEMU,
                    (const xmlChar *)prefix);
}

static xmlNode *make_commandline(xmlNode *domain, xmlNode *notes)
{
    xmlNs *ns =
        xmlSearchNsByHref(domain->doc, domain, (const xmlChar *)VH_NS_QEMU);

    if (!ns || !ns->prefix) {
        ns = declare(domain);
        vh_xml_set(notes, "namespace", "added");
    }
    vh_xml_set(notes, "commandline", "added");
    return xmlNewChild(domain, ns, (const xmlChar *)"commandline", NULL);
}

void vh_qemu_args_add(xmlNode *domain, xmlNode *notes, const char *plugin,
                      const char *device)
{
    xmlNode *commandline = vh_xml_child(domain, "commandline", VH_NS_QEMU);

    if (!commandline) {
        commandline = make_commandline(domain, notes);
    }
    add_arg(commandline, "-plugin");
    add_arg(commandline, plugin);
    add_arg(commandline, "-device");
    add_arg(commandline, device);
}

static bool uses_ns(xmlNode *node, const xmlNs *ns)
{
    if (node->type != XML_ELEMENT_NODE) {
        return false;
    }
    for (xmlAttr *a = node->properties; a; a = a->next) {
        if (a->ns == ns) {
            return true;
        }
    }
    for (xmlNode *at = node->children; at; at = at->next) {
        if (uses_ns(at, ns)) {
            return true;
        }
    }
    return node->ns == ns;
}

/* Of QEMU's, on the root element, if nothing needs it any more. */
static void undeclare(xmlNode *domain)
{
    for (xmlNs **at = &domain->nsDef; *at; at = &(*at)->next) {
        xmlNs *ns = *at;

        if (g_str_equal(ns->href, VH_NS_QEMU) && !uses_ns(domain, ns)) {
            *at = ns->next;
            xmlFreeNs(ns);
            return;
        }
    }
}

void vh_qemu_args_undo(xmlNode *domain, xmlNode *notes)
{
    VhQemuArgs args = vh_qemu_args_find(domain);
    xmlNode *nodes[] = { args.plugin_word, args.plugin, args.device_word,
                         args.device };
    xmlNode *commandline;

    for (unsigned i = 0; i < G_N_ELEMENTS(nodes); i++) {
        if (nodes[i]) {
            vh_xml_remove(nodes[i]);
        }
    }
    commandline = vh_xml_child(domain, "commandline", VH_NS_QEMU);
    if (commandline && vh_xml_is(notes, "commandline", "added") &&
        !vh_xml_has_children(commandline)) {
        vh_xml_remove(commandline);
    }
    if (vh_xml_is(notes, "namespace", "added")) {
        undeclare(domain);
    }
}
