/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of "libvirt enable" made into arguments of QEMU and a file. */
#include "wish.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "scheme-list.h"

char *vh_wish_file(const VhDomainConfig *config)
{
    g_autofree char *base = g_strconcat(config->name, ".json", NULL);

    return strstr(config->uri, "/session")
               ? g_build_filename(g_get_user_config_dir(), "vmheat", base, NULL)
               : g_build_filename("/etc", "vmheat", base, NULL);
}

/* qemu+ssh://host/system */
static bool is_remote(const char *uri)
{
    const char *host = strstr(uri, "://");

    return host && host[3] != '/';
}

static bool take_recipes(VhWish *w, const VhOptions *o,
                         const VhDomainConfig *config, char **why)
{
    g_autoptr(JsonArray) list = NULL;
    g_autoptr(JsonNode) node = NULL;

    if (is_remote(config->uri)) {
        *why = g_strdup_printf("schemes of a recipe go to a file on the "
                               "domain's host, and '%s' is another host: put "
                               "a file there and name it with --schemes FILE",
                               config->uri);
        return false;
    }
    list = vh_recipes_expand(o->recipes, config->ram, why);
    if (!list) {
        return false;
    }
    node = json_node_init_array(json_node_alloc(), list);
    w->schemes = json_to_string(node, true);
    w->file = vh_wish_file(config);
    return true;
}

static bool take_file(VhWish *w, const VhOptions *o,
                      const VhDomainConfig *config, char **path, char **why)
{
    g_autoptr(JsonArray) list = NULL;

    *path = g_canonicalize_filename(o->schemes_file, NULL);
    if (is_remote(config->uri)) {
        return true; /* it is not here */
    }
    list = vh_scheme_list_load(*path, why);
    return list != NULL;
}

/* A comma separates properties; a doubled one is part of a value. */
static char *device_text(const GPtrArray *properties)
{
    GString *out = g_string_new("vmheat,id=heat0");

    for (guint i = 0; i < properties->len; i++) {
        g_autoptr(GString) text =
            g_string_new(g_ptr_array_index(properties, i));

        g_string_replace(text, ",", ",,", 0);
        g_string_append_printf(out, ",%s", text->str);
    }
    return g_string_free(out, false);
}

static bool take_schemes(VhWish *w, const VhOptions *o,
                         const VhDomainConfig *config, char **why)
{
    g_autofree char *path = NULL;

    if (o->recipes && o->schemes_file) {
        *why = g_strdup("--schemes names a recipe and a file: give one of "
                        "both");
        return false;
    }
    if (o->recipes && !take_recipes(w, o, config, why)) {
        return false;
    }
    if (o->schemes_file && !take_file(w, o, config, &path, why)) {
        return false;
    }
    if (path || w->file) {
        g_ptr_array_add(w->properties,
                        g_strconcat("schemes=", path ? path : w->file, NULL));
    }
    return true;
}

VhWish *vh_wish_new(const VhOptions *o, const VhDomainConfig *config,
                    char **why)
{
    g_autoptr(VhWish) w = g_new0(VhWish, 1);

    w->plugin = o->plugin ? o->plugin : VMHEAT_PLUGIN_PATH;
    w->properties = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; o->properties && i < o->properties->len; i++) {
        g_ptr_array_add(w->properties,
                        g_strdup(g_ptr_array_index(o->properties, i)));
    }
    if (!take_schemes(w, o, config, why)) {
        return NULL;
    }
    w->device = device_text(w->properties);
    return g_steal_pointer(&w);
}

void vh_wish_free(VhWish *w)
{
    g_ptr_array_unref(w->properties);
    g_free(w->device);
    g_free(w->file);
    g_free(w->schemes);
    g_free(w);
}

bool vh_wish_write(const VhWish *w, char **why)
{
    g_autofree char *folder = w->file ? g_path_get_dirname(w->file) : NULL;
    g_autoptr(GError) error = NULL;

    if (!w->file) {
        return true;
    }
    if (g_mkdir_with_parents(folder, 0755)) {
        *why = g_strdup_printf("cannot make the folder '%s': %s", folder,
                               g_strerror(errno));
        return false;
    }
    if (!g_file_set_contents_full(w->file, w->schemes, -1,
                                  G_FILE_SET_CONTENTS_CONSISTENT, 0644,
                                  &error)) {
        *why =
            g_strdup_printf("cannot write '%s': %s", w->file, error->message);
        return false;
    }
    return true;
}
