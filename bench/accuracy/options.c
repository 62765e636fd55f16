/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line. */
#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "number.h"
#include "options.h"
#include "patterns.h"
#include "hosts.h"
#include "trace.h"
#include "vmheat/monitor.h"

#define HOT_HZ 50
#define COLD_HZ 0.0005
#define THRESHOLD_HZ 5
#define GRANULE_HUGE (2ULL << 20)
#define SECONDS_MAX 1e6
#define SEEDS_MAX 10000
#define COST_MAX 1000000000
#define COST_OF_HOST G_MININT64 /* not given */

static Options defaults(void)
{
    return (Options){ .seed = 1,
                      .seeds = 1,
                      .budget = VH_BUDGET_BP_DEFAULT,
                      .arm_ns = COST_OF_HOST,
                      .fire_ns = COST_OF_HOST,
                      .batch_ns = COST_OF_HOST,
                      .hot_hz = HOT_HZ,
                      .cold_hz = COLD_HZ,
                      .threshold_hz = THRESHOLD_HZ };
}

/* What the names stand for. */
static char *names_help(void)
{
    g_autoptr(GString) s = g_string_new("PATTERNS\n");

    for (const Pattern *p = patterns(); p->name; p++) {
        g_string_append_printf(s, "  %-10s %s\n", p->name, p->summary);
    }
    g_string_append(s, "\nHOSTS (ns a batch, an arm, a fire)\n");
    for (const HostKind *h = host_kinds(); h->name; h++) {
        g_string_append_printf(
            s, "  %-10s %" PRIu64 ", %" PRIu64 ", %" PRIu64 "; %s\n", h->name,
            h->cost.batch, h->cost.arm, h->cost.fire, h->summary);
    }
    return g_strdup(s->str);
}

