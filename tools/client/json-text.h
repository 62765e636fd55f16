/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_JSON_TEXT_H
#define VMHEAT_TOOLS_JSON_TEXT_H

#include <json-glib/json-glib.h>

#define VH_JSON_DEPTH_MAX 64

/**
 * vh_json_parse() - read JSON of somebody who may mean harm
 * @text: any bytes; NULL is no JSON
 *
 * json-glib calls itself for each object in an object, so text that is deeper
 * than VH_JSON_DEPTH_MAX, which could use up the stack, is not given to it.
 *
 * Returns: NULL when that is no JSON text.
 */
JsonNode *vh_json_parse(const char *text);

#endif
