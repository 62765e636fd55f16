/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "metrics.h"

#define LABEL_MAX 512 /* bytes of a value */
#define SCHEMES_MAX 64

/**
 * struct VhSamples - a family that is being written
 * @text: all of it
 * @metric: the family
 * @labels: of what the next samples are of, without braces
 * @openmetrics: else 0.0.4
 * @headed: HELP and TYPE are there
 */
struct VhSamples {
    GString *text;
    const VhMetric *metric;
    const char *labels;
    bool openmetrics, headed;
};

const char *vh_metric_suffix(const VhMetric *m)
{
    return m->type == VH_METRIC_COUNTER ? "_total"
           : m->type == VH_METRIC_INFO  ? "_info"
                                        : "";
}

const char *vh_metric_type_name(VhMetricType type)
{
    static const char *const names[] = {
        [VH_METRIC_GAUGE] = "gauge",
        [VH_METRIC_COUNTER] = "counter",
        [VH_METRIC_INFO] = "info",
        [VH_METRIC_GAUGEHISTOGRAM] = "gaugehistogram",
    };

    return names[type];
}

/* 0.0.4 knows fewer types. */
static const char *plain_type(VhMetricType type)
{
    return type == VH_METRIC_INFO             ? "gauge"
           : type == VH_METRIC_GAUGEHISTOGRAM ? "histogram"
                                              : vh_metric_type_name(type);
}

const char *const *vh_metric_base_labels(VhMetricOf of)
{
    static const char *const domain[] = { "domain", "uuid", "node", NULL };
    static const char *const scheme[] = { "domain", "uuid",   "node",
                                          "scheme", "action", NULL };
    static const char *const host[] = { "node", NULL };
    static const char *const none[] = { NULL };

    switch (of) {
    case VH_METRIC_OF_DOMAIN:
        return domain;
    case VH_METRIC_OF_SCHEME:
        return scheme;
    case VH_METRIC_OF_HOST:
        return host;
    default:
        return none;
    }
}

/* ---- text ---- */

/* Nearly all are, and these need no copy. */
static bool is_plain(const char *text)
{
    while (*text >= ' ' && *text < 0x7f) {
        text++;
    }
    return !*text;
}

void vh_metrics_escape(GString *out, const char *value)
{
    g_autofree char *clean = NULL;

    if (strlen(value) > LABEL_MAX || !is_plain(value)) {
        value = clean = vh_clean_text(value, LABEL_MAX);
    }
    for (const char *p = value; *p; p++) {
        if (*p == '\\' || *p == '"') {
            g_string_append_c(out, '\\');
        }
        g_string_append_c(out, *p);
    }
}

static void add_label(GString *out, const char *name, const char *value)
{
    if (out->len && out->str[out->len - 1] != '{') {
        g_string_append_c(out, ',');
    }
    g_string_append(out, name);
    g_string_append(out, "=\"");
    vh_metrics_escape(out, value ? value : "");
    g_string_append_c(out, '"');
}

static void add_number(GString *out, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    if (value == floor(value) && fabs(value) < 9007199254740992.0) {
        g_string_append_printf(out, "%" G_GINT64_FORMAT, (gint64)value);
    } else if (isfinite(value)) {
        g_string_append(out,
                        g_ascii_formatd(text, sizeof(text), "%.12g", value));
    } else {
        g_string_append(out, isnan(value) ? "NaN"
                             : value > 0  ? "+Inf"
                                          : "-Inf");
    }
}

/* A bound: the same in both formats, "1.0" as OpenMetrics wants it. */
static void bound_text(char *text, size_t size, double bound)
{
    g_ascii_formatd(text, size, "%.12g", bound);
    if (!strpbrk(text, ".e")) {
        g_strlcat(text, ".0", size);
    }
}

static void head(VhSamples *s)
{
    const VhMetric *m = s->metric;
    const char *suffix = s->openmetrics ? "" : vh_metric_suffix(m);

    if (s->headed) {
        return;
    }
    s->headed = true;
    g_string_append_printf(s->text, "# HELP %s%s %s\n# TYPE %s%s %s\n", m->name,
                           suffix, m->help, m->name, suffix,
                           s->openmetrics ? vh_metric_type_name(m->type)
                                          : plain_type(m->type));
    if (s->openmetrics && m->unit) {
        g_string_append_printf(s->text, "# UNIT %s %s\n", m->name, m->unit);
    }
}

/* Name and labels, without the end of them. */
static void open_sample(VhSamples *s, const char *suffix)
{
    head(s);
    g_string_append(s->text, s->metric->name);
    g_string_append(s->text, suffix);
    g_string_append_c(s->text, '{');
    g_string_append(s->text, s->labels);
}

static void close_sample(VhSamples *s, double value)
{
    if (s->text->str[s->text->len - 1] == '{') {
        g_string_truncate(s->text, s->text->len - 1);
    } else {
        g_string_append_c(s->text, '}');
    }
    g_string_append_c(s->text, ' ');
    add_number(s->text, value);
    g_string_append_c(s->text, '\n');
}

