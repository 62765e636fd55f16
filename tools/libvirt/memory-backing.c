/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * <memoryBacking>: shared guest memory.
 *
 * QEMU maps guest memory shared when it comes from a memfd, a file or huge
 * pages and its access is shared. A cell of NUMA may say otherwise for itself.
 * Each thing that is changed is noted as an attribute, with its old value or
 * "added", and taken back only where it still is as it was left.
 */
#include "memory-backing.h"

#define ADDED "added"

/* As libvirt has it: first of the elements that name the memory. */
static xmlNode *add_backing(xmlNode *domain)
{
    xmlNode *node = xmlNewNode(NULL, (const xmlChar *)"memoryBacking");
    xmlNode *before = vh_xml_child(domain, "currentMemory", NULL);

    if (!before) {
        before = vh_xml_child(domain, "memory", NULL);
    }
    return before ? xmlAddNextSibling(before, node) : xmlAddChild(domain, node);
}

/* Gives @parent a child with an attribute; notes what there was before. */
static void put(xmlNode *parent, const char *child, const char *attribute,
                const char *value, xmlNode *notes)
{
    xmlNode *node = vh_xml_child(parent, child, NULL);
    g_autofree char *old = vh_xml_get(node, attribute);

    if (!node) {
        node = xmlNewChild(parent, NULL, (const xmlChar *)child, NULL);
    }
    vh_xml_set(notes, child, old ? old : ADDED);
    vh_xml_set(node, attribute, value);
}

/* The opposite; leaves alone what is not @value any more. */
static void take(xmlNode *parent, const char *child, const char *attribute,
                 const char *value, xmlNode *notes)
{
    xmlNode *node = vh_xml_child(parent, child, NULL);
    g_autofree char *old = vh_xml_get(notes, child);

    if (!old || !vh_xml_is(node, attribute, value)) {
        return;
    }
    if (!g_str_equal(old, ADDED)) {
        vh_xml_set(node, attribute, old);
        return;
    }
    vh_xml_set(node, attribute, NULL);
    if (!node->properties && !vh_xml_has_children(node)) {
        vh_xml_remove(node);
    }
}

static bool can_be_shared(xmlNode *backing)
{
    xmlNode *source = vh_xml_child(backing, "source", NULL);

    return vh_xml_is(source, "type", "memfd") ||
           vh_xml_is(source, "type", "file") ||
           (vh_xml_child(backing, "hugepages", NULL) &&
            !vh_xml_is(source, "type", "anonymous"));
}

static bool is_access_shared(xmlNode *backing)
{
    return vh_xml_is(vh_xml_child(backing, "access", NULL), "mode", "shared");
}

static xmlNode *first_cell(xmlNode *domain)
{
    xmlNode *numa =
        vh_xml_child(vh_xml_child(domain, "cpu", NULL), "numa", NULL);

    return vh_xml_child(numa, "cell", NULL);
}

static xmlNode *next_cell(xmlNode *cell)
{
    do {
        cell = cell->next;
    } while (cell && !(cell->type == XML_ELEMENT_NODE &&
                       g_str_equal(cell->name, "cell")));
    return cell;
}

/* Cells are known by their place; an id may be missing. */
static void share_cells(xmlNode *domain, xmlNode *notes)
{
    g_autoptr(GString) changed = g_string_new(NULL);
    unsigned n = 0;

    for (xmlNode *c = first_cell(domain); c; c = next_cell(c), n++) {
        if (vh_xml_is(c, "memAccess", "private")) {
            vh_xml_set(c, "memAccess", "shared");
            g_string_append_printf(changed, "%s%u", changed->len ? " " : "", n);
        }
    }
    if (changed->len) {
        vh_xml_set(notes, "cells", changed->str);
    }
}

static void undo_cells(xmlNode *domain, xmlNode *notes)
{
    g_autofree char *list = vh_xml_get(notes, "cells");
    g_auto(GStrv) changed = g_strsplit(list ? list : "", " ", -1);
    unsigned n = 0;

    for (xmlNode *c = first_cell(domain); c; c = next_cell(c), n++) {
        g_autofree char *text = g_strdup_printf("%u", n);

        if (g_strv_contains((const char *const *)changed, text) &&
            vh_xml_is(c, "memAccess", "shared")) {
            vh_xml_set(c, "memAccess", "private");
        }
    }
}

void vh_memory_backing_share(xmlNode *domain, xmlNode *notes)
{
    xmlNode *backing = vh_xml_child(domain, "memoryBacking", NULL);

    if (!backing) {
        backing = add_backing(domain);
        vh_xml_set(notes, "memoryBacking", ADDED);
    }
    if (!can_be_shared(backing)) {
        put(backing, "source", "type", "memfd", notes);
    }
    if (!is_access_shared(backing)) {
        put(backing, "access", "mode", "shared", notes);
    }
    share_cells(domain, notes);
}

void vh_memory_backing_undo(xmlNode *domain, xmlNode *notes)
{
    xmlNode *backing = vh_xml_child(domain, "memoryBacking", NULL);

    undo_cells(domain, notes);
    if (!backing) {
        return;
    }
    take(backing, "source", "type", "memfd", notes);
    take(backing, "access", "mode", "shared", notes);
    if (vh_xml_is(notes, "memoryBacking", ADDED) &&
        !vh_xml_has_children(backing)) {
        vh_xml_remove(backing);
    }
}

char *vh_memory_backing_private(xmlNode *domain)
{
    xmlNode *backing = vh_xml_child(domain, "memoryBacking", NULL);
    unsigned n = 0;

    if (!can_be_shared(backing)) {
        return g_strdup("guest memory is anonymous");
    }
    for (xmlNode *c = first_cell(domain); c; c = next_cell(c), n++) {
        if (vh_xml_is(c, "memAccess", "private")) {
            return g_strdup_printf("memory of NUMA cell %u is private", n);
        }
    }
    /* each cell may say for itself that it is shared */
    if (!is_access_shared(backing)) {
        for (xmlNode *c = first_cell(domain); c; c = next_cell(c)) {
            if (!vh_xml_is(c, "memAccess", "shared")) {
                return g_strdup("access to guest memory is private");
            }
        }
        return n ? NULL : g_strdup("access to guest memory is private");
    }
    return NULL;
}
