/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading primitives from shared objects, which are in $VMHEAT_PLUGINS. */
#include <glib.h>
#include <string.h>

#include "accel/primitive-plugin.h"

typedef struct Refusal {
    const char *file;
    const char *says;
} Refusal;

static char *in_dir(const char *file)
{
    return g_build_filename(g_getenv("VMHEAT_PLUGINS"), file, NULL);
}

static void test_refused(const void *opaque)
{
    const Refusal *r = opaque;
    g_autofree char *path = in_dir(r->file);
    g_autofree char *why = NULL;
    VhPrimitiveOps *ops = vh_primitive_plugin_load(path, &why);

    g_assert_null(ops);
    g_assert_nonnull(strstr(why, path));
    if (!strstr(why, r->says)) {
        g_error("'%s' does not say '%s'", why, r->says);
    }
}

static void rewrite(uint8_t *page)
{
    page[100]++;
}

/* The example works: a written page fires, others are silent. */
static void test_example(void)
{
    g_autofree char *path = in_dir("checksum.so");
    g_autofree char *why = NULL;
    g_autofree VhPrimitiveOps *ops = vh_primitive_plugin_load(path, &why);
    g_autofree uint8_t *mem = g_malloc0(4 * VH_PAGE_SIZE);
    VhMapSection *s = g_new0(VhMapSection, 1);
    VhHost host = { .size = sizeof(host) };
    VhCheck c[3] = { { .gpa = 0 },
                     { .gpa = VH_PAGE_SIZE },
                     { .gpa = 4 * VH_PAGE_SIZE } };
    VhMap *map;
    VhCaps caps;
    void *p;

    g_assert_cmpstr(why, ==, NULL);
    g_assert_cmpstr(ops->name, ==, "checksum");
    s->size = 4 * VH_PAGE_SIZE;
    s->hva = mem;
    s->name = g_strdup("ram");
    map = vh_map_new(s, 1);
    g_assert_true(ops->probe(map, &host, &caps, &why));
    p = ops->open(&host, &why);
    g_assert_true(ops->set_map(p, map, &why));
    ops->arm(p, c, 3);
    rewrite(mem + VH_PAGE_SIZE);
    ops->collect(p, c, 3);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_SILENT);
    g_assert_cmpint(c[1].state, ==, VH_CHECK_FIRED);
    g_assert_cmpint(c[2].state, ==, VH_CHECK_SKIPPED);
    ops->release(p);
    vh_map_unref(map);
}

int main(int argc, char **argv)
{
    static const Refusal refusals[] = {
        { "no-such-file.so", "cannot be loaded" },
        { "bad-1.so", "no function 'vmheat_primitive_plugin'" },
        { "bad-2.so", "version 2 of the interface: this vmheat knows 1 to 1" },
        { "bad-3.so", "VhPrimitiveOps of 16 bytes" },
        { "bad-4.so", "rebuild it with this vmheat's headers" },
        { "bad-5.so", "lacks one of probe" },
        { "bad-6.so", "'trap', which vmheat has already" },
        { "bad-7.so", "refuses: not on a Monday" },
        { "bad-8.so", "does not tell its name" },
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autofree char *name =
            g_strdup_printf("/plugin/refused/%s", refusals[i].file);

        g_test_add_data_func(name, &refusals[i], test_refused);
    }
    g_test_add_func("/plugin/example", test_example);
    return g_test_run();
}
