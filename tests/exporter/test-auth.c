/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "auth.h"

static void test_token(void)
{
    g_assert_true(vh_token_is("Bearer secret", "secret"));
    g_assert_true(vh_token_is("bearer secret", "secret"));
    g_assert_false(vh_token_is(NULL, "secret"));
    g_assert_false(vh_token_is("", "secret"));
    g_assert_false(vh_token_is("Bearer", "secret"));
    g_assert_false(vh_token_is("Bearer ", "secret"));
    g_assert_false(vh_token_is("Bearer secre", "secret"));
    g_assert_false(vh_token_is("Bearer secrets", "secret"));
    g_assert_false(vh_token_is("Bearer  secret", "secret"));
    g_assert_false(vh_token_is("secret", "secret"));
}

static void test_host(void)
{
    char *names[] = { "one.example", "two", NULL };

    g_assert_true(vh_host_is_ours("10.0.0.1", NULL));
    g_assert_true(vh_host_is_ours("[fe80::1]:9724", NULL));
    g_assert_true(vh_host_is_ours("localhost:1", NULL));
    g_assert_true(vh_host_is_ours("One.Example:1", names));
    g_assert_true(vh_host_is_ours("two", names));
    g_assert_false(vh_host_is_ours("two", NULL));
    g_assert_false(vh_host_is_ours(NULL, names));
    g_assert_false(vh_host_is_ours("", names));
    g_assert_false(vh_host_is_ours("three", names));
    g_assert_false(vh_host_is_ours("10.0.0.1:port", NULL));
    g_assert_false(vh_host_is_ours("[::1", NULL));
    g_assert_false(vh_host_is_ours("[", NULL));
    g_assert_false(vh_host_is_ours("[]", NULL));
    g_assert_false(vh_host_is_ours("[::1]x", NULL));
    g_assert_false(vh_host_is_ours("10.0.0.1.example", NULL));
}

static void test_origin(void)
{
    g_assert_true(vh_origin_is_ours(NULL, NULL, "h:1"));
    g_assert_true(vh_origin_is_ours("http://h:1", "same-origin", "h:1"));
    g_assert_true(vh_origin_is_ours("https://H:1", NULL, "h:1"));
    g_assert_false(vh_origin_is_ours("http://h:1", "cross-site", "h:1"));
    g_assert_false(vh_origin_is_ours("http://h:2", NULL, "h:1"));
    g_assert_false(vh_origin_is_ours("http://h:1/", NULL, "h:1"));
    g_assert_false(vh_origin_is_ours("http://x@h:1", NULL, "h:1"));
    g_assert_false(vh_origin_is_ours("null", NULL, "h:1"));
    g_assert_false(vh_origin_is_ours("", NULL, "h:1"));
    g_assert_false(vh_origin_is_ours("file://h:1", NULL, "h:1"));
    g_assert_false(vh_origin_is_ours("http://h:1", NULL, NULL));
}

static void test_type(void)
{
    g_assert_true(vh_type_is_json("application/json"));
    g_assert_true(vh_type_is_json("Application/JSON; charset=utf-8"));
    g_assert_false(vh_type_is_json("application/jsonx"));
    g_assert_false(vh_type_is_json("text/plain"));
    g_assert_false(vh_type_is_json(NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/auth/token", test_token);
    g_test_add_func("/auth/host", test_host);
    g_test_add_func("/auth/origin", test_origin);
    g_test_add_func("/auth/type", test_type);
    return g_test_run();
}
