/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * libvirt does not know vmheat. What a domain needs of it are arguments that
 * libvirt hands through to QEMU (qemu-args.c), and shared memory
 * (memory-backing.c). What was added or changed for that is noted in the
 * domain's <metadata>, as attributes of an element in a namespace of our own:
 *
 *   <vmheat:enabled xmlns:vmheat='urn:vmheat:libvirt:1'
 *                   memoryBacking='added' source='added' access='added' .../>
 *
 * libvirt keeps that as it is. Disabling takes back what is noted, where it
 * still is as it was left, so what the user had before, or changed since,
 * stays. A domain without notes is not ours to change, whatever its arguments.
 *
 * Enabling what is enabled takes it back first. All is done on a tree of its
 * own: a refusal leaves nothing half done.
 */
#include "memory-backing.h"
#include "qemu-args.h"

#include <string.h>

static xmlNode *find_notes(xmlNode *domain)
{
    return vh_xml_child(vh_xml_child(domain, "metadata", NULL), "enabled",
                        VH_NS_VMHEAT);
}

/* Behind what libvirt has before it. */
static xmlNode *add_metadata(xmlNode *domain)
{
    static const char *const before[] = { "description", "title", "genid",
                                          "uuid", "name" };
    xmlNode *node = xmlNewNode(NULL, (const xmlChar *)"metadata");

    for (unsigned i = 0; i < G_N_ELEMENTS(before); i++) {
        xmlNode *at = vh_xml_child(domain, before[i], NULL);

        if (at) {
            return xmlAddNextSibling(at, node);
        }
    }
    return xmlAddChild(domain, node);
}

static xmlNode *add_notes(xmlNode *domain)
{
    xmlNode *metadata = vh_xml_child(domain, "metadata", NULL);
    bool added = !metadata;
    xmlNode *notes = xmlNewNode(NULL, (const xmlChar *)"enabled");

    if (added) {
        metadata = add_metadata(domain);
    }
    xmlAddChild(metadata, notes);
    xmlSetNs(notes, xmlNewNs(notes, (const xmlChar *)VH_NS_VMHEAT,
                             (const xmlChar *)"vmheat"));
    if (added) {
        vh_xml_set(notes, "metadata", "added");
    }
    return notes;
}

static void remove_notes(xmlNode *notes)
{
    xmlNode *metadata = notes->parent;
    bool added = vh_xml_is(notes, "metadata", "added");

    vh_xml_remove(notes);
    if (added && !vh_xml_has_children(metadata)) {
        vh_xml_remove(metadata);
    }
}

static VhHeatState state_of(xmlNode *domain, const VhQemuArgs *args)
{
    if (!find_notes(domain)) {
        return args->nr_plugins || args->nr_devices ? VH_HEAT_BY_HAND
                                                    : VH_HEAT_NONE;
    }
    return args->nr_plugins == 1 && args->nr_devices == 1 ? VH_HEAT_ENABLED
                                                          : VH_HEAT_BROKEN;
}

/* May it be changed? */
static bool check_args(xmlNode *domain, GError **error)
{
    VhQemuArgs args = vh_qemu_args_find(domain);
    g_autofree char *name = NULL;
    bool notes = find_notes(domain) != NULL;

    if (notes && (args.nr_plugins > 1 || args.nr_devices > 1)) {
        return vh_xml_refuse(error,
                             "the domain has a second vmheat that was added by "
                             "hand: remove its -plugin and -device from "
                             "<qemu:commandline> first ('virsh edit')");
    }
    if (!notes && (args.nr_plugins || args.nr_devices)) {
        name = vh_xml_get(args.device ? args.device : args.plugin, "value");
        return vh_xml_refuse(error,
                             "the domain has a vmheat that was added by hand "
                             "('%s'): remove its -plugin and -device from "
                             "<qemu:commandline> first ('virsh edit')",
                             name);
    }
    return true;
}

static bool check_kind(xmlNode *domain, GError **error)
{
    xmlNode *os = vh_xml_child(vh_xml_child(domain, "os", NULL), "type", NULL);
    g_autofree char *type = vh_xml_get(domain, "type");
    g_autofree char *arch = vh_xml_get(os, "arch");

    if (g_strcmp0(type, "kvm") && g_strcmp0(type, "qemu")) {
        return vh_xml_refuse(error,
                             "the domain is of type '%s'; vmheat works with "
                             "types 'kvm' and 'qemu'",
                             type ? type : "");
    }
    if (arch && !g_str_equal(arch, "x86_64")) {
        return vh_xml_refuse(error,
                             "the domain is an %s machine; vmheat works with "
                             "x86_64",
                             arch);
    }
    return true;
}

static void undo(xmlNode *domain)
{
    xmlNode *notes = find_notes(domain);

    if (notes) {
        vh_qemu_args_undo(domain, notes);
        vh_memory_backing_undo(domain, notes);
        remove_notes(notes);
    }
}

char *vh_domain_xml_enable(const char *xml, const char *plugin,
                           const char *device, GError **error)
{
    g_autoptr(xmlDoc) doc = vh_xml_parse(xml, true, error);
    xmlNode *domain = doc ? xmlDocGetRootElement(doc) : NULL;
    xmlNode *notes;

    if (!domain || !check_kind(domain, error) || !check_args(domain, error)) {
        return NULL;
    }
    undo(domain);
    notes = add_notes(domain);
    vh_memory_backing_share(domain, notes);
    vh_qemu_args_add(domain, notes, plugin, device);
    return vh_xml_text(doc, false);
}

char *vh_domain_xml_disable(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) doc = vh_xml_parse(xml, true, error);
    xmlNode *domain = doc ? xmlDocGetRootElement(doc) : NULL;

    if (!domain || !check_args(domain, error)) {
        return NULL;
    }
    undo(domain);
    return vh_xml_text(doc, false);
}

VhDomainXml *vh_domain_xml_show(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) doc = vh_xml_parse(xml, true, error);
    xmlNode *domain = doc ? xmlDocGetRootElement(doc) : NULL;
    VhDomainXml *x;
    VhQemuArgs args;

    if (!domain) {
        return NULL;
    }
    args = vh_qemu_args_find(domain);
    x = g_new0(VhDomainXml, 1);
    x->state = state_of(domain, &args);
    x->plugin = vh_xml_get(args.plugin, "value");
    x->device = vh_xml_get(args.device, "value");
    x->private_reason = vh_memory_backing_private(domain);
    return x;
}

void vh_domain_xml_free(VhDomainXml *x)
{
    g_free(x->plugin);
    g_free(x->device);
    g_free(x->private_reason);
    g_free(x);
}

char *vh_domain_xml_pretty(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) doc = vh_xml_parse(xml, false, error);

    return doc ? vh_xml_text(doc, true) : NULL;
}