void vh_sample(VhSamples *out, double value, ...)
{
    va_list ap;

    open_sample(out, vh_metric_suffix(out->metric));
    va_start(ap, value);
    for (const char *const *l = out->metric->labels; *l; l++) {
        add_label(out->text, *l, va_arg(ap, const char *));
    }
    va_end(ap);
    close_sample(out, value);
}

void vh_sample_distribution(VhSamples *out, const double *bounds, unsigned nr,
                            const uint64_t *counts, double sum)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE] = "+Inf";
    uint64_t count = 0;

    for (unsigned i = 0; i <= nr; i++) {
        count += counts[i];
        if (i < nr) {
            bound_text(text, sizeof(text), bounds[i]);
        }
        open_sample(out, "_bucket");
        add_label(out->text, "le", i < nr ? text : "+Inf");
        close_sample(out, count);
    }
    open_sample(out, out->openmetrics ? "_gcount" : "_count");
    close_sample(out, count);
    open_sample(out, out->openmetrics ? "_gsum" : "_sum");
    close_sample(out, sum);
}

/* ---- who has samples ---- */

/* The same labels are written many times: they are made once. */
typedef struct Labelled {
    GPtrArray *views; /* of text, as VhMetricsInput::views */
    GArray *uses;     /* VhUse of each */
    char *host;
} Labelled;

static char *view_labels(const VhView *v, const char *node)
{
    GString *out = g_string_new(NULL);

    add_label(out, "domain", v->domain);
    add_label(out, "uuid", v->uuid);
    add_label(out, "node", node);
    return g_string_free(out, false);
}

static void label_all(const VhMetricsInput *in, Labelled *l)
{
    GString *host = g_string_new(NULL);

    add_label(host, "node", in->node);
    *l = (Labelled){ g_ptr_array_new_with_free_func(g_free),
                     g_array_new(false, true, sizeof(VhUse)),
                     g_string_free(host, false) };
    for (guint i = 0; i < in->views->len; i++) {
        const VhView *v = g_ptr_array_index(in->views, i);
        VhUse use;

        vh_view_use(v, in->host, &use);
        g_array_append_val(l->uses, use);
        g_ptr_array_add(l->views, view_labels(v, in->node));
    }
}

/* QEMU does not let that be; what says it is QEMU may. */
static bool is_twice(const VhSchemeList *list, size_t nr)
{
    for (size_t i = 0; i < nr; i++) {
        if (g_str_equal(list->schemes[i].name, list->schemes[nr].name)) {
            return true;
        }
    }
    return false;
}

static void write_schemes(VhSamples *s, VhSubject *subject)
{
    const VhSchemeList *list = subject->view->schemes;
    const char *base = s->labels;

    for (size_t i = 0; list && i < MIN(list->nr, SCHEMES_MAX); i++) {
        GString *labels;

        if (is_twice(list, i)) {
            continue;
        }
        labels = g_string_new(base);
        subject->scheme = &list->schemes[i];
        add_label(labels, "scheme", subject->scheme->name);
        add_label(labels, "action", subject->scheme->action);
        s->labels = labels->str;
        s->metric->sample(s, subject);
        g_string_free(labels, true);
    }
    s->labels = base;
    subject->scheme = NULL;
}

static void write_domains(VhSamples *s, VhSubject *subject, const Labelled *l)
{
    for (guint i = 0; i < subject->views->len; i++) {
        subject->view = g_ptr_array_index(subject->views, i);
        subject->use = &g_array_index(l->uses, VhUse, i);
        s->labels = g_ptr_array_index(l->views, i);
        if (s->metric->of == VH_METRIC_OF_SCHEME) {
            write_schemes(s, subject);
        } else {
            s->metric->sample(s, subject);
        }
    }
}

static void write_family(VhSamples *s, const VhMetricsInput *in,
                         const Labelled *l)
{
    VhSubject subject = { .host = in->host,
                          .views = in->views,
                          .stats = in->stats };

    switch (s->metric->of) {
    case VH_METRIC_OF_DOMAIN:
    case VH_METRIC_OF_SCHEME:
        write_domains(s, &subject, l);
        return;
    default:
        s->labels = s->metric->of == VH_METRIC_OF_HOST ? l->host : "";
        s->metric->sample(s, &subject);
    }
}

GString *vh_metrics_write(const VhMetricsInput *in, bool openmetrics)
{
    GString *text = g_string_sized_new(4096 + in->views->len * 16384);
    const VhMetric *m;
    Labelled l;

    label_all(in, &l);
    for (unsigned i = 0; (m = vh_metric_nth(i)); i++) {
        VhSamples s = { text, m, "", openmetrics, false };

        write_family(&s, in, &l);
    }
    if (openmetrics) {
        g_string_append(text, "# EOF\n");
    }
    g_ptr_array_unref(l.views);
    g_array_unref(l.uses);
    g_free(l.host);
    return text;
}
