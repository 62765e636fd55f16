/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results as text, as JSON, as a table. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "vmheat/monitor.h"

#define MIB (1 << 20)

/* How a member of Result is shown. */
typedef struct Field {
    const char *name;
    size_t offset;
    int digits;
    double worst; /* quantile that is the worst of the runs, or -1 */
} Field;

#define FIELD(name, digits, worst)                            \
    {                                                         \
#name, G_STRUCT_OFFSET(Result, name), (digits), worst \
    }

enum { LEAST = 0, MOST = 1, NO_WORST = -1 };

static const Field fields[] = {
    FIELD(f1, 4, LEAST),
    FIELD(precision, 4, LEAST),
    FIELD(recall, 4, LEAST),
    FIELD(checks_per_s, 1, NO_WORST),
    FIELD(checks_share, 5, NO_WORST),
    FIELD(arms_per_s, 1, NO_WORST),
    FIELD(fires_per_s, 1, NO_WORST),
    FIELD(detect_ms, 0, MOST),
    FIELD(rate_error, 4, MOST),
    FIELD(cpu_ns_per_tick, 0, NO_WORST),
    FIELD(bytes, 0, NO_WORST),
    FIELD(f1_half, 4, NO_WORST),
    FIELD(f1_rate, 4, NO_WORST),
    FIELD(f1_best, 4, NO_WORST),
    FIELD(write_f1, 4, LEAST),
    FIELD(wss_error, 4, MOST),
    FIELD(first_ms, 0, MOST),
    FIELD(settled_ms, 0, MOST),
    FIELD(good_pct, 1, LEAST),
    FIELD(unseen_per_s, 1, NO_WORST),
    FIELD(ticks_per_s, 1, NO_WORST),
    FIELD(guest_pct, 3, NO_WORST),
    FIELD(worker_pct, 3, NO_WORST),
    FIELD(regions, 0, NO_WORST),
};

static const char *what(const Options *o)
{
    return o->trace ?: o->pattern;
}

/* Never is -1, none is null. */
static void append_number(GString *s, const char *name, const char *suffix,
                          double value, int digits)
{
    char buf[64];

    g_string_append_printf(s, ",\"%s%s\":", name, suffix);
    if (isnan(value)) {
        g_string_append(s, "null");
        return;
    }
    value = isinf(value) ? -1 : value;
    g_snprintf(buf, sizeof(buf), "%.*f", digits, value);
    g_string_append(s, buf);
}

static void append_quoted(GString *s, const char *text)
{
    g_string_append_c(s, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\' || (unsigned char)*text < ' ') {
            g_string_append_printf(s, "\\u%04x", *text);
        } else {
            g_string_append_c(s, *text);
        }
    }
    g_string_append_c(s, '"');
}

static void append_settings(GString *s, const Options *o, const Result *r,
                            int n)
{
    VhAttrs a = run_attrs(o);

    g_string_append_printf(
        s,
        ",\"seed\":%" PRId64 ",\"seeds\":%d,\"seconds\":%.10g,"
        "\"unlimited\":%s,\"budget_bp\":%d,\"traps\":%d,"
        "\"sampling_ms\":%" PRIu64 ",\"aggregation_ms\":%" PRIu64 ","
        "\"min_regions\":%u,\"max_regions\":%u,\"granule\":%" PRIu64 ","
        "\"persistent\":%s,\"threshold_hz\":%.10g,\"host\":\"%s\","
        "\"batch_ns\":%" PRId64 ",\"arm_ns\":%" PRId64 ",\"fire_ns\":%" PRId64,
        (int64_t)o->seed, n, r->seconds, o->unlimited ? "true" : "false",
        o->budget, o->traps, a.sampling_us / 1000, a.aggregation_us / 1000,
        a.min_regions, a.max_regions, o->granule,
        o->non_persistent ? "false" : "true", o->threshold_hz, o->host->name,
        (int64_t)o->batch_ns, (int64_t)o->arm_ns, (int64_t)o->fire_ns);
}

