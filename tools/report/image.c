/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <cairo-svg.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "image.h"

static bool ends(const char *path, const char *suffix)
{
    size_t n = strlen(path), m = strlen(suffix);

    return n > m && !g_ascii_strcasecmp(path + n - m, suffix);
}

char *vh_image_check(const char *path)
{
    if (g_str_equal(path, "-") && isatty(STDOUT_FILENO)) {
        return g_strdup("a picture cannot go to a terminal: --output - is for "
                        "a pipe or a file");
    }
    if (g_str_equal(path, "-") || ends(path, ".png") || ends(path, ".svg")) {
        return NULL;
    }
    return g_strdup_printf("--output '%s' is not valid: must end in .png or "
                           ".svg, or be - for a PNG to standard output",
                           path);
}

static cairo_status_t take(void *closure, const unsigned char *data,
                           unsigned nr)
{
    g_byte_array_append(closure, data, nr);
    return CAIRO_STATUS_SUCCESS;
}

static bool write_stream(FILE *f, const GByteArray *b)
{
    return fwrite(b->data, 1, b->len, f) == b->len && !fflush(f);
}

static bool save(const char *path, const GByteArray *b, GError **error)
{
    if (!g_str_equal(path, "-")) {
        return g_file_set_contents(path, (const char *)b->data, b->len, error);
    }
    if (!write_stream(stdout, b)) {
        int e = errno;

        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(e),
                    "cannot write to standard output: %s", g_strerror(e));
        return false;
    }
    return true;
}

static cairo_surface_t *begin(bool svg, double width, double height,
                              GByteArray *b)
{
    return svg ? cairo_svg_surface_create_for_stream(take, b, width, height)
               : cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
}

bool vh_image_write(const char *path, double width, double height,
                    void (*draw)(cairo_t *cr, double width, double height,
                                 const void *data),
                    const void *data, GError **error)
{
    g_autoptr(GByteArray) b = g_byte_array_new();
    bool svg = ends(path, ".svg");
    cairo_surface_t *surface = begin(svg, width, height, b);
    cairo_t *cr = cairo_create(surface);
    cairo_status_t status;

    draw(cr, width, height, data);
    status = cairo_status(cr);
    cairo_destroy(cr);
    if (!svg && !status) {
        status = cairo_surface_write_to_png_stream(surface, take, b);
    }
    cairo_surface_finish(surface);
    cairo_surface_destroy(surface);
    if (status) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                    "cannot draw '%s': %s", path,
                    cairo_status_to_string(status));
        return false;
    }
    return save(path, b, error);
}
