/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dashboard as programs get it: a page, and every file that it names;
 * nothing inline, which the exporter's policy forbids; nothing from elsewhere.
 */
#include <string.h>

#include <gio/gio.h>

#include "web-resources.h"

#define PREFIX "/vmheat/web/"

static char *text_of(const char *name)
{
    g_autofree char *path = g_strconcat(PREFIX, name, NULL);
    g_autoptr(GError) err = NULL;
    g_autoptr(GBytes) bytes = g_resource_lookup_data(
        vmheat_web_get_resource(), path, G_RESOURCE_LOOKUP_FLAGS_NONE, &err);

    g_assert_no_error(err);
    return g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static void test_page(void)
{
    g_autofree char *page = text_of("index.html");

    g_assert_true(g_str_has_prefix(page, "<!doctype html>"));
    g_assert_nonnull(strstr(page, "<title>vmheat</title>"));
}

static void test_files(void)
{
    g_autofree char *page = text_of("index.html");
    g_autoptr(GRegex) named =
        g_regex_new("(?:src|href)=\"\\./([^\"]+)\"", 0, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;

    g_regex_match(named, page, 0, &match);
    for (; g_match_info_matches(match); g_match_info_next(match, NULL)) {
        g_autofree char *name = g_match_info_fetch(match, 1);
        g_autofree char *text = text_of(name);

        g_assert_cmpuint(strlen(text), >, 100);
    }
}

static void test_policy(void)
{
    static const char *const bad[] = { "<script>",  "<style",      " style=\"",
                                       " onclick=", "href=\"http", "src=\"http",
                                       "src=\"//" };
    g_autofree char *page = text_of("index.html");

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        if (strstr(page, bad[i])) {
            g_error("the page contains '%s'", bad[i]);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/web/page", test_page);
    g_test_add_func("/web/files", test_files);
    g_test_add_func("/web/policy", test_policy);
    return g_test_run();
}