char *report_json(const Options *o, const Result *r, int n)
{
    GString *s = g_string_new("{\"bench\":\"accuracy\",\"pattern\":");

    append_quoted(s, what(o));
    g_string_append(s, ",\"estimator\":");
    append_quoted(s, o->estimator);
    append_number(s, "size", "", r->size, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        const Field *f = &fields[i];

        if (o->no_cpu && !strcmp(f->name, "cpu_ns_per_tick")) {
            continue;
        }
        append_number(s, f->name, "", run_quantile(r, n, f->offset, 0.5),
                      f->digits);
        if (f->worst != NO_WORST) {
            append_number(s, f->name, "_worst",
                          run_quantile(r, n, f->offset, f->worst), f->digits);
        }
    }
    append_settings(s, o, r, n);
    g_string_append_c(s, '}');
    return g_string_free(s, false);
}

static void print_value(double v, int width, int digits)
{
    if (isnan(v)) {
        printf(" %*s", width, "-");
    } else if (isinf(v)) {
        printf(" %*s", width, "never");
    } else {
        printf(" %*.*f", width, digits, v);
    }
}

void report_text(const Options *o, const Result *r, int n)
{
    VhAttrs a = run_attrs(o);

    printf("%s, %.0f MiB, %s, %" PRIu64 "/%" PRIu64 " ms, %u..%u regions, ",
           what(o), r->size / MIB, o->estimator, a.sampling_us / 1000,
           a.aggregation_us / 1000, a.min_regions, a.max_regions);
    if (o->unlimited) {
        printf("unlimited");
    } else {
        printf("budget %d bp", o->budget);
        if (o->traps) {
            printf(", %d traps/s", o->traps);
        }
    }
    printf(", host %s, %.10g s, %d seed%s\n", o->host->name, r->seconds, n,
           n > 1 ? "s" : "");
    printf("%-16s %12s %12s\n", "", "median", "worst");
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        const Field *f = &fields[i];

        printf("%-16s", f->name);
        print_value(run_quantile(r, n, f->offset, 0.5), 12, f->digits);
        if (f->worst != NO_WORST) {
            print_value(run_quantile(r, n, f->offset, f->worst), 12, f->digits);
        }
        printf("\n");
    }
}

/* Columns of the table. */
static const struct {
    const char *head;
    size_t offset;
    int width;
    int digits;
} columns[] = {
    { "F1", G_STRUCT_OFFSET(Result, f1), 6, 3 },
    { "best", G_STRUCT_OFFSET(Result, f1_best), 6, 3 },
    { "prec.", G_STRUCT_OFFSET(Result, precision), 6, 3 },
    { "recall", G_STRUCT_OFFSET(Result, recall), 6, 3 },
    { "checks/s", G_STRUCT_OFFSET(Result, checks_per_s), 9, 0 },
    { "share", G_STRUCT_OFFSET(Result, checks_share), 7, 4 },
    { "arms/s", G_STRUCT_OFFSET(Result, arms_per_s), 8, 0 },
    { "fires/s", G_STRUCT_OFFSET(Result, fires_per_s), 8, 0 },
    { "detect ms", G_STRUCT_OFFSET(Result, detect_ms), 9, 0 },
    { "rate err", G_STRUCT_OFFSET(Result, rate_error), 8, 2 },
    { "wss err", G_STRUCT_OFFSET(Result, wss_error), 7, 2 },
    { "guest %", G_STRUCT_OFFSET(Result, guest_pct), 7, 2 },
    { "ns/tick", G_STRUCT_OFFSET(Result, cpu_ns_per_tick), 8, 0 },
    { "bytes", G_STRUCT_OFFSET(Result, bytes), 8, 0 },
};

void report_head(void)
{
    printf("%-10s %-9s %7s %7s", "pattern", "estimator", "budget", "GiB");
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++) {
        printf(" %*s", columns[i].width, columns[i].head);
    }
    printf("\n");
}

void report_row(const Options *o, const Result *r, int n)
{
    char budget[16] = "none";

    if (!o->unlimited) {
        g_snprintf(budget, sizeof(budget), "%.2f %%", o->budget / 100.0);
    }
    printf("%-10s %-9s %7s %7.4g", what(o), o->estimator, budget,
           r->size / MIB / 1024);
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++) {
        print_value(run_quantile(r, n, columns[i].offset, 0.5),
                    columns[i].width, columns[i].digits);
    }
    printf("\n");
}
