/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Metrics as text, for OpenMetrics 1.0 and for the older text format 0.0.4.
 *
 * The table (metrics-table.c) says what there is; this writes it, family by
 * family. The same names and labels come out in both formats, so that nothing
 * changes when another Prometheus asks. Only a distribution of what is now (a
 * gaugehistogram) differs: the older format has no such type and calls it a
 * histogram, with _count and _sum instead of _gcount and _gsum.
 */
#ifndef VMHEAT_EXPORTER_METRICS_H
#define VMHEAT_EXPORTER_METRICS_H

#include "stats.h"
#include "view.h"

#define VH_METRIC_LABELS_MAX 5

typedef enum VhMetricType {
    VH_METRIC_GAUGE,
    VH_METRIC_COUNTER,        /* its samples end with _total */
    VH_METRIC_INFO,           /* its samples end with _info, and are 1 */
    VH_METRIC_GAUGEHISTOGRAM, /* a distribution of what is now */
} VhMetricType;

/* What has a metric. */
typedef enum VhMetricOf {
    VH_METRIC_OF_DOMAIN, /* labels domain, uuid, node */
    VH_METRIC_OF_SCHEME, /* and scheme, action */
    VH_METRIC_OF_HOST,   /* label node */
    VH_METRIC_OF_EXPORTER,
} VhMetricOf;

/**
 * struct VhSubject - what samples are made of
 * @view: of a machine, or NULL
 * @use: of it
 * @scheme: of it, or NULL
 * @host: the host
 * @views: VhView of all machines
 * @stats: of the exporter
 */
typedef struct VhSubject {
    const VhView *view;
    const VhUse *use;
    const VhSchemeInfo *scheme;
    const VhHost *host;
    const GPtrArray *views;
    const VhStats *stats;
} VhSubject;

typedef struct VhSamples VhSamples;

/**
 * struct VhMetric - a row of the table
 * @name: of the family, without _total and _info
 * @of: what has it
 * @type: see there
 * @unit: NULL, or a base unit that @name ends with
 * @help: a sentence
 * @labels: beside those of @of; NULL at the end
 * @sample: gives samples, none when it is not known
 */
typedef struct VhMetric {
    const char *name;
    VhMetricOf of;
    VhMetricType type;
    const char *unit;
    const char *help;
    const char *labels[VH_METRIC_LABELS_MAX];
    void (*sample)(VhSamples *out, const VhSubject *s);
} VhMetric;

/** vh_metric_nth() - a row of the table; NULL: there are no more */
const VhMetric *vh_metric_nth(unsigned i);

/** vh_metric_suffix() - what names of samples end with: "_total", "_info", ""
 */
const char *vh_metric_suffix(const VhMetric *m);

/** vh_metric_type_name() - as in OpenMetrics */
const char *vh_metric_type_name(VhMetricType type);

/** vh_metric_base_labels() - that all of a kind have; NULL at the end */
const char *const *vh_metric_base_labels(VhMetricOf of);

/** vh_sample() - a sample; @...: values of the metric's own labels, in order */
void vh_sample(VhSamples *out, double value, ...);

/**
 * vh_sample_distribution() - samples of a gaugehistogram
 * @out: where to
 * @bounds: upper bounds
 * @nr: of @bounds
 * @counts: what is in each bucket alone; one more, without bound
 * @sum: of all values
 */
void vh_sample_distribution(VhSamples *out, const double *bounds, unsigned nr,
                            const uint64_t *counts, double sum);

/**
 * struct VhMetricsInput - what to tell
 * @views: VhView of all machines
 * @host: the host
 * @stats: of the exporter
 * @node: name of the host
 */
typedef struct VhMetricsInput {
    const GPtrArray *views;
    const VhHost *host;
    const VhStats *stats;
    const char *node;
} VhMetricsInput;

/**
 * vh_metrics_write() - all of the table
 * @in: what to tell
 * @openmetrics: else text format 0.0.4
 *
 * Returns: text.
 */
GString *vh_metrics_write(const VhMetricsInput *in, bool openmetrics);

/** vh_metrics_table_json() - the table for programs; g_free() */
char *vh_metrics_table_json(void);

/**
 * vh_metrics_escape() - append the value of a label as it is written
 * @out: where to
 * @value: any bytes; what is no text, or control, becomes '?', and what is
 *         longer than 512 bytes is cut
 */
void vh_metrics_escape(GString *out, const char *value);

#endif
