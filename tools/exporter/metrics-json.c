/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of metrics for programs: boards and documentation are made of it.
 */
#include "metrics.h"

static void add_labels(JsonBuilder *b, const VhMetric *m)
{
    const char *const *base = vh_metric_base_labels(m->of);

    json_builder_set_member_name(b, "labels");
    json_builder_begin_array(b);
    for (; *base; base++) {
        json_builder_add_string_value(b, *base);
    }
    for (const char *const *l = m->labels; *l; l++) {
        json_builder_add_string_value(b, *l);
    }
    if (m->type == VH_METRIC_GAUGEHISTOGRAM) {
        json_builder_add_string_value(b, "le");
    }
    json_builder_end_array(b);
}

static void add_string(JsonBuilder *b, const char *name, const char *value)
{
    json_builder_set_member_name(b, name);
    if (value) {
        json_builder_add_string_value(b, value);
    } else {
        json_builder_add_null_value(b);
    }
}

static void add_metric(JsonBuilder *b, const VhMetric *m)
{
    g_autofree char *sample = g_strconcat(m->name, vh_metric_suffix(m), NULL);

    json_builder_begin_object(b);
    add_string(b, "name", sample);
    add_string(b, "type", vh_metric_type_name(m->type));
    add_string(b, "unit", m->unit);
    add_string(b, "help", m->help);
    add_labels(b, m);
    json_builder_end_object(b);
}

char *vh_metrics_table_json(void)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    g_autoptr(JsonNode) root = NULL;
    const VhMetric *m;

    json_builder_begin_array(b);
    for (unsigned i = 0; (m = vh_metric_nth(i)); i++) {
        add_metric(b, m);
    }
    json_builder_end_array(b);
    root = json_builder_get_root(b);
    return json_to_string(root, true);
}
