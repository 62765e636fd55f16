/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures in files. */
#ifndef VMHEAT_TOOLS_IMAGE_H
#define VMHEAT_TOOLS_IMAGE_H

#include <stdbool.h>
#include <cairo.h>
#include <glib.h>

/**
 * vh_image_check() - is @path good for a picture?
 * @path: ends in .png or .svg, or is "-": PNG to standard output
 *
 * Returns: NULL, or a sentence that says why not; free with g_free().
 */
char *vh_image_check(const char *path);

/**
 * vh_image_write() - make a picture
 * @path: as for vh_image_check(); a file is there when it is whole, one that
 *        was there stays until then
 * @width: pixels
 * @height: pixels
 * @draw: draws it, from 0, 0 to @width, @height
 * @data: for @draw
 * @error: reason of failure
 */
bool vh_image_write(const char *path, double width, double height,
                    void (*draw)(cairo_t *cr, double width, double height,
                                 const void *data),
                    const void *data, GError **error);

#endif
