/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of schemes as JSON: of a file, of QEMU, one after another.
 *
 * A JsonNode holds a number as a signed one of 64 bits, so that one beyond 2^63
 * comes out negative. As a max it means "no limit", which is what leaving it
 * out means; anything else that is negative is refused rather than sent, since
 * QEMU reads -1 as 2^64 - 1.
 */
#include <string.h>
#include <unistd.h>

#include "reader.h"
#include "scheme-list.h"

static const char *shown(const char *file)
{
    return g_str_equal(file, "-") ? "standard input" : file;
}

static bool read_all(int fd, GString *out)
{
    char buffer[65536];
    ssize_t n;

    while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
        g_string_append_len(out, buffer, n);
    }
    return n == 0;
}

static char *read_file(const char *file, char **why)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    if (!g_str_equal(file, "-")) {
        if (!g_file_get_contents(file, &text, NULL, &error)) {
            *why = g_strdup_printf("cannot read schemes: %s", error->message);
        }
        return text;
    }
    if (!read_all(STDIN_FILENO, out)) {
        *why = g_strdup("cannot read schemes from standard input");
        return NULL;
    }
    return g_string_free(g_steal_pointer(&out), false);
}

/* "<data>:LINE:COLUMN: ..." without what is no use to the user */
static char *parse_problem(const char *file, const GError *error)
{
    const char *text = error->message;

    text = g_str_has_prefix(text, "<data>:") ? text + strlen("<data>:") : text;
    return g_strdup_printf("%s:%s", shown(file), text);
}

/* json-glib ignores what follows a value. */
static bool is_only_one(const char *text)
{
    g_autofree char *list = g_strconcat("[", text, "\n]", NULL);
    g_autoptr(JsonNode) node = json_from_string(list, NULL);

    return node && json_array_get_length(json_node_get_array(node)) == 1;
}

static JsonNode *parse(const char *file, const char *text, char **why)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) error = NULL;

    if (!json_parser_load_from_data(parser, text, -1, &error)) {
        *why = parse_problem(file, error);
        return NULL;
    }
    if (!json_parser_get_root(parser)) {
        *why = g_strdup_printf("%s is empty; [] means no schemes", shown(file));
        return NULL;
    }
    if (!is_only_one(text)) {
        *why = g_strdup_printf("%s goes on after its JSON value", shown(file));
        return NULL;
    }
    return json_node_ref(json_parser_get_root(parser));
}

/* Removes a max that means none; finds the first other negative number. */
static const char *clean(JsonNode *node)
{
    if (JSON_NODE_HOLDS_ARRAY(node)) {
        JsonArray *list = json_node_get_array(node);

        for (guint i = 0; i < json_array_get_length(list); i++) {
            const char *bad = clean(json_array_get_element(list, i));

            if (bad) {
                return bad;
            }
        }
    } else if (JSON_NODE_HOLDS_OBJECT(node)) {
        JsonObject *o = json_node_get_object(node);
        g_autoptr(GList) names = json_object_get_members(o);

        for (GList *l = names; l; l = l->next) {
            JsonNode *member = json_object_get_member(o, l->data);
            bool negative = vh_read_is(member, G_TYPE_INT64) &&
                            json_node_get_int(member) < 0;
            const char *bad = clean(member);

            if (negative && g_str_equal(l->data, "max") &&
                json_node_get_int(member) == -1) {
                json_object_remove_member(o, l->data);
            } else if (negative || bad) {
                return bad ? bad : l->data;
            }
        }
    }
    return NULL;
}

JsonArray *vh_scheme_list_load(const char *file, char **why)
{
    g_autofree char *text = read_file(file, why);
    g_autoptr(JsonNode) node = text ? parse(file, text, why) : NULL;
    JsonArray *list = NULL;
    const char *bad;

    if (!node) {
        return NULL;
    }
    list = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    for (guint i = 0; list && i < json_array_get_length(list); i++) {
        if (!JSON_NODE_HOLDS_OBJECT(json_array_get_element(list, i))) {
            list = NULL;
        }
    }
    if (!list) {
        *why = g_strdup_printf("%s is no list of schemes: it has to be "
                               "[ { ... }, ... ]",
                               shown(file));
        return NULL;
    }
    bad = clean(node);
    if (bad) {
        *why = g_strdup_printf("%s: '%s' is negative or beyond 2^63 - 1",
                               shown(file), bad);
        return NULL;
    }
    return json_array_ref(list);
}

JsonArray *vh_scheme_list_of(const VhSchemeList *list)
{
    JsonArray *out = json_array_new();

    for (size_t i = 0; i < list->nr; i++) {
        JsonNode *node =
            json_node_init_object(json_node_alloc(), list->schemes[i].scheme);

        clean(node);
        json_array_add_element(out, node);
    }
    return out;
}

static bool same_name(JsonArray *list, guint i, JsonObject *scheme)
{
    const char *name = vh_read_opt_string(scheme, "name");

    return name && !g_strcmp0(name, vh_read_opt_string(
                                        json_array_get_object_element(list, i),
                                        "name"));
}

/* json-glib cannot put an element into a place, so the rest moves along. */
static void replace(JsonArray *list, guint at, JsonObject *scheme)
{
    guint n = json_array_get_length(list);

    json_array_add_object_element(list, json_object_ref(scheme));
    json_array_remove_element(list, at);
    for (guint i = at; i + 1 < n; i++) {
        json_array_add_element(list, json_array_dup_element(list, at));
        json_array_remove_element(list, at);
    }
}

void vh_scheme_list_merge(JsonArray *first, JsonArray *then)
{
    for (guint i = 0; i < json_array_get_length(then); i++) {
        JsonObject *scheme = json_array_get_object_element(then, i);
        guint n = json_array_get_length(first), at = 0;

        while (at < n && !same_name(first, at, scheme)) {
            at++;
        }
        if (at < n) {
            replace(first, at, scheme);
        } else {
            json_array_add_object_element(first, json_object_ref(scheme));
        }
    }
}
