/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scripted primitive: what scripts mean, and which are refused how. */
#include <glib.h>
#include <string.h>

#include "vmheat/primitive.h"

static uint64_t now_ns(void *opaque)
{
    return *(uint64_t *)opaque;
}

static VhHost host_for(uint64_t *now, const char *script)
{
    return (VhHost){ .script = script,
                     .clock = { .now_ns = now_ns, .opaque = now } };
}

/* Of 1000 checks at @gpa, how many fire? */
static unsigned fires(void *fake, uint64_t gpa)
{
    const VhPrimitiveOps *ops = vh_primitive_find("fake");
    unsigned n = 0;

    for (int i = 0; i < 1000; i++) {
        VhCheck c = { .gpa = gpa };

        ops->arm(fake, &c, 1);
        g_assert_cmpint(c.state, ==, VH_CHECK_ARMED);
        ops->collect(fake, &c, 1);
        n += c.state == VH_CHECK_FIRED;
    }
    return n;
}

static void test_good(void)
{
    const VhPrimitiveOps *ops = vh_primitive_find("fake");
    uint64_t now = 5000000000;
    VhHost host = host_for(&now, "0 1M 1 # a comment is a line of its own");
    VhHost good = host_for(&now, "# comment\n0 1G 1\n\n \t4K   0x2000 0 \n"
                                 "3M 4M 0.5;at 2\n8M 9M 1.0");
    char *why = NULL;
    void *fake = ops->open(&good, &why);
    VhPrimitiveStats st;

    g_assert_cmpstr(why, ==, NULL);
    g_assert_cmpuint(fires(fake, 0), ==, 1000);
    g_assert_cmpuint(fires(fake, 4096), ==, 0);
    g_assert_cmpuint(fires(fake, 8192), ==, 1000);
    g_assert_cmpuint(fires(fake, 3 << 20), >, 400);
    g_assert_cmpuint(fires(fake, 3 << 20), <, 600);
    g_assert_cmpuint(fires(fake, 1ULL << 30), ==, 0);
    now += 2000000000;
    g_assert_cmpuint(fires(fake, 0), ==, 0);
    g_assert_cmpuint(fires(fake, 8 << 20), ==, 1000);
    ops->stats(fake, &st);
    g_assert_cmpuint(st.arms, ==, 8000);
    ops->release(fake);
    g_assert_null(ops->open(&host, &why));
    g_free(why);
}

static void test_no_script(void)
{
    const VhPrimitiveOps *ops = vh_primitive_find("fake");
    uint64_t now = 0;
    VhHost host = host_for(&now, NULL);
    char *why = NULL;
    void *fake = ops->open(&host, &why);

    g_assert_nonnull(fake);
    g_assert_cmpuint(fires(fake, 0), ==, 0);
    g_assert_true(ops->set_map(fake, NULL, &why));
    ops->release(fake);
}

static void test_refuse(void)
{
    const VhPrimitiveOps *ops = vh_primitive_find("fake");
    uint64_t now = 0;
    VhHost host = host_for(&now, "refuse first\nrefuse   not  today ");
    char *why = NULL;
    void *fake = ops->open(&host, &why);

    g_assert_false(ops->set_map(fake, NULL, &why));
    g_assert_cmpstr(why, ==, "not  today");
    g_free(why);
    ops->release(fake);
}

static void assert_bad(const char *line)
{
    const VhPrimitiveOps *ops = vh_primitive_find("fake");
    g_autofree char *script = g_strdup_printf("0 1M 1\n# two\n%s\n", line);
    g_autofree char *want = g_strdup_printf(
        "fake script line 3: '%s' is none of START END PROBABILITY(0..1), "
        "at SECONDS, refuse TEXT",
        line);
    uint64_t now = 0;
    VhHost host = host_for(&now, script);
    g_autofree char *why = NULL;
    g_autofree char *why_probe = NULL;
    VhCaps caps;

    g_assert_null(ops->open(&host, &why));
    g_assert_cmpstr(why, ==, want);
    g_assert_false(ops->probe(NULL, &host, &caps, &why_probe));
    g_assert_cmpstr(why_probe, ==, want);
}

static void test_bad(void)
{
    static const char *const lines[] = {
        "0",
        "0 1M",
        "0 1M 1 1",
        "0 1M 1.1",
        "0 1M -0.1",
        "0 1M nan",
        "0 1M x",
        "0 1M 1x",
        "1M 1M 1",
        "2M 1M 1",
        "-1 1M 1",
        "0 1T 1",
        "0 1KK 1",
        "0 1k 1",
        "0x 1M 1",
        "K 1M 1",
        "0 99999999999999999999999 1",
        "0 17179869185G 1",
        "at",
        "at x",
        "at -1",
        "at nan",
        "at inf",
        "at 1e30",
        "at 1 2",
        "refuse",
        "At 1",
        "refusex",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        assert_bad(lines[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fake/good", test_good);
    g_test_add_func("/fake/no-script", test_no_script);
    g_test_add_func("/fake/refuse", test_refuse);
    g_test_add_func("/fake/bad", test_bad);
    return g_test_run();
}
