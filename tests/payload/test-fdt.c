/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The payload's reader of device trees, on trees that are made here. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "fdt.h"

/* The structure block, as it grows. */
typedef struct Tree {
    GByteArray *bytes;
} Tree;

static const char strings[] = "reg\0bootargs\0stdout-path";
enum { REG = 0, BOOTARGS = 4, STDOUT = 13 };

static void word(Tree *t, uint32_t w)
{
    w = GUINT32_TO_BE(w);
    g_byte_array_append(t->bytes, (guint8 *)&w, 4);
}

static void text(Tree *t, const char *s, size_t size)
{
    static const guint8 zero[4];

    g_byte_array_append(t->bytes, (const guint8 *)s, size);
    g_byte_array_append(t->bytes, zero, -size & 3);
}

static void begin(Tree *t, const char *name)
{
    word(t, 1);
    text(t, name, strlen(name) + 1);
}

static void end(Tree *t)
{
    word(t, 2);
}

static void prop(Tree *t, uint32_t name, const char *value, size_t size)
{
    word(t, 3);
    word(t, size);
    word(t, name);
    text(t, value, size);
}

static Tree tree(void)
{
    return (Tree){ g_byte_array_new() };
}

/* The blob: header, structure, strings. */
static void *finish(Tree *t, size_t *size)
{
    size_t body = t->bytes->len, all = 40 + body + sizeof(strings);
    uint32_t *fdt = g_malloc0((all + 3) & ~3ull);
    const uint32_t header[] = { 0xd00dfeed, all, 40, 40 + body, 0,
                                17,         16,  0,  0,         0 };

    for (size_t i = 0; i < G_N_ELEMENTS(header); i++) {
        fdt[i] = GUINT32_TO_BE(header[i]);
    }
    memcpy((char *)fdt + 40, t->bytes->data, body);
    memcpy((char *)fdt + 40 + body, strings, sizeof(strings));
    g_byte_array_unref(t->bytes);
    *size = all;
    return fdt;
}

/* Other nodes before it, names that are nearly it, bootargs in other places. */
static Tree usual(const char *args)
{
    Tree t = tree();

    begin(&t, "");
    prop(&t, REG, "12345", 5);
    prop(&t, BOOTARGS, "root", 5);
    begin(&t, "chosenx");
    prop(&t, BOOTARGS, "wrong", 6);
    end(&t);
    begin(&t, "soc");
    begin(&t, "chosen");
    prop(&t, BOOTARGS, "deep", 5);
    end(&t);
    end(&t);
    word(&t, 4);
    begin(&t, "chosen");
    prop(&t, STDOUT, "/uart", 6);
    begin(&t, "child");
    prop(&t, BOOTARGS, "below", 6);
    end(&t);
    if (args) {
        prop(&t, BOOTARGS, args, strlen(args) + 1);
    }
    end(&t);
    begin(&t, "memory");
    prop(&t, BOOTARGS, "after", 6);
    end(&t);
    end(&t);
    word(&t, 9);
    return t;
}

static void check(Tree t, const char *wanted)
{
    size_t size;
    g_autofree void *fdt = finish(&t, &size);

    g_assert_cmpstr(vhp_fdt_bootargs(fdt), ==, wanted);
}

static void test_found(void)
{
    check(usual("ram=256M go"), "ram=256M go");
    check(usual(""), "");
}

static void test_missing(void)
{
    Tree t = tree();

    check(usual(NULL), NULL);
    begin(&t, "");
    begin(&t, "chosen");
    prop(&t, BOOTARGS, "open", 4); /* no terminating 0 */
    check(t, NULL);
    g_assert_null(vhp_fdt_bootargs(NULL));
    g_assert_null(vhp_fdt_bootargs("no device tree\0\0"));
}

/* However short its total size says it is: nothing found, or the right one. */
static void test_cut(void)
{
    Tree t = usual("ram=1");
    size_t size;
    g_autofree uint32_t *fdt = finish(&t, &size);

    for (size_t cut = 0; cut < size; cut++) {
        const char *got;

        fdt[1] = GUINT32_TO_BE(cut);
        got = vhp_fdt_bootargs(fdt);
        g_assert_true(!got || g_str_equal(got, "ram=1"));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/payload-fdt/found", test_found);
    g_test_add_func("/payload-fdt/missing", test_missing);
    g_test_add_func("/payload-fdt/cut", test_cut);
    return g_test_run();
}
