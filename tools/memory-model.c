/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memory-model.h"
#include "reader.h"

/* A member that may be missing; true when it is there. */
static bool read_opt(VhReader *r, JsonObject *o, const char *name,
                     uint64_t *value)
{
    bool there = vh_read_member(o, name);

    *value = there ? vh_read_uint(r, o, name) : 0;
    return there;
}

VhMemoryInfo *vh_memory_parse(JsonNode *node, GError **error)
{
    VhReader r = { .command = "query-vmheat-memory" };
    g_autoptr(VhMemoryInfo) m = g_new0(VhMemoryInfo, 1);
    JsonObject *o = vh_read_root(&r, node);

    m->size = vh_read_uint(&r, o, "size");
    m->measurements = vh_read_uint(&r, o, "measurements");
    m->measured = m->measurements > 0;
    if (m->measured) {
        m->measured_ms = vh_read_uint(&r, o, "measured-ms");
        m->resident = vh_read_uint(&r, o, "resident");
        m->has_swapped = read_opt(&r, o, "swapped", &m->swapped);
        m->has_huge = read_opt(&r, o, "huge", &m->huge);
    }
    m->has_balloon = read_opt(&r, o, "balloon-actual", &m->balloon_actual);
    if (m->has_balloon) {
        m->balloon_target = vh_read_uint(&r, o, "balloon-target");
    }
    return vh_read_end(&r, error) ? NULL : g_steal_pointer(&m);
}

void vh_memory_free(VhMemoryInfo *memory)
{
    g_free(memory);
}
