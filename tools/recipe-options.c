/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of recipes: each writes its value into the JSON of a scheme. */
#include <math.h>
#include <string.h>

#include "recipes-internal.h"
#include "units.h"

/* A member that is an object, made when there is none. */
static JsonObject *sub(JsonObject *o, const char *name)
{
    if (!json_object_has_member(o, name)) {
        json_object_set_object_member(o, name, json_object_new());
    }
    return json_object_get_object_member(o, name);
}

static JsonArray *sub_list(JsonObject *o, const char *name)
{
    if (!json_object_has_member(o, name)) {
        json_object_set_array_member(o, name, json_array_new());
    }
    return json_object_get_array_member(o, name);
}

static bool is_action(JsonObject *scheme, const char *action)
{
    return g_str_equal(json_object_get_string_member(scheme, "action"), action);
}

static bool has_age(JsonObject *scheme)
{
    return json_object_has_member(sub(scheme, "pattern"), "age-time");
}

static bool is_hot(JsonObject *scheme)
{
    return is_action(scheme, "migrate-hot");
}

static bool is_cold(JsonObject *scheme)
{
    return is_action(scheme, "migrate-cold");
}

static bool take_min_age(JsonObject *scheme, const char *arg)
{
    uint64_t us;

    if (!vh_parse_duration(arg, &us)) {
        return false;
    }
    json_object_set_int_member(sub(sub(scheme, "pattern"), "age-time"), "min",
                               us);
    return true;
}

static bool put_size(JsonObject *o, const char *name, const char *arg,
                     uint64_t least)
{
    uint64_t size;

    if (!vh_parse_size(arg, &size) || size < least) {
        return false;
    }
    json_object_set_int_member(o, name, size);
    return true;
}

static bool take_quota(JsonObject *scheme, const char *arg)
{
    return put_size(sub(scheme, "quota"), "size", arg, 0);
}

static bool take_time_quota(JsonObject *scheme, const char *arg)
{
    uint64_t us;

    if (!vh_parse_duration(arg, &us)) {
        return false;
    }
    json_object_set_int_member(sub(scheme, "quota"), "time", us);
    return true;
}

static bool take_floor(JsonObject *scheme, const char *arg)
{
    return put_size(sub(scheme, "balloon"), "floor", arg, 0);
}

static bool take_ceiling(JsonObject *scheme, const char *arg)
{
    return put_size(sub(scheme, "balloon"), "ceiling", arg, 0);
}

static bool take_step(JsonObject *scheme, const char *arg)
{
    return put_size(sub(scheme, "balloon"), "step", arg, 1);
}

static bool take_headroom(JsonObject *scheme, const char *arg)
{
    double percent;

    if (!vh_parse_percent(arg, &percent) || percent > 1000) {
        return false;
    }
    json_object_set_int_member(sub(scheme, "balloon"), "headroom",
                               lround(percent * 10));
    return true;
}

static bool parse_u32(const char *text, uint64_t least, uint64_t most,
                      uint64_t *out)
{
    guint64 v;

    if (!g_ascii_string_to_unsigned(text, 10, least, most, &v, NULL)) {
        return false;
    }
    *out = v;
    return true;
}

/* N[:W][,N[:W]]... */
static JsonArray *parse_nodes(const char *arg)
{
    g_autoptr(JsonArray) out = json_array_new();
    g_auto(GStrv) items = g_strsplit(arg, ",", -1);

    for (char **item = items; *item; item++) {
        g_auto(GStrv) parts = g_strsplit(*item, ":", 2);
        uint64_t node, weight = 1;
        JsonObject *o;

        if (!parts[0] || !parse_u32(parts[0], 0, UINT32_MAX, &node) ||
            (parts[1] && !parse_u32(parts[1], 1, UINT32_MAX, &weight))) {
            return NULL;
        }
        o = json_object_new();
        json_object_set_int_member(o, "node", node);
        json_object_set_int_member(o, "weight", weight);
        json_array_add_object_element(out, o);
    }
    return json_array_get_length(out) ? g_steal_pointer(&out) : NULL;
}

static bool take_nodes(JsonObject *scheme, const char *arg)
{
    JsonArray *nodes = parse_nodes(arg);

    if (!nodes) {
        return false;
    }
    json_object_set_array_member(scheme, "nodes", nodes);
    return true;
}

/* Of several ranges each is allowed, and what is in none is not. */
static bool take_range(JsonObject *scheme, const char *arg)
{
    g_auto(GStrv) ends = g_strsplit(arg, "-", 2);
    uint64_t start, end;
    JsonObject *o;

    if (g_strv_length(ends) != 2 || !vh_parse_size(ends[0], &start) ||
        !vh_parse_size(ends[1], &end) || end <= start) {
        return false;
    }
    o = json_object_new();
    json_object_set_string_member(o, "type", "address");
    json_object_set_boolean_member(o, "matching", true);
    json_object_set_boolean_member(o, "allow", true);
    json_object_set_int_member(o, "start", start);
    json_object_set_int_member(o, "end", end);
    json_array_add_object_element(sub_list(scheme, "filters"), o);
    return true;
}

