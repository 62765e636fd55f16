/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <gio/gio.h>

#include "assets.h"
#include "web-resources.h"
#include "route.h"

#define PREFIX "/vmheat/web/"

static const struct Type {
    const char *end, *type;
} types[] = {
    { ".html", "text/html; charset=utf-8" },
    { ".js", "text/javascript; charset=utf-8" },
    { ".mjs", "text/javascript; charset=utf-8" },
    { ".css", "text/css; charset=utf-8" },
    { ".svg", "image/svg+xml" },
    { ".png", "image/png" },
    { ".ico", "image/x-icon" },
    { ".json", "application/json" },
    { ".webmanifest", "application/manifest+json" },
    { ".woff2", "font/woff2" },
    { ".txt", "text/plain; charset=utf-8" },
};

static GBytes *find(char *const *words)
{
    g_autofree char *name = g_strjoinv("/", (char **)words);
    g_autofree char *path =
        g_strconcat(PREFIX, *name ? name : "index.html", NULL);

    return g_resource_lookup_data(vmheat_web_get_resource(), path, 0, NULL);
}

bool vh_asset_exists(char *const *words)
{
    g_autoptr(GBytes) bytes = find(words);

    return bytes;
}

static const char *type_of(const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
        if (g_str_has_suffix(name, types[i].end)) {
            return types[i].type;
        }
    }
    return "application/octet-stream";
}

void vh_get_asset(VhRequest *r)
{
    VhResponse *a = g_new0(VhResponse, 1);
    char *const *last = r->path;

    while (*last && last[1]) {
        last++;
    }
    a->status = 200;
    a->body = find(r->path);
    a->type = type_of(*last && **last ? *last : "index.html");
    a->page = true;
    vh_request_answer(r, a);
}
