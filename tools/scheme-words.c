/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Schemes are shown, not checked, here: what is not understood is left out. */
#include <inttypes.h>

#include "reader.h"
#include "scheme-words.h"
#include "units.h"

/* A range of values of a pattern; NAN-free numbers, 0 and none left out. */
typedef struct Bounds {
    bool has_min, has_max;
    double min, max;
} Bounds;

static JsonObject *object(JsonObject *o, const char *name)
{
    return vh_read_opt_object(vh_read_member(o, name));
}

/* Numbers beyond what a JsonNode can hold became negative: no limit. */
static bool number(JsonObject *o, const char *name, double *out)
{
    JsonNode *node = vh_read_member(o, name);

    *out = 0;
    if (vh_read_is(node, G_TYPE_INT64) || vh_read_is(node, G_TYPE_DOUBLE)) {
        *out = json_node_get_double(node);
        return *out >= 0;
    }
    return false;
}

static Bounds bounds(JsonObject *pattern, const char *name)
{
    JsonObject *o = object(pattern, name);
    Bounds b;

    b.has_min = number(o, "min", &b.min) && b.min > 0;
    b.has_max = number(o, "max", &b.max) && b.max < (double)INT64_MAX;
    return b;
}

typedef char *(*Show)(double v);

static char *show_size(double v)
{
    return vh_size_str(v);
}

static char *show_time(double v)
{
    return vh_duration_str(v);
}

static char *show_number(double v)
{
    return g_strdup_printf("%.6g", v);
}

static char *show_aggregations(double v)
{
    return g_strdup_printf("%.0f aggregation%s", v, v == 1 ? "" : "s");
}

/* @what goes before the numbers, @unit behind. */
static void add(GPtrArray *words, Bounds b, const char *what, Show show,
                const char *unit)
{
    g_autofree char *min = show(b.min);
    g_autofree char *max = show(b.max);

    if (b.has_min && b.has_max && b.min == b.max) {
        g_ptr_array_add(words, g_strconcat(what, min, unit, NULL));
    } else if (b.has_min && b.has_max) {
        g_ptr_array_add(words, g_strconcat(what, min, " .. ", max, unit, NULL));
    } else if (b.has_min) {
        g_ptr_array_add(words, g_strconcat(what, min, unit, " or more", NULL));
    } else if (b.has_max) {
        g_ptr_array_add(words, g_strconcat(what, "at most ", max, unit, NULL));
    }
}

static void add_pattern(GPtrArray *words, JsonObject *pattern)
{
    bool is_time = vh_read_member(pattern, "age-time") != NULL;
    Bounds nr = bounds(pattern, "nr-accesses");
    Bounds age = bounds(pattern, is_time ? "age-time" : "age");
    Show show = is_time ? show_time : show_aggregations;
    bool idle = nr.has_max && nr.max == 0;

    if (idle && age.has_min && !age.has_max) {
        g_autofree char *min = show(age.min);

        g_ptr_array_add(words, g_strconcat("idle for ", min, NULL));
    } else {
        if (idle) {
            g_ptr_array_add(words, g_strdup("idle"));
        } else {
            add(words, nr, "nr-accesses ", show_number, "");
        }
        add(words, age, "for ", show, "");
    }
    add(words, bounds(pattern, "rate"), "", show_number, " accesses/s");
    add(words, bounds(pattern, "size"), "", show_size, "");
}

static char *filter_what(JsonObject *f, const char *type)
{
    static const char *const ids[] = { "block", "backend", "device" };
    double start, end, node;

    if (number(f, "start", &start) && number(f, "end", &end)) {
        return g_strdup_printf("0x%08" PRIx64 " .. 0x%08" PRIx64,
                               (uint64_t)start, (uint64_t)end);
    }
    if (number(f, "node", &node)) {
        return g_strdup_printf("guest node %.0f", node);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
        const char *id = vh_read_opt_string(f, ids[i]);

        if (id) {
            return g_strdup_printf("%s %s", ids[i], id);
        }
    }
    return g_strdup(type);
}

/* What a filter does when it is the only one: what it does not match is treated
 * the other way. */
static char *filter_str(JsonObject *f)
{
    const char *type = vh_read_opt_string(f, "type");
    JsonNode *matching = vh_read_member(f, "matching");
    JsonNode *allow = vh_read_member(f, "allow");
    bool is_allow =
        vh_read_is(allow, G_TYPE_BOOLEAN) && json_node_get_boolean(allow);
    bool is_matching = !vh_read_is(matching, G_TYPE_BOOLEAN) ||
                       json_node_get_boolean(matching);
    g_autofree char *what = type ? filter_what(f, type) : g_strdup("?");

    return g_strconcat(is_allow == is_matching ? "only " : "not ", what, NULL);
}

static void add_filters(GPtrArray *words, JsonObject *scheme)
{
    JsonNode *node = vh_read_member(scheme, "filters");
    JsonArray *filters =
        node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    guint n = filters ? json_array_get_length(filters) : 0;
    JsonNode *first = n ? json_array_get_element(filters, 0) : NULL;

    if (n == 1 && JSON_NODE_HOLDS_OBJECT(first)) {
        g_ptr_array_add(words, filter_str(json_node_get_object(first)));
    } else if (n) {
        g_ptr_array_add(words, g_strdup_printf("%u filters", n));
    }
}

static char *join(GPtrArray *words, const char *between)
{
    g_ptr_array_add(words, NULL);
    return g_strjoinv(between, (char **)words->pdata);
}

char *vh_scheme_words(JsonObject *scheme)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);

    add_pattern(words, object(scheme, "pattern"));
    if (!words->len) {
        g_ptr_array_add(words, g_strdup("all memory"));
    }
    add_filters(words, scheme);
    return join(words, ", ");
}

static char *show_metric(const char *metric, double v)
{
    if (g_str_equal(metric, "guest-rss")) {
        return vh_size_str(v);
    }
    if (g_str_equal(metric, "some-mem-psi-us")) {
        return vh_duration_str(v);
    }
    if (g_str_equal(metric, "user-input")) {
        return show_number(v);
    }
    return g_strdup_printf("%.1f %%", v / 10);
}

static void add_goal(GPtrArray *words, JsonObject *goal, JsonNode *value)
{
    const char *metric = vh_read_opt_string(goal, "metric");
    g_autofree char *now = NULL;
    g_autofree char *wanted = NULL;
    double target;

    if (!metric || !number(goal, "target", &target)) {
        return;
    }
    wanted = show_metric(metric, target);
    if (vh_read_is(value, G_TYPE_INT64)) {
        now = show_metric(metric, json_node_get_double(value));
    }
    g_ptr_array_add(words, g_strconcat(metric, now ? " " : "", now ? now : "",
                                       ", wanted ", wanted, NULL));
}

char *vh_goal_words(JsonObject *scheme, JsonArray *values)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    JsonNode *node = vh_read_member(object(scheme, "quota"), "goals");
    JsonArray *goals =
        node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;

    for (guint i = 0; goals && i < json_array_get_length(goals); i++) {
        JsonNode *goal = json_array_get_element(goals, i);

        if (JSON_NODE_HOLDS_OBJECT(goal)) {
            add_goal(words, json_node_get_object(goal),
                     values && i < json_array_get_length(values)
                         ? json_array_get_element(values, i)
                         : NULL);
        }
    }
    return words->len ? join(words, "; ") : NULL;
}
