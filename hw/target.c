/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A target is no more than a choice of sections: a NUMA node of the guest, one
 * memory backend, or one memory device, as an NVDIMM whose file the guest has
 * mounted with DAX. Primitives and schemes are given a map that has nothing
 * else, and need not know.
 */
#include "compat/qemu.h"
#include "hw/target.h"

bool vmheat_target_is_restricted(const VmheatMapTarget *t)
{
    return t->node >= 0 || t->backend || t->device;
}

static bool matches(const VmheatMapTarget *t, const VhMapSection *s)
{
    return (t->node < 0 || t->any_node || s->node == (uint32_t)t->node + 1) &&
           (!t->backend || !g_strcmp0(t->backend, s->label->backend)) &&
           (!t->device || !g_strcmp0(t->device, s->label->device));
}

static void add_word(GString *words, const char *word)
{
    g_autofree char *quoted = g_strdup_printf("'%s'", word);

    if (!strstr(words->str, quoted)) {
        g_string_append_printf(words, "%s%s", words->len ? ", " : "", quoted);
    }
}

/* Ids of all sections' devices, or else backends. */
static char *ids(const VhMap *map, bool devices)
{
    GString *words = g_string_new(NULL);

    for (size_t i = 0; i < map->nr; i++) {
        const VhLabel *l = map->sections[i].label;
        const char *id = devices ? l->device : l->backend;

        if (id) {
            add_word(words, id);
        }
    }
    return g_string_free(words->len ? words : g_string_append(words, "none"),
                         false);
}

/* One of the restrictions alone. */
static bool check_one(const VmheatMapTarget *one, const VhMap *map)
{
    for (size_t i = 0; i < map->nr; i++) {
        if (matches(one, &map->sections[i])) {
            return true;
        }
    }
    return false;
}

static bool check_id(const char *property, const char *id, bool device,
                     const VhMap *map, Error **errp)
{
    VmheatMapTarget one = { .node = -1 };
    g_autofree char *there = ids(map, device);

    *(device ? &one.device : &one.backend) = (char *)id;
    if (id && !check_one(&one, map)) {
        error_setg(errp,
                   "%s '%s': no guest memory is of such a %s; there are: "
                   "%s",
                   property, id, device ? "memory device" : "memory backend",
                   there);
        return false;
    }
    return true;
}

bool vmheat_target_check(const VmheatMapTarget *t, const VhMap *map,
                         Error **errp)
{
    VmheatMapTarget node = { .node = t->node, .any_node = t->any_node };

    if (t->node < -1) {
        error_setg(errp, "target-node %d: must be -1 (any) or a node's number",
                   t->node);
        return false;
    }
    if (!check_one(&node, map)) {
        error_setg(errp,
                   "target-node %d: the guest has no memory on such a "
                   "node",
                   t->node);
        return false;
    }
    if (!check_id("target-backend", t->backend, false, map, errp) ||
        !check_id("target-device", t->device, true, map, errp)) {
        return false;
    }
    if (!check_one(t, map)) {
        error_setg(errp, "no guest memory is of all of target-node, "
                         "target-backend and target-device");
        return false;
    }
    return true;
}

static void release(VhMap *map)
{
    vh_map_unref(map->opaque);
}

VhMap *vmheat_target_map(const VmheatMapTarget *t, VhMap *map)
{
    GArray *out;
    VhMap *part;
    size_t nr;

    if (!vmheat_target_is_restricted(t)) {
        return vh_map_ref(map);
    }
    out = g_array_new(false, false, sizeof(VhMapSection));
    for (size_t i = 0; i < map->nr; i++) {
        if (matches(t, &map->sections[i])) {
            VhMapSection s = vh_section_copy(&map->sections[i]);

            g_array_append_val(out, s);
        }
    }
    nr = out->len;
    part = vh_map_new((VhMapSection *)(void *)g_array_free(out, false), nr);
    part->opaque = vh_map_ref(map);
    part->release = release;
    return part;
}

VmheatTarget *vmheat_target_query(const VmheatMapTarget *t)
{
    VmheatTarget *out;

    if (!vmheat_target_is_restricted(t)) {
        return NULL;
    }
    out = g_new0(VmheatTarget, 1);
    out->has_node = t->node >= 0;
    out->node = out->has_node ? t->node : 0;
    out->backend = g_strdup(t->backend);
    vh_opt_set(out, backend);
    out->device = g_strdup(t->device);
    vh_opt_set(out, device);
    return out;
}
