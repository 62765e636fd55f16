/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What guest memory takes of the host, for people. */
#include <inttypes.h>

#include "fields.h"
#include "host-memory.h"
#include "reader.h"
#include "units.h"

#define AGAIN_US 20000
#define OLD_MS 10000   /* worth telling */
#define STALE_MS 60000 /* nobody had asked */

static bool is_fresh(JsonNode *reply)
{
    JsonObject *o = vh_read_opt_object(reply);

    return vh_read_opt_int(o, "measurements") &&
           vh_read_opt_int(o, "measured-ms") <= STALE_MS;
}

static JsonNode *ask_once(VhClient *client, GError **error)
{
    g_autoptr(GError) why = NULL;
    JsonNode *reply =
        vh_client_command(client, "query-vmheat-memory", NULL, &why);

    if (!reply && !g_error_matches(why, VH_CLIENT_ERROR, VH_CLIENT_ERROR_QMP)) {
        g_propagate_error(error, g_steal_pointer(&why));
    }
    return reply;
}

JsonNode *vh_host_memory_ask(VhClient *client, gint64 max_us, GError **error)
{
    gint64 end = g_get_monotonic_time() + max_us;
    JsonNode *reply = ask_once(client, error);

    while (reply && !is_fresh(reply) && g_get_monotonic_time() < end) {
        json_node_unref(reply);
        reply = vh_client_rest(client, g_get_monotonic_time() + AGAIN_US, error)
                    ? ask_once(client, error)
                    : NULL;
    }
    return reply;
}

static void add_size(GString *text, const char *what, uint64_t bytes)
{
    g_autofree char *size = vh_size_str(bytes);

    g_string_append_printf(text, "%s%s %s", text->len ? ", " : "", size, what);
}

static void draw_measured(VhPage *page, const VhMemoryInfo *m)
{
    g_autoptr(GString) text = g_string_new(NULL);

    add_size(text, "resident", m->resident);
    if (m->has_swapped) {
        add_size(text, "swapped", m->swapped);
    }
    if (m->has_huge) {
        add_size(text, "huge", m->huge);
    }
    if (m->measured_ms > OLD_MS) {
        g_autofree char *age = vh_duration_str(m->measured_ms / 1000 * 1000000);

        g_string_append_printf(text, "; %s ago", age);
    }
    vh_field(page, VH_STYLE_PLAIN, "Host memory", "%s", text->str);
}

static void draw_balloon(VhPage *page, const VhMemoryInfo *m)
{
    g_autoptr(GString) text = g_string_new(NULL);

    add_size(text, "left to the guest", m->balloon_actual);
    if (m->balloon_target != m->balloon_actual) {
        add_size(text, "asked for", m->balloon_target);
    }
    vh_field(page, VH_STYLE_PLAIN, "Balloon", "%s", text->str);
}

void vh_host_memory_draw(VhPage *page, const VhMemoryInfo *memory)
{
    if (memory && memory->measured) {
        draw_measured(page, memory);
    } else if (memory) {
        vh_field(page, VH_STYLE_DIM, "Host memory", "is being measured");
    }
    if (memory && memory->has_balloon) {
        draw_balloon(page, memory);
    }
}
