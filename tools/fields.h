/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_FIELDS_H
#define VMHEAT_TOOLS_FIELDS_H

#include "model.h"
#include "page.h"

/**
 * vh_field() - a line "Key  value", the value wrapped
 * @page: where to
 * @style: of the value
 * @key: what it is; "" goes on with the key before
 * @format: the value
 */
void vh_field(VhPage *page, VhStyle style, const char *key, const char *format,
              ...) G_GNUC_PRINTF(4, 5);

/**
 * vh_field_key() - only the key, for a value that is drawn by other means
 * @page: where to
 * @key: what it is
 */
void vh_field_key(VhPage *page, const char *key);

/**
 * vh_field_heading() - a heading, after a blank line
 * @page: where to
 * @text: the heading
 */
void vh_field_heading(VhPage *page, const char *text);

/**
 * vh_field_working_set() - working set in bytes, percent and as a bar
 * @page: where to
 * @info: from QEMU
 */
void vh_field_working_set(VhPage *page, const VhInfo *info);

/**
 * vh_state_style() - how a state looks
 * @state: as in VmheatState
 *
 * Returns: the style.
 */
VhStyle vh_state_style(const char *state);

#endif
