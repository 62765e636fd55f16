/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "about.h"
#include "../cli.h"
#include "../client/json-text.h"
#include "../reader.h"
#include "../units.h"

#define NS 1000000000

static void take_machine(VhAbout *a, const char *json)
{
    g_autoptr(JsonNode) node = vh_json_parse(json);
    JsonObject *o = vh_read_opt_object(node);

    if (!o) {
        return;
    }
    g_free(a->name);
    a->name = g_strdup(vh_read_opt_string(o, "name"));
    a->realtime = vh_read_opt_int(o, "realtime");
    a->monotonic = vh_read_opt_int(o, "monotonic");
}

static void take_snapshot(VhAbout *a, const VhSnapshot *s)
{
    if (!a->nr++) {
        a->begin = s->start_time;
    }
    a->end = s->end_time;
    a->total = MAX(a->total, s->total_size);
}

void vh_about_take(VhAbout *a, const VhRecordItem *item)
{
    if (item->type == VH_RECORD_VM) {
        take_machine(a, item->json);
    } else if (item->type == VH_RECORD_SNAPSHOTS) {
        take_snapshot(a, item->snapshot);
    }
}

void vh_about_clear(VhAbout *a)
{
    g_clear_pointer(&a->name, g_free);
}

uint64_t vh_about_us(const VhAbout *a)
{
    return a->end > a->begin ? (a->end - a->begin) / 1000 : 0;
}

double vh_about_seconds(const VhAbout *a, uint64_t ns)
{
    return ns >= a->origin ? (ns - a->origin) / 1e9 : (a->origin - ns) / -1e9;
}

int64_t vh_about_unix(const VhAbout *a, uint64_t ns)
{
    __int128 t = (__int128)a->realtime + ns - a->monotonic;

    return a->realtime > 0 && t > 0 && t < INT64_MAX ? t : 0;
}

char *vh_about_time(const VhAbout *a, uint64_t ns, const char *format)
{
    int64_t unix_ns = vh_about_unix(a, ns);
    double seconds = MAX(vh_about_seconds(a, ns), 0);
    g_autoptr(GDateTime) time =
        unix_ns ? g_date_time_new_from_unix_local(unix_ns / NS) : NULL;

    return time ? g_date_time_format(time, format)
                : g_strdup_printf("%.12g s", (int64_t)(seconds * 1e3) / 1e3);
}

char *vh_about_str(const VhAbout *a)
{
    g_autofree char *time = vh_about_time(a, a->begin, "%F %T %Z");
    g_autofree char *duration = vh_duration_str(vh_about_us(a));

    return g_strdup_printf("%s, %s, %s, %" PRIu64 " snapshot%s",
                           a->name ? a->name : a->path, time, duration, a->nr,
                           a->nr == 1 ? "" : "s");
}

void vh_about_draw(const VhAbout *a, VhPage *page)
{
    g_autofree char *text = vh_about_str(a);

    vh_page_wrap(page, VH_STYLE_BOLD, 0, text);
    vh_page_end(page);
}

JsonObject *vh_about_json(const VhAbout *a)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "record", a->path);
    if (a->name) {
        json_object_set_string_member(o, "name", a->name);
    }
    if (a->nr && vh_about_unix(a, a->begin)) {
        json_object_set_int_member(o, "begin-unix", vh_about_unix(a, a->begin));
    }
    json_object_set_int_member(o, "begin", a->begin);
    json_object_set_int_member(o, "end", a->end);
    json_object_set_int_member(o, "snapshots", a->nr);
    json_object_set_int_member(o, "total-size", a->total);
    return o;
}

char *vh_about_plain(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *out = g_string_new(NULL);

    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        bool hostile = g_unichar_iscntrl(c) ||
                       g_unichar_type(c) == G_UNICODE_FORMAT ||
                       g_unichar_type(c) == G_UNICODE_LINE_SEPARATOR;

        g_string_append_unichar(out, hostile ? '?' : c);
    }
    return g_string_free(out, false);
}

void vh_about_nothing(const VhAbout *a, VhPage *page)
{
    g_autofree char *why = g_strdup_printf(
        a->origin ? "'%s' has no snapshots of the time asked for"
                  : "'%s' has no snapshots",
        a->path);

    if (!page) {
        vh_cli_complain(why);
        return;
    }
    vh_page_wrap(page, VH_STYLE_PLAIN, 0, why);
    vh_page_end(page);
}