/* METRIC:HIGH,MID,LOW */
static bool parse_watermarks(const char *arg, const char **metric, uint64_t *v)
{
    g_auto(GStrv) parts = g_strsplit_set(arg, ": ", 2);
    g_auto(GStrv) values =
        g_strsplit(parts[0] && parts[1] ? parts[1] : "", ",", -1);
    bool psi = parts[0] && g_str_equal(parts[0], "psi");

    *metric = psi ? "some-mem-psi" : "mem-free";
    if (!psi && g_strcmp0(parts[0], "free")) {
        return false;
    }
    if (g_strv_length(values) != 3) {
        return false;
    }
    for (int i = 0; i < 3; i++) {
        if (!parse_u32(values[i], 0, psi ? 10000 : 1000, &v[i])) {
            return false;
        }
    }
    return v[0] >= v[1] && v[1] >= v[2];
}

static bool take_watermarks(JsonObject *scheme, const char *arg)
{
    const char *metric;
    uint64_t v[3];
    JsonObject *o;

    if (g_str_equal(arg, "off")) {
        json_object_remove_member(scheme, "watermarks");
        return true;
    }
    if (!parse_watermarks(arg, &metric, v)) {
        return false;
    }
    o = sub(scheme, "watermarks");
    json_object_set_string_member(o, "metric", metric);
    if (!json_object_has_member(o, "interval")) {
        json_object_set_int_member(o, "interval", 5000000);
    }
    json_object_set_int_member(o, "high", v[0]);
    json_object_set_int_member(o, "mid", v[1]);
    json_object_set_int_member(o, "low", v[2]);
    return true;
}

static bool note_save(VhRecipes *recipes, const char *arg)
{
    double percent;

    if (!vh_parse_percent(arg, &percent) || percent <= 0 || percent >= 100) {
        return false;
    }
    vh_recipes_last(recipes)->save = percent;
    return true;
}

static bool note_ram(VhRecipes *recipes, const char *arg)
{
    uint64_t ram;

    if (!vh_parse_size(arg, &ram) || !ram) {
        return false;
    }
    vh_recipes_last(recipes)->ram = ram;
    return true;
}

#define SIZE_ALLOWED "a size, such as 128M or 2G"
#define TIME_ALLOWED "a time with its unit, such as 500ms, 90s or 2m"

static const VhRecipeOption table[] = {
    { "min-age", "TIME", "idle for so long: 500ms, 90s, 2m", TIME_ALLOWED,
      has_age, take_min_age, NULL },
    { "save", "PERCENT", "stop when so much of guest RAM is saved",
      "a part of the guest's RAM, above 0% and below 100%", NULL, NULL,
      note_save },
    { "ram", "SIZE", "guest RAM, for --save; default: asked for",
      SIZE_ALLOWED ", above 0", NULL, NULL, note_ram },
    { "quota", "SIZE", "at most so many bytes a second; 0: any", SIZE_ALLOWED,
      NULL, take_quota, NULL },
    { "time-quota", "TIME", "at most so much time each second; 0s: any",
      TIME_ALLOWED, NULL, take_time_quota, NULL },
    { "floor", "SIZE", "what the guest keeps in any case", SIZE_ALLOWED, NULL,
      take_floor, NULL },
    { "ceiling", "SIZE", "most that the guest may have; 0: all", SIZE_ALLOWED,
      NULL, take_ceiling, NULL },
    { "step", "SIZE", "most that is taken at once", SIZE_ALLOWED ", above 0",
      NULL, take_step, NULL },
    { "headroom", "PERCENT", "left beyond the working set",
      "a part of the working set, 0% .. 1000%", NULL, take_headroom, NULL },
    { "hot-node", "N[:W],...", "where hot memory goes; W: weight",
      "NUMA nodes, such as 0 or 0:2,1:1", is_hot, take_nodes, NULL },
    { "cold-node", "N[:W],...", "where cold memory goes; W: weight",
      "NUMA nodes, such as 1 or 1:2,2:1", is_cold, take_nodes, NULL },
    { "range", "START-END", "only there; may be given again",
      "guest-physical addresses, such as 4G-6G, the end above the start", NULL,
      take_range, NULL },
    { "watermarks", "M:H,M,L", "free:500,400,200; psi:H,M,L; or off",
      "off, or free: or psi: and high, mid and low, none above the one "
      "before; in 1/1000 and 1/10000",
      NULL, take_watermarks, NULL },
    {},
};

const VhRecipeOption *vh_recipe_option_table(void)
{
    return table;
}
