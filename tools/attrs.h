/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_ATTRS_H
#define VMHEAT_TOOLS_ATTRS_H

#include "model.h"

/**
 * struct VhAttrField - a monitoring attribute
 * @name: of the member in VmheatAttrs, and of the option; NULL ends the table
 * @meaning: what it is
 * @offset: of its value in VhAttrsInfo
 */
typedef struct VhAttrField {
    const char *name;
    const char *meaning;
    size_t offset;
} VhAttrField;

/**
 * struct VhAttrBounds - what is allowed while the other attributes stay
 * @min: least
 * @max: largest
 * @min_why: the attribute that sets it, or NULL
 * @max_why: the same
 */
typedef struct VhAttrBounds {
    uint64_t min, max;
    const char *min_why, *max_why;
} VhAttrBounds;

/**
 * vh_attr_fields() - the table of attributes
 *
 * Returns: the table; ends with a NULL name.
 */
const VhAttrField *vh_attr_fields(void);

/**
 * vh_attr_value() - the value of an attribute
 * @attrs: all of them
 * @field: which one
 */
uint64_t vh_attr_value(const VhAttrsInfo *attrs, const VhAttrField *field);

/**
 * vh_attr_str() - a value for people, exactly
 * @field: of which attribute
 * @value: the value
 *
 * Returns: such as "5.001 ms"; free with g_free().
 */
char *vh_attr_str(const VhAttrField *field, uint64_t value);

/**
 * vh_attr_bounds() - what is allowed
 * @attrs: all attributes, as they are
 * @field: the one that would change
 */
VhAttrBounds vh_attr_bounds(const VhAttrsInfo *attrs, const VhAttrField *field);

/**
 * vh_attrs_parse() - read a reply of vmheat-set
 * @node: the reply
 * @attrs: filled in
 * @error: names what is missing or wrong
 */
bool vh_attrs_parse(JsonNode *node, VhAttrsInfo *attrs, GError **error);

#endif
