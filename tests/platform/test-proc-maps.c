/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vh_proc_maps_shared() reads out of texts. */
#include <glib.h>
#include <sys/mman.h>

#include "accel/proc-maps.h"

#define LINE(from, to, perms) from "-" to " " perms " 00000000 00:01 7 /memfd\n"

static void test_shared(void)
{
    const char *text = LINE("1000", "2000", "r-xp") LINE("2000", "8000", "rw-s")
        LINE("8000", "9000", "---p");

    g_assert_true(vh_proc_maps_shared(text, 0x2000, 0x8000));
    g_assert_true(vh_proc_maps_shared(text, 0x3000, 0x4000));
    g_assert_false(vh_proc_maps_shared(text, 0x1000, 0x8000));
    g_assert_false(vh_proc_maps_shared(text, 0x2000, 0x8001));
    g_assert_false(vh_proc_maps_shared(text, 0x7000, 0x9000));
    g_assert_false(vh_proc_maps_shared(text, 0x1000, 0x2000));
    g_assert_false(vh_proc_maps_shared(text, 0x9000, 0xa000));
}

static void test_split(void)
{
    const char *text = LINE("2000", "4000", "rw-s") LINE("4000", "5000", "r--s")
        LINE("5000", "8000", "rw-s");

    g_assert_true(vh_proc_maps_shared(text, 0x2000, 0x8000));
    g_assert_true(vh_proc_maps_shared(text, 0x3000, 0x6000));
    g_assert_false(vh_proc_maps_shared(text, 0x3000, 0x8001));
}

static void test_gap(void)
{
    const char *text =
        LINE("2000", "4000", "rw-s") LINE("5000", "8000", "rw-s");

    g_assert_false(vh_proc_maps_shared(text, 0x2000, 0x8000));
    g_assert_false(vh_proc_maps_shared(text, 0x4000, 0x5000));
    g_assert_false(vh_proc_maps_shared(text, 0x1000, 0x3000));
    g_assert_true(vh_proc_maps_shared(text, 0x5000, 0x6000));
}

static void test_private_middle(void)
{
    const char *text = LINE("2000", "4000", "rw-s") LINE("4000", "5000", "rw-p")
        LINE("5000", "8000", "rw-s");

    g_assert_false(vh_proc_maps_shared(text, 0x2000, 0x8000));
    g_assert_false(vh_proc_maps_shared(text, 0x4fff, 0x5001));
    g_assert_true(vh_proc_maps_shared(text, 0x5000, 0x8000));
}

static void test_garbage(void)
{
    static const char *const lines[] = {
        "",
        "\n",
        "hello\n",
        "2000\n",
        "2000-\n",
        "2000-8000\n",
        "2000-8000 \n",
        "2000-8000 rw\n",
        "2000-8000 rw-ss 0\n",
        "2000-8000 rw-",
        "2000 8000 rw-s 0\n",
        "2000-8000\nrw-s 0\n",
        "8000-2000 rw-s 0\n",
        "x2000-8000 rw-s 0\n",
        "99999999999999999999-2 rw-s 0\n",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *text =
            g_strconcat(lines[i], LINE("9000", "a000", "rw-s"), NULL);

        g_assert_false(vh_proc_maps_shared(lines[i], 0x2000, 0x8000));
        g_assert_false(vh_proc_maps_shared(text, 0x2000, 0x8000));
    }
    g_assert_true(vh_proc_maps_shared("2000-8000 rw-s 0", 0x2000, 0x8000));
}

/* A range without a byte, or one that wraps, proves nothing. */
static void test_no_range(void)
{
    const char *text = LINE("2000", "8000", "rw-s");

    g_assert_false(vh_proc_maps_shared(text, 0x3000, 0x3000));
    g_assert_false(vh_proc_maps_shared(text, 0x3000, 0x1000));
    g_assert_false(vh_proc_maps_shared(text, ~0xfffULL, 0x1000));
    g_assert_false(vh_proc_maps_shared(NULL, 0x2000, 0x8000));
}

static void test_self(void)
{
    uint8_t *s = mmap(NULL, 8192, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint8_t *p =
        mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_autofree char *text = NULL;
    char *why = NULL;

    text = vh_proc_maps_read(&why);
    g_assert_cmpstr(why, ==, NULL);
    g_assert_true(vh_proc_maps_shared(text, (uintptr_t)s, (uintptr_t)s + 8192));
    g_assert_false(
        vh_proc_maps_shared(text, (uintptr_t)p, (uintptr_t)p + 8192));
    munmap(s, 8192);
    munmap(p, 8192);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/proc-maps/shared", test_shared);
    g_test_add_func("/proc-maps/split", test_split);
    g_test_add_func("/proc-maps/gap", test_gap);
    g_test_add_func("/proc-maps/private-middle", test_private_middle);
    g_test_add_func("/proc-maps/garbage", test_garbage);
    g_test_add_func("/proc-maps/no-range", test_no_range);
    g_test_add_func("/proc-maps/self", test_self);
    return g_test_run();
}
