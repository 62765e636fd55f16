/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_READER_H
#define VMHEAT_TOOLS_READER_H

#include "model.h"

/**
 * struct VhReader - a reply being read
 * @command: whose reply
 * @problem: the first one found, or NULL
 *
 * Functions that find nothing of the right type keep the problem and return 0,
 * "" or NULL; every function takes NULL for an object that was not there.
 */
typedef struct VhReader {
    const char *command;
    char *problem;
} VhReader;

/**
 * vh_read_problem() - keep a problem, when it is the first
 * @r: the reader
 * @name: of the member
 * @type: what there is not
 */
void vh_read_problem(VhReader *r, const char *name, const char *type);

/**
 * vh_read_end() - turn what was kept into an error
 * @r: the reader; its problem is freed
 * @error: set when there was a problem
 *
 * Returns: true when there was a problem.
 */
bool vh_read_end(VhReader *r, GError **error);

/**
 * vh_read_member() - a member, whatever it is
 * @o: the object
 * @name: of the member
 *
 * Returns: the member, or NULL.
 */
JsonNode *vh_read_member(JsonObject *o, const char *name);

/**
 * vh_read_is() - is it a value of this type?
 * @node: may be NULL
 * @type: such as G_TYPE_STRING
 */
bool vh_read_is(JsonNode *node, GType type);

/**
 * vh_read_uint() - a number that is not negative
 * @r: the reader
 * @o: the object
 * @name: of the member
 */
uint64_t vh_read_uint(VhReader *r, JsonObject *o, const char *name);

/**
 * vh_read_rate() - a finite number that is not negative, with a fraction or not
 * @r: the reader
 * @node: the number; may be NULL
 * @name: of the member, for the error
 */
double vh_read_rate(VhReader *r, JsonNode *node, const char *name);

/**
 * vh_read_bool() - a truth value
 * @r: the reader
 * @o: the object
 * @name: of the member
 */
bool vh_read_bool(VhReader *r, JsonObject *o, const char *name);

/**
 * vh_read_opt_string() - a string that may be missing
 * @o: the object
 * @name: of the member
 *
 * Returns: the string, which is @o's, or NULL.
 */
const char *vh_read_opt_string(JsonObject *o, const char *name);

/**
 * vh_read_opt_int() - a whole number that may be missing
 * @o: the object
 * @name: of the member
 *
 * Returns: the number; 0 when there is none.
 */
int64_t vh_read_opt_int(JsonObject *o, const char *name);

/**
 * vh_read_opt_object() - an object that may be something else
 * @node: may be NULL
 *
 * Returns: the object, which is @node's, or NULL.
 */
JsonObject *vh_read_opt_object(JsonNode *node);

/**
 * vh_read_string() - a string
 * @r: the reader
 * @o: the object
 * @name: of the member
 *
 * Returns: the string, which is @o's.
 */
const char *vh_read_string(VhReader *r, JsonObject *o, const char *name);

/**
 * vh_read_object() - an object
 * @r: the reader
 * @o: the object it is in
 * @name: of the member
 */
JsonObject *vh_read_object(VhReader *r, JsonObject *o, const char *name);

/**
 * vh_read_array() - a list, and room for what is in it
 * @r: the reader
 * @node: the list; may be NULL
 * @name: what it is, for the error
 * @size: of an element of @out
 * @out: set to an array as long as the list, zeroed; g_free()
 * @nr: set to its length
 */
JsonArray *vh_read_array(VhReader *r, JsonNode *node, const char *name,
                         size_t size, void *out, size_t *nr);

/**
 * vh_read_list() - the same of a member
 * @r: the reader
 * @o: the object
 * @name: of the member
 * @size: of an element of @out
 * @out: set to an array as long as the list, zeroed; g_free()
 * @nr: set to its length
 */
JsonArray *vh_read_list(VhReader *r, JsonObject *o, const char *name,
                        size_t size, void *out, size_t *nr);

/**
 * vh_read_element() - an object of a list
 * @r: the reader
 * @list: the list
 * @i: which one
 * @name: what the list is, for the error
 */
JsonObject *vh_read_element(VhReader *r, JsonArray *list, size_t i,
                            const char *name);

/**
 * vh_read_root() - the reply as an object
 * @r: the reader
 * @node: the reply
 */
JsonObject *vh_read_root(VhReader *r, JsonNode *node);

/**
 * vh_read_attrs() - a VmheatAttrs
 * @r: the reader
 * @o: the object
 * @attrs: filled in
 */
void vh_read_attrs(VhReader *r, JsonObject *o, VhAttrsInfo *attrs);

/**
 * vh_read_regions() - a list of VmheatRegion
 * @r: the reader
 * @o: the object
 * @name: of the member
 * @s: its nr, regions and what these have are set
 */
void vh_read_regions(VhReader *r, JsonObject *o, const char *name,
                     VhSnapshot *s);

#endif
