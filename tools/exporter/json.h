/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members of JSON objects in one call. What is text is made valid. */
#ifndef VMHEAT_EXPORTER_JSON_H
#define VMHEAT_EXPORTER_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <json-glib/json-glib.h>

/** vh_json_text() - a string, or null for NULL */
void vh_json_text(JsonBuilder *b, const char *name, const char *value);

/** vh_json_uint() - a number */
void vh_json_uint(JsonBuilder *b, const char *name, uint64_t value);

/** vh_json_double() - a number, or null when it is none (NAN) */
void vh_json_double(JsonBuilder *b, const char *name, double value);

/** vh_json_bool() - true or false */
void vh_json_bool(JsonBuilder *b, const char *name, bool value);

/** vh_json_null() - null */
void vh_json_null(JsonBuilder *b, const char *name);

/** vh_json_copy() - what QMP said, as it is; null for NULL */
void vh_json_copy(JsonBuilder *b, const char *name, JsonNode *node);

/** vh_json_begin() - an object; json_builder_end_object() */
void vh_json_begin(JsonBuilder *b, const char *name);

/** vh_json_list() - a list; json_builder_end_array() */
void vh_json_list(JsonBuilder *b, const char *name);

#endif
