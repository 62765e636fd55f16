/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nothing is assumed about a reply: the first member that is missing or of
 * another type than the schema says is kept in the reader and becomes the
 * error. Members the schema gained later are ignored.
 */
#include <math.h>

#include "client/client.h"
#include "reader.h"

void vh_read_problem(VhReader *r, const char *name, const char *type)
{
    if (!r->problem) {
        r->problem = g_strdup_printf("the reply of %s has no %s '%s'",
                                     r->command, type, name);
    }
}

bool vh_read_end(VhReader *r, GError **error)
{
    if (!r->problem) {
        return false;
    }
    g_set_error(error, VH_CLIENT_ERROR, VH_CLIENT_ERROR_PROTOCOL,
                "%s: is its vmheat of another version?", r->problem);
    g_free(r->problem);
    return true;
}

JsonNode *vh_read_member(JsonObject *o, const char *name)
{
    return o ? json_object_get_member(o, name) : NULL;
}

bool vh_read_is(JsonNode *node, GType type)
{
    return node && JSON_NODE_HOLDS_VALUE(node) &&
           json_node_get_value_type(node) == type;
}

uint64_t vh_read_uint(VhReader *r, JsonObject *o, const char *name)
{
    JsonNode *node = vh_read_member(o, name);

    if (!vh_read_is(node, G_TYPE_INT64) || json_node_get_int(node) < 0) {
        vh_read_problem(r, name, "number");
        return 0;
    }
    return json_node_get_int(node);
}

double vh_read_rate(VhReader *r, JsonNode *node, const char *name)
{
    bool number =
        vh_read_is(node, G_TYPE_INT64) || vh_read_is(node, G_TYPE_DOUBLE);
    double v = number ? json_node_get_double(node) : -1;

    if (!(v >= 0 && v < INFINITY)) {
        vh_read_problem(r, name, "rate");
        return 0;
    }
    return v;
}

bool vh_read_bool(VhReader *r, JsonObject *o, const char *name)
{
    JsonNode *node = vh_read_member(o, name);

    if (!vh_read_is(node, G_TYPE_BOOLEAN)) {
        vh_read_problem(r, name, "truth value");
        return false;
    }
    return json_node_get_boolean(node);
}

int64_t vh_read_opt_int(JsonObject *o, const char *name)
{
    JsonNode *node = vh_read_member(o, name);

    return vh_read_is(node, G_TYPE_INT64) ? json_node_get_int(node) : 0;
}

JsonObject *vh_read_opt_object(JsonNode *node)
{
    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node)
                                                : NULL;
}

const char *vh_read_opt_string(JsonObject *o, const char *name)
{
    JsonNode *node = vh_read_member(o, name);

    return vh_read_is(node, G_TYPE_STRING) ? json_node_get_string(node) : NULL;
}

const char *vh_read_string(VhReader *r, JsonObject *o, const char *name)
{
    const char *s = vh_read_opt_string(o, name);

    if (!s) {
        vh_read_problem(r, name, "string");
    }
    return s ? s : "";
}

JsonObject *vh_read_object(VhReader *r, JsonObject *o, const char *name)
{
    JsonNode *node = vh_read_member(o, name);

    if (!node || !JSON_NODE_HOLDS_OBJECT(node)) {
        vh_read_problem(r, name, "object");
        return NULL;
    }
    return json_node_get_object(node);
}

JsonArray *vh_read_array(VhReader *r, JsonNode *node, const char *name,
                         size_t size, void *out, size_t *nr)
{
    *nr = 0;
    if (!node || !JSON_NODE_HOLDS_ARRAY(node)) {
        vh_read_problem(r, name, "list");
        return NULL;
    }
    *nr = json_array_get_length(json_node_get_array(node));
    *(void **)out = g_malloc0_n(*nr + 1, size);
    return json_node_get_array(node);
}

JsonArray *vh_read_list(VhReader *r, JsonObject *o, const char *name,
                        size_t size, void *out, size_t *nr)
{
    return vh_read_array(r, vh_read_member(o, name), name, size, out, nr);
}

JsonObject *vh_read_element(VhReader *r, JsonArray *list, size_t i,
                            const char *name)
{
    JsonNode *node = json_array_get_element(list, i);

    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        vh_read_problem(r, name, "objects in");
        return NULL;
    }
    return json_node_get_object(node);
}

JsonObject *vh_read_root(VhReader *r, JsonNode *node)
{
    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        vh_read_problem(r, "return", "object");
        return NULL;
    }
    return json_node_get_object(node);
}