static bool parse_argv(Options *o, int *argc, char ***argv, char **why)
{
    GOptionEntry what[] = {
        { "pattern", 0, 0, G_OPTION_ARG_STRING, &o->pattern,
          "what the guest does (default: block)", "NAME" },
        { "trace", 0, 0, G_OPTION_ARG_FILENAME, &o->trace,
          "what the guest does, from a file", "FILE" },
        { "estimator", 0, 0, G_OPTION_ARG_STRING, &o->estimator,
          "estimator to use", "NAME" },
        { "all", 0, 0, G_OPTION_ARG_NONE, &o->all,
          "every pattern: classic as DAMON runs it, then each estimator",
          NULL },
        { "size", 0, 0, G_OPTION_ARG_STRING, &o->size_text,
          "guest memory; K, M, G, T", "BYTES" },
        { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &o->seconds,
          "virtual seconds of each run", "S" },
        { "seed", 0, 0, G_OPTION_ARG_INT64, &o->seed, "first seed", "N" },
        { "seeds", 0, 0, G_OPTION_ARG_INT, &o->seeds,
          "runs; medians are printed", "N" },
        { "hot-hz", 0, 0, G_OPTION_ARG_DOUBLE, &o->hot_hz,
          "accesses a second of a hot page (50)", "HZ" },
        { "cold-hz", 0, 0, G_OPTION_ARG_DOUBLE, &o->cold_hz,
          "of any other (0.0005)", "HZ" },
        { "threshold", 0, 0, G_OPTION_ARG_DOUBLE, &o->threshold_hz,
          "a page is hot from this rate on (5)", "HZ" },
        { "rule", 0, 0, G_OPTION_ARG_STRING, &o->rule_text,
          "a region is called hot: half, rate (default: the estimator's)",
          "RULE" },
        { NULL },
    };
    GOptionEntry how[] = {
        { "budget", 0, 0, G_OPTION_ARG_INT, &o->budget,
          "overhead budget, hundredths of a percent (50)", "BP" },
        { "traps", 0, 0, G_OPTION_ARG_INT, &o->traps,
          "traps per second; 0: the host's safe default", "N" },
        { "host", 0, 0, G_OPTION_ARG_STRING, &o->host_text,
          "what things cost: nested, bare (default: nested)", "HOST" },
        { "unlimited", 0, 0, G_OPTION_ARG_NONE, &o->unlimited,
          "no budget, and DAMON's defaults: 5 ms, 100 ms, 10..1000", NULL },
        { "sampling", 0, 0, G_OPTION_ARG_INT, &o->sampling_ms,
          "sampling interval", "MS" },
        { "aggregation", 0, 0, G_OPTION_ARG_INT, &o->aggregation_ms,
          "aggregation interval", "MS" },
        { "min", 0, 0, G_OPTION_ARG_INT, &o->min, "min-regions", "N" },
        { "max", 0, 0, G_OPTION_ARG_INT, &o->max, "max-regions", "N" },
        { "granule", 0, 0, G_OPTION_ARG_STRING, &o->granule_text,
          "what an arm unmaps: 4096 or 2M", "BYTES" },
        { "non-persistent", 0, 0, G_OPTION_ARG_NONE, &o->non_persistent,
          "pages are armed for one interval only", NULL },
        { "writes", 0, 0, G_OPTION_ARG_NONE, &o->writes,
          "with a second primitive that sees writes", NULL },
        { "arm-ns", 0, 0, G_OPTION_ARG_INT64, &o->arm_ns,
          "what arming a page costs the guest (default: as --host)", "NS" },
        { "batch-ns", 0, 0, G_OPTION_ARG_INT64, &o->batch_ns,
          "and each batch of arms", "NS" },
        { "fire-ns", 0, 0, G_OPTION_ARG_INT64, &o->fire_ns, "and each fire",
          "NS" },
        { NULL },
    };
    GOptionEntry out[] = {
        { "json", 0, 0, G_OPTION_ARG_NONE, &o->json,
          "print JSON; with --all a list", NULL },
        { "series", 0, 0, G_OPTION_ARG_NONE, &o->series,
          "print every snapshot's figures", NULL },
        { "plot", 0, 0, G_OPTION_ARG_FILENAME, &o->plot,
          "draw accuracy against cost; .svg or .png", "FILE" },
        { "no-cpu", 0, 0, G_OPTION_ARG_NONE, &o->no_cpu,
          "leave out cpu_ns_per_tick, which is never twice the same", NULL },
        { "require", 0, 0, G_OPTION_ARG_INT, &o->require_ms,
          "exit 1 when the worst first_ms is later than this", "MS" },
        { NULL },
    };
    g_autoptr(GOptionContext) ctx = g_option_context_new(NULL);
    g_autofree char *names = names_help();
    g_autoptr(GError) err = NULL;

    g_option_context_set_summary(
        ctx, "Simulate how well memory accesses are seen, at what cost.");
    g_option_context_set_description(ctx, names);
    g_option_context_add_main_entries(ctx, what, NULL);
    g_option_context_add_main_entries(ctx, how, NULL);
    g_option_context_add_main_entries(ctx, out, NULL);
    if (!g_option_context_parse(ctx, argc, argv, &err)) {
        *why = g_strdup(err->message);
        return false;
    }
    return true;
}

static bool refuse(char **why, const char *option, const char *value,
                   const char *allowed)
{
    *why =
        g_strdup_printf("--%s: '%s' is not %s", option, value ?: "", allowed);
    return false;
}

static bool check_size(Options *o, char **why)
{
    if (o->size_text &&
        (!parse_bytes(o->size_text, &o->size) || o->size % GRANULE_HUGE ||
         !o->size || o->size > TRACE_SIZE_MAX)) {
        return refuse(why, "size", o->size_text,
                      "a multiple of 2M from 2M to 64T (bytes, or with K, M, "
                      "G, T)");
    }
    o->granule = VH_PAGE_SIZE;
    if (o->granule_text &&
        (!parse_bytes(o->granule_text, &o->granule) ||
         (o->granule != VH_PAGE_SIZE && o->granule != GRANULE_HUGE))) {
        return refuse(why, "granule", o->granule_text, "4096 or 2M");
    }
    return true;
}

