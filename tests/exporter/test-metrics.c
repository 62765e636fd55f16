/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text of metrics: escapes, formats, the table. */
#include <string.h>

#include "metrics.h"

static void check_escape(const char *value, const char *text)
{
    GString *out = g_string_new(NULL);

    vh_metrics_escape(out, value);
    g_assert_cmpstr(out->str, ==, text);
    g_string_free(out, true);
}

static void test_escape(void)
{
    g_autofree char *much = g_strnfill(2000, 'x');
    g_autofree char *cut = g_strnfill(512, 'x');

    check_escape("", "");
    check_escape("plain {a=b}, c", "plain {a=b}, c");
    check_escape("a\"b\\c", "a\\\"b\\\\c");
    check_escape("\\n", "\\\\n");
    check_escape("two\nlines\r\t\x7f", "two?lines???");
    check_escape("\xc3\xa9\xff", "\xc3\xa9\xef\xbf\xbd");
    check_escape("\xc2\x85", "?"); /* a control character of two bytes */
    check_escape(much, cut);
}

static VhView *make_view(const char *domain)
{
    VhView *v = vh_view_new();

    v->domain = g_strdup(domain);
    v->uuid = NULL;
    v->state = "running";
    v->time = 1.5;
    v->cost = 0.25;
    v->info = g_new0(VhInfo, 1);
    v->info->json = json_node_new(JSON_NODE_NULL);
    v->info->version = v->info->accelerator = v->info->estimator =
        v->info->primitive = "x";
    v->info->total_size = 3 << 20;
    v->info->stats.checks = 7;
    v->qemu_version = g_strdup("1");
    v->snapshot = g_new0(VhSnapshot, 1);
    v->sums.total = 6;
    v->sums.idle_buckets[0] = 1;
    v->sums.idle_buckets[2] = 2;
    v->sums.idle_buckets[VH_NR_IDLE_BOUNDS] = 3;
    v->sums.idle_seconds = 12.5;
    return v;
}

static char *write_all(bool openmetrics)
{
    g_autoptr(GPtrArray) views =
        g_ptr_array_new_with_free_func((GDestroyNotify)vh_view_unref);
    VhHost host = { .memory_total = 4096 };
    VhStats stats = { .polls = 3 };
    VhMetricsInput in = { views, &host, &stats, "n\"1" };

    g_ptr_array_add(views, make_view("a\nb"));
    return g_string_free(vh_metrics_write(&in, openmetrics), false);
}

static void has(const char *text, const char *part)
{
    if (!strstr(text, part)) {
        g_error("there is no '%s' in: %s", part, text);
    }
}

#define LABELS "{domain=\"a?b\",uuid=\"\",node=\"n\\\"1\""

static void test_openmetrics(void)
{
    g_autofree char *t = write_all(true);

    has(t, "# TYPE vmheat_domain_checks counter\n"
           "vmheat_domain_checks_total" LABELS "} 7\n");
    has(t, "# TYPE vmheat_domain info\nvmheat_domain_info" LABELS ",");
    has(t, "# TYPE vmheat_domain_size_bytes gauge\n"
           "# UNIT vmheat_domain_size_bytes bytes\n"
           "vmheat_domain_size_bytes" LABELS "} 3145728\n");
    has(t, "# TYPE vmheat_domain_idle_age_seconds gaugehistogram\n");
    has(t, "vmheat_domain_idle_age_seconds_gcount" LABELS "} 6\n");
    has(t, "vmheat_domain_idle_age_seconds_gsum" LABELS "} 12.5\n");
    has(t, "vmheat_host_memory_total_bytes{node=\"n\\\"1\"} 4096\n");
    has(t, "\nvmheat_exporter_polls_total 3\n");
    g_assert_true(g_str_has_suffix(t, "\n# EOF\n"));
}

static void test_plain(void)
{
    g_autofree char *t = write_all(false);

    has(t, "# TYPE vmheat_domain_checks_total counter\n"
           "vmheat_domain_checks_total" LABELS "} 7\n");
    has(t, "# TYPE vmheat_domain_info gauge\n");
    has(t, "# TYPE vmheat_domain_idle_age_seconds histogram\n"
           "vmheat_domain_idle_age_seconds_bucket" LABELS ",le=\"0.1\"} 1\n"
           "vmheat_domain_idle_age_seconds_bucket" LABELS ",le=\"1.0\"} 1\n"
           "vmheat_domain_idle_age_seconds_bucket" LABELS ",le=\"5.0\"} 3\n");
    has(t, ",le=\"86400.0\"} 3\n");
    has(t, ",le=\"+Inf\"} 6\nvmheat_domain_idle_age_seconds_count" LABELS
           "} 6\nvmheat_domain_idle_age_seconds_sum" LABELS "} 12.5\n");
    has(t, "vmheat_domain_monitoring_cost_ratio" LABELS "} 0.25\n");
    g_assert_null(strstr(t, "EOF"));
    g_assert_null(strstr(t, "UNIT"));
}

/* The same series, whatever was asked for. */
static void test_same_series(void)
{
    g_autofree char *plain = write_all(false);
    g_auto(GStrv) lines = g_strsplit(plain, "\n", -1);
    g_autofree char *open = write_all(true);

    for (char **l = lines; *l; l++) {
        if (**l != '#' && **l && !strstr(*l, "_count{") &&
            !strstr(*l, "_sum{") && !g_str_has_prefix(*l, "process_")) {
            has(open, *l);
        }
    }
}

/* What the conventions of Prometheus ask of names. */
static void test_table(void)
{
    const VhMetric *m;
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for (unsigned i = 0; (m = vh_metric_nth(i)); i++) {
        g_autofree char *end = g_strconcat("_", m->unit, NULL);

        g_assert_true(g_hash_table_add(names, (char *)m->name));
        g_assert_true(!m->unit || g_str_has_suffix(m->name, end));
        g_assert_false(g_str_has_suffix(m->name, "_total"));
        g_assert_false(g_str_has_suffix(m->name, "_info"));
        g_assert_true(g_str_has_suffix(m->help, "."));
        g_assert_null(strchr(m->help, '\n'));
        g_assert_null(strchr(m->help, '\\'));
        for (const char *const *l = m->labels; *l; l++) {
            g_assert_null(strstr(*l, "region"));
            g_assert_null(strstr(*l, "address"));
        }
    }
    g_assert_cmpuint(g_hash_table_size(names), >, 50);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/metrics/escape", test_escape);
    g_test_add_func("/metrics/openmetrics", test_openmetrics);
    g_test_add_func("/metrics/plain", test_plain);
    g_test_add_func("/metrics/same-series", test_same_series);
    g_test_add_func("/metrics/table", test_table);
    return g_test_run();
}
