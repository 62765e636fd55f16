/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>

#include "json.h"

void vh_json_text(JsonBuilder *b, const char *name, const char *value)
{
    g_autofree char *valid = value ? g_utf8_make_valid(value, -1) : NULL;

    json_builder_set_member_name(b, name);
    if (valid) {
        json_builder_add_string_value(b, valid);
    } else {
        json_builder_add_null_value(b);
    }
}

void vh_json_uint(JsonBuilder *b, const char *name, uint64_t value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_int_value(b, MIN(value, INT64_MAX));
}

void vh_json_double(JsonBuilder *b, const char *name, double value)
{
    json_builder_set_member_name(b, name);
    if (isfinite(value)) {
        json_builder_add_double_value(b, value);
    } else {
        json_builder_add_null_value(b);
    }
}

void vh_json_bool(JsonBuilder *b, const char *name, bool value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_boolean_value(b, value);
}

void vh_json_null(JsonBuilder *b, const char *name)
{
    json_builder_set_member_name(b, name);
    json_builder_add_null_value(b);
}

/* A copy of the node only: what is in it is shared, and never changed. */
void vh_json_copy(JsonBuilder *b, const char *name, JsonNode *node)
{
    json_builder_set_member_name(b, name);
    if (node) {
        json_builder_add_value(b, json_node_copy(node));
    } else {
        json_builder_add_null_value(b);
    }
}

void vh_json_begin(JsonBuilder *b, const char *name)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_object(b);
}

void vh_json_list(JsonBuilder *b, const char *name)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_array(b);
}