static bool check_rule(Options *o, char **why)
{
    if (!o->rule_text) {
        return true;
    }
    if (strcmp(o->rule_text, "half") && strcmp(o->rule_text, "rate")) {
        return refuse(why, "rule", o->rule_text, "half or rate");
    }
    o->rule = strcmp(o->rule_text, "half") ? RULE_RATE : RULE_HALF;
    return true;
}

static bool check_host(Options *o, char **why)
{
    SimCosts cost;

    o->host = o->host_text ? host_kind_find(o->host_text) : host_kinds();
    if (!o->host) {
        return refuse(why, "host", o->host_text, "nested or bare");
    }
    cost = o->host->cost;
    o->arm_ns = o->arm_ns == COST_OF_HOST ? (gint64)cost.arm : o->arm_ns;
    o->fire_ns = o->fire_ns == COST_OF_HOST ? (gint64)cost.fire : o->fire_ns;
    o->batch_ns =
        o->batch_ns == COST_OF_HOST ? (gint64)cost.batch : o->batch_ns;
    return true;
}

static bool check_names(Options *o, char **why)
{
    if (o->pattern && o->trace) {
        *why = g_strdup("--pattern and --trace cannot be used together");
        return false;
    }
    if (o->pattern && !pattern_find(o->pattern)) {
        return refuse(why, "pattern", o->pattern,
                      "one of those that --help lists");
    }
    if (o->estimator && !vh_estimator_find(o->estimator)) {
        return refuse(why, "estimator", o->estimator, "an estimator");
    }
    if (o->plot && !g_str_has_suffix(o->plot, ".svg") &&
        !g_str_has_suffix(o->plot, ".png")) {
        return refuse(why, "plot", o->plot, "a name that ends in .svg or .png");
    }
    return true;
}

/* Everything but what vh_attrs_check() and vh_limits_check() will say. */
static bool check_numbers(const Options *o, char **why)
{
    const struct {
        const char *option;
        double value, least, most;
    } v[] = {
        { "seeds", o->seeds, 1, SEEDS_MAX },
        { "seconds", o->seconds, 0, SECONDS_MAX },
        { "hot-hz", o->hot_hz, 0, TRACE_RATE_MAX },
        { "cold-hz", o->cold_hz, 0, TRACE_RATE_MAX },
        { "threshold", o->threshold_hz, 1e-6, TRACE_RATE_MAX },
        { "traps", o->traps, 0, VH_TRAPS_MAX },
        { "budget", o->budget, 1, VH_BUDGET_BP_MAX },
        { "sampling", o->sampling_ms, 0, 3600000 },
        { "aggregation", o->aggregation_ms, 0, 3600000 },
        { "min", o->min, 0, VH_MAX_REGIONS_MAX },
        { "max", o->max, 0, VH_MAX_REGIONS_MAX },
        { "arm-ns", o->arm_ns, 0, COST_MAX },
        { "batch-ns", o->batch_ns, 0, COST_MAX },
        { "fire-ns", o->fire_ns, 0, COST_MAX },
        { "require", o->require_ms, 0, 1e9 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(v); i++) {
        if (!(v[i].value >= v[i].least && v[i].value <= v[i].most)) {
            *why =
                g_strdup_printf("--%s: '%.10g' is not a number from %.10g "
                                "to %.10g",
                                v[i].option, v[i].value, v[i].least, v[i].most);
            return false;
        }
    }
    return true;
}

bool options_parse(Options *o, int *argc, char ***argv, char **why)
{
    *o = defaults();
    if (!parse_argv(o, argc, argv, why)) {
        return false;
    }
    if (*argc > 1) {
        *why = g_strdup_printf("'%s' is not an option; see --help", (*argv)[1]);
        return false;
    }
    return check_names(o, why) && check_size(o, why) && check_rule(o, why) &&
           check_host(o, why) && check_numbers(o, why);
}

void options_clear(Options *o)
{
    g_free(o->pattern);
    g_free(o->trace);
    g_free(o->estimator);
    g_free(o->size_text);
    g_free(o->granule_text);
    g_free(o->rule_text);
    g_free(o->host_text);
    g_free(o->plot);
}
