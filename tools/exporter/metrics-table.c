/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every metric there is: the only place that names are in. The table is at the
 * end; docs/user/exporter.md has the same, and a test compares them.
 *
 * What is not known gives no sample: of a machine that does not answer there is
 * vmheat_domain_up 0 and nothing else, so that old figures do not look new.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "metrics.h"

/* ---- a machine ---- */

static void up(VhSamples *out, const VhSubject *s)
{
    vh_sample(out, s->view->info != NULL);
}

static void state(VhSamples *out, const VhSubject *s)
{
    static const char *const states[] = { "running", "paused",      "suspended",
                                          "failed",  "unreachable", "absent" };

    for (unsigned i = 0; i < G_N_ELEMENTS(states); i++) {
        vh_sample(out, g_str_equal(s->view->state, states[i]), states[i]);
    }
}

static void info(VhSamples *out, const VhSubject *s)
{
    const VhInfo *i = s->view->info;

    if (i) {
        vh_sample(out, 1, i->version, s->view->qemu_version, i->accelerator,
                  i->estimator);
    }
}

static void primitive(VhSamples *out, const VhSubject *s)
{
    const VhInfo *i = s->view->info;

    if (i) {
        vh_sample(out, 1, i->primitive,
                  i->write_primitive ? i->write_primitive : "");
    }
}

static const VhPrimitiveInfo *chosen(const VhInfo *info)
{
    for (size_t i = 0; info && i < info->nr_primitives; i++) {
        if (info->primitives[i].chosen) {
            return &info->primitives[i];
        }
    }
    return NULL;
}

static void sees(VhSamples *out, const VhSubject *s)
{
    const VhPrimitiveInfo *p = chosen(s->view->info);

    if (p) {
        vh_sample(out, p->sees_reads, "reads");
        vh_sample(out, p->sees_writes, "writes");
        vh_sample(out, p->sees_dma, "dma");
    }
}

static void blind_spots(VhSamples *out, const VhSubject *s)
{
    const VhPrimitiveInfo *p = chosen(s->view->info);

    if (p && p->blind_spots) {
        vh_sample(out, 1, p->blind_spots);
    }
}

static void size(VhSamples *out, const VhSubject *s)
{
    if (s->view->info) {
        vh_sample(out, s->use->size);
    }
}

static void monitored(VhSamples *out, const VhSubject *s)
{
    if (s->view->info) {
        vh_sample(out, s->view->info->total_size);
    }
}

static void resident(VhSamples *out, const VhSubject *s)
{
    if (s->view->info) {
        vh_sample(out, s->use->has);
    }
}

static void needs(VhSamples *out, const VhSubject *s)
{
    if (s->view->snapshot) {
        vh_sample(out, s->use->needs);
    }
}

static void saved(VhSamples *out, const VhSubject *s)
{
    if (s->view->info) {
        vh_sample(out, s->use->saved);
    }
}

static void paged_out(VhSamples *out, const VhSubject *s)
{
    if (s->view->info) {
        vh_sample(out, s->use->paged_out);
    }
}

static void compressed(VhSamples *out, const VhSubject *s)
{
    if (s->view->info && s->host->has_compressed) {
        vh_sample(out, s->use->compressed);
    }
}

static void huge(VhSamples *out, const VhSubject *s)
{
    if (s->view->memory.huge >= 0) {
        vh_sample(out, s->view->memory.huge);
    }
}

static void balloon_actual(VhSamples *out, const VhSubject *s)
{
    if (s->view->has_balloon) {
        vh_sample(out, s->view->balloon_actual);
    }
}

static void balloon_target(VhSamples *out, const VhSubject *s)
{
    if (s->view->has_balloon && s->view->balloon_target) {
        vh_sample(out, s->view->balloon_target);
    }
}

static void accessed(VhSamples *out, const VhSubject *s)
{
    if (s->view->snapshot) {
        vh_sample(out, s->view->snapshot->working_set_size);
    }
}

static void working_set(VhSamples *out, const VhSubject *s)
{
    static const char *const windows[VH_NR_AGES] = { "10s", "1m", "10m", "1h" };
    const VhSums *sums = &s->view->sums;

    for (unsigned i = 0; s->view->snapshot && i < VH_NR_AGES; i++) {
        vh_sample(out, sums->total - sums->idle[i], windows[i]);
    }
}

static void classes(VhSamples *out, const VhSubject *s)
{
    for (unsigned i = 0; s->view->snapshot && i < VH_CLASSES_TOLD; i++) {
        vh_sample(out, s->view->sums.classes[i], vh_sums_class_name(i));
    }
}

static void idle_age(VhSamples *out, const VhSubject *s)
{
    if (s->view->snapshot) {
        vh_sample_distribution(out, vh_idle_bounds, VH_NR_IDLE_BOUNDS,
                               s->view->sums.idle_buckets,
                               s->view->sums.idle_seconds);
    }
}

static void rates(VhSamples *out, const VhSubject *s)
{
    if (s->view->snapshot) {
        vh_sample_distribution(out, vh_rate_bounds, VH_NR_RATE_BOUNDS,
                               s->view->sums.rate_buckets,
                               s->view->sums.rate_hertz);
    }
}

/* Reads are what of all is no write. */
static void heat(VhSamples *out, const VhSubject *s)
{
    const VhSums *sums = &s->view->sums;

    if (!s->view->snapshot) {
        return;
    }
    vh_sample(out, sums->heat, "any");
    if (sums->has_write_heat) {
        vh_sample(out, MAX(sums->heat - sums->write_heat, 0), "read");
        vh_sample(out, sums->write_heat, "write");
    }
}

static void confidence(VhSamples *out, const VhSubject *s)
{
    if (s->view->snapshot && s->view->sums.confidence >= 0) {
        vh_sample(out, s->view->sums.confidence);
    }
}

static void cpu(VhSamples *out, const VhSubject *s)
{
    const VhInfo *i = s->view->info;

    if (i) {
        vh_sample(out, i->stats.worker_time / 1e9, "worker");
        vh_sample(out, i->stats.vcpu_time / 1e9, "vcpu");
        vh_sample(out, i->stats.main_time / 1e9, "main");
    }
}

static void cost(VhSamples *out, const VhSubject *s)
{
    if (s->view->cost >= 0) {
        vh_sample(out, s->view->cost);
    }
}

static void budget(VhSamples *out, const VhSubject *s)
{
    if (s->view->info) {
        vh_sample(out, s->view->info->attrs.overhead_budget / 1e4);
    }
}

static void throttled(VhSamples *out, const VhSubject *s)
{
    if (s->view->info) {
        vh_sample(out, s->view->info->stats.throttled);
    }
}

static void checks(VhSamples *out, const VhSubject *s)
{
    if (s->view->info) {
        vh_sample(out, s->view->info->stats.checks);
    }
}

static void lost(VhSamples *out, const VhSubject *s)
{
    if (s->view->info) {
        vh_sample(out, s->view->info->stats.lost);
    }
}

static void traps(VhSamples *out, const VhSubject *s)
{
    if (s->view->info) {
        vh_sample(out, s->view->info->stats.traps);
    }
}

static void lock(VhSamples *out, const VhSubject *s)
{
    if (s->view->info) {
        vh_sample(out, s->view->info->stats.bql_hold_max / 1e9);
    }
}

static void snapshots(VhSamples *out, const VhSubject *s)
{
    if (s->view->info) {
        vh_sample(out, s->view->info->stats.aggregations);
    }
}

static void regions(VhSamples *out, const VhSubject *s)
{
    if (s->view->snapshot) {
        vh_sample(out, s->view->snapshot->nr_regions);
    }
}

static void sampling(VhSamples *out, const VhSubject *s)
{
    if (s->view->info) {
        vh_sample(out, s->view->info->stats.effective_sampling_interval / 1e6);
    }
}

static void aggregation(VhSamples *out, const VhSubject *s)
{
    if (s->view->info) {
        vh_sample(out, s->view->info->attrs.aggregation_interval / 1e6);
    }
}

static void asked(VhSamples *out, const VhSubject *s)
{
    vh_sample(out, s->view->time);
}

static void took(VhSamples *out, const VhSubject *s)
{
    vh_sample(out, s->view->took);
}

/* ---- a scheme ---- */

#define SCHEME_COUNTER(function, member, scale)                    \
    static void function(VhSamples *out, const VhSubject *s)       \
    {                                                              \
        vh_sample(out, s->scheme->stats.member / (double)(scale)); \
    }

SCHEME_COUNTER(scheme_tried, sz_tried, 1)
SCHEME_COUNTER(scheme_applied, sz_applied, 1)
SCHEME_COUNTER(scheme_passed, sz_filter_passed, 1)
SCHEME_COUNTER(scheme_refaulted, refaulted, 1)
SCHEME_COUNTER(scheme_nr_tried, nr_tried, 1)
SCHEME_COUNTER(scheme_nr_applied, nr_applied, 1)
SCHEME_COUNTER(scheme_exceeds, qt_exceeds, 1)
SCHEME_COUNTER(scheme_errors, errors, 1)
SCHEME_COUNTER(scheme_back_offs, back_offs, 1)
SCHEME_COUNTER(scheme_time, time, 1e9)

static void scheme_state(VhSamples *out, const VhSubject *s)
{
    static const char *const states[] = { "active", "inactive", "back-off",
                                          "finished" };

    for (unsigned i = 0; i < G_N_ELEMENTS(states); i++) {
        vh_sample(out, g_str_equal(s->scheme->state, states[i]), states[i]);
    }
}

static void scheme_quota(VhSamples *out, const VhSubject *s)
{
    if (s->scheme->has_quota) {
        vh_sample(out, s->scheme->effective_quota);
    }
}

static void scheme_goal(VhSamples *out, const VhSubject *s)
{
    if (s->scheme->has_score) {
        vh_sample(out, s->scheme->goal_score / 1e4);
    }
}

/* ---- the host ---- */

static void host_total(VhSamples *out, const VhSubject *s)
{
    vh_sample(out, s->host->memory_total);
}

static void host_available(VhSamples *out, const VhSubject *s)
{
    vh_sample(out, s->host->memory_available);
}

static void swap_total(VhSamples *out, const VhSubject *s)
{
    vh_sample(out, s->host->swap_total);
}

static void swap_used(VhSamples *out, const VhSubject *s)
{
    vh_sample(out, s->host->swap_used);
}

static void host_original(VhSamples *out, const VhSubject *s)
{
    if (s->host->has_compressed) {
        vh_sample(out, s->host->original);
    }
}

static void host_stored(VhSamples *out, const VhSubject *s)
{
    if (s->host->has_compressed) {
        vh_sample(out, s->host->stored);
    }
}

/* ---- the exporter ---- */

static void build(VhSamples *out, const VhSubject *s)
{
    vh_sample(out, 1, VMHEAT_VERSION);
}

static void domains(VhSamples *out, const VhSubject *s)
{
    vh_sample(out, s->views->len);
}

static void polls(VhSamples *out, const VhSubject *s)
{
    vh_sample(out, s->stats->polls);
}

static void poll_failures(VhSamples *out, const VhSubject *s)
{
    vh_sample(out, s->stats->poll_failures);
}

static void requests(VhSamples *out, const VhSubject *s)
{
    static const char *const codes[VH_CODE_CLASSES] = { NULL,  NULL,  "2xx",
                                                        "3xx", "4xx", "5xx" };

    for (unsigned i = 2; i < VH_CODE_CLASSES; i++) {
        vh_sample(out, s->stats->requests[i], codes[i]);
    }
}

static void refused(VhSamples *out, const VhSubject *s)
{
    for (unsigned i = 0; i < VH_REFUSALS; i++) {
        vh_sample(out, s->stats->refused[i], vh_refusal_name(i));
    }
}

static void clients(VhSamples *out, const VhSubject *s)
{
    vh_sample(out, s->stats->clients);
}

static void event_clients(VhSamples *out, const VhSubject *s)
{
    vh_sample(out, s->stats->event_clients);
}

static void dropped(VhSamples *out, const VhSubject *s)
{
    vh_sample(out, s->stats->dropped);
}

static void process_cpu(VhSamples *out, const VhSubject *s)
{
    struct rusage r;

    if (!getrusage(RUSAGE_SELF, &r)) {
        vh_sample(out, r.ru_utime.tv_sec + r.ru_stime.tv_sec +
                           (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6);
    }
}

static void process_memory(VhSamples *out, const VhSubject *s)
{
    g_autofree char *text = NULL;
    unsigned long pages;

    if (g_file_get_contents("/proc/self/statm", &text, NULL, NULL) &&
        sscanf(text, "%*u %lu", &pages) == 1) {
        vh_sample(out, (double)pages * sysconf(_SC_PAGESIZE));
    }
}

#define DOMAIN VH_METRIC_OF_DOMAIN
#define SCHEME VH_METRIC_OF_SCHEME
#define HOST VH_METRIC_OF_HOST
#define EXPORTER VH_METRIC_OF_EXPORTER
#define GAUGE VH_METRIC_GAUGE
#define COUNTER VH_METRIC_COUNTER
#define INFO VH_METRIC_INFO
#define SPREAD VH_METRIC_GAUGEHISTOGRAM

/* clang-format off */
static const VhMetric table[] = {
    { "vmheat_domain_up", DOMAIN, GAUGE, NULL,
      "Whether the machine answered when it was asked last.", {}, up },
    { "vmheat_domain_state", DOMAIN, GAUGE, NULL,
      "1 for the state that the monitor of the machine is in.",
      { "state" }, state },
    { "vmheat_domain", DOMAIN, INFO, NULL,
      "What watches the machine.",
      { "version", "qemu_version", "accelerator", "estimator" }, info },
    { "vmheat_domain_primitive", DOMAIN, INFO, NULL,
      "How accesses are seen, and how writes are told apart.",
      { "primitive", "write_primitive" }, primitive },
    { "vmheat_domain_sees", DOMAIN, GAUGE, NULL,
      "Whether the primitive sees accesses of a kind.",
      { "access" }, sees },
    { "vmheat_domain_blind_spots", DOMAIN, INFO, NULL,
      "What the primitive cannot see.", { "blind_spots" }, blind_spots },
    { "vmheat_domain_size_bytes", DOMAIN, GAUGE, "bytes",
      "Memory of the guest.", {}, size },
    { "vmheat_domain_monitored_bytes", DOMAIN, GAUGE, "bytes",
      "Memory of the guest that is watched.", {}, monitored },
    { "vmheat_domain_resident_bytes", DOMAIN, GAUGE, "bytes",
      "Memory of the guest that is in RAM of the host.", {}, resident },
    { "vmheat_domain_needs_bytes", DOMAIN, GAUGE, "bytes",
      "Memory accessed in the last minute.", {}, needs },
    { "vmheat_domain_saved_bytes", DOMAIN, GAUGE, "bytes",
      "RAM that the host has for others: what the balloon holds and what is "
      "paged out, without what zram and zswap keep of that.", {}, saved },
    { "vmheat_domain_paged_out_bytes", DOMAIN, GAUGE, "bytes",
      "Memory of the guest that is in swap.", {}, paged_out },
    { "vmheat_domain_compressed_bytes", DOMAIN, GAUGE, "bytes",
      "RAM that zram and zswap keep for what is paged out, by its share of "
      "all swap.", {}, compressed },
    { "vmheat_domain_hugepage_bytes", DOMAIN, GAUGE, "bytes",
      "Memory of the guest that huge pages back.", {}, huge },
    { "vmheat_domain_balloon_actual_bytes", DOMAIN, GAUGE, "bytes",
      "Memory that the balloon leaves the guest.", {}, balloon_actual },
    { "vmheat_domain_balloon_target_bytes", DOMAIN, GAUGE, "bytes",
      "Memory that the balloon shall leave the guest.", {}, balloon_target },
    { "vmheat_domain_accessed_bytes", DOMAIN, GAUGE, "bytes",
      "Memory accessed in the latest snapshot.", {}, accessed },
    { "vmheat_domain_working_set_bytes", DOMAIN, GAUGE, "bytes",
      "Memory accessed within a time: 10s, 1m, 10m, 1h.",
      { "window" }, working_set },
    { "vmheat_domain_class_bytes", DOMAIN, GAUGE, "bytes",
      "Memory by heat: hot from 10 accesses a second and page, warm from 0.1, "
      "cold below, idle for a minute, never accessed.",
      { "class" }, classes },
    { "vmheat_domain_idle_age_seconds", DOMAIN, SPREAD, "seconds",
      "Time since memory was accessed last; counted are bytes.",
      {}, idle_age },
    { "vmheat_domain_access_rate_hertz", DOMAIN, SPREAD, "hertz",
      "Accesses a second and page; counted are bytes.", {}, rates },
    { "vmheat_domain_heat_hertz", DOMAIN, GAUGE, "hertz",
      "Accesses a second of all pages of 4 KiB; read and write where writes "
      "are told apart.", { "access" }, heat },
    { "vmheat_domain_confidence_ratio", DOMAIN, GAUGE, "ratio",
      "Part of the memory whose heat (hot, warm, cold, idle) is the same at "
      "both ends of the 90 % interval of its rate.", {}, confidence },
    { "vmheat_domain_monitoring_cpu_seconds", DOMAIN, COUNTER, "seconds",
      "CPU time that monitoring took, by thread of QEMU.",
      { "thread" }, cpu },
    { "vmheat_domain_monitoring_cost_ratio", DOMAIN, GAUGE, "ratio",
      "Part of a CPU that monitoring took between the last two looks.",
      {}, cost },
    { "vmheat_domain_monitoring_budget_ratio", DOMAIN, GAUGE, "ratio",
      "Part of a vCPU that monitoring may take.", {}, budget },
    { "vmheat_domain_throttled", DOMAIN, GAUGE, NULL,
      "Whether the budget slows monitoring down.", {}, throttled },
    { "vmheat_domain_checks", DOMAIN, COUNTER, NULL,
      "Access checks planned.", {}, checks },
    { "vmheat_domain_traps", DOMAIN, COUNTER, NULL,
      "Checks that found memory accessed.", {}, traps },
    { "vmheat_domain_lost", DOMAIN, COUNTER, NULL,
      "Answers of checks that were thrown away.", {}, lost },
    { "vmheat_domain_bql_hold_max_seconds", DOMAIN, GAUGE, "seconds",
      "Longest time that vmheat held QEMU's big lock.", {}, lock },
    { "vmheat_domain_snapshots", DOMAIN, COUNTER, NULL,
      "Snapshots taken.", {}, snapshots },
    { "vmheat_domain_regions", DOMAIN, GAUGE, NULL,
      "Regions of the latest snapshot.", {}, regions },
    { "vmheat_domain_sampling_interval_seconds", DOMAIN, GAUGE, "seconds",
      "Time between checks, in effect.", {}, sampling },
    { "vmheat_domain_aggregation_interval_seconds", DOMAIN, GAUGE, "seconds",
      "Time between snapshots, as set.", {}, aggregation },
    { "vmheat_domain_asked_timestamp_seconds", DOMAIN, GAUGE, "seconds",
      "When the machine was asked last.", {}, asked },
    { "vmheat_domain_answer_seconds", DOMAIN, GAUGE, "seconds",
      "How long its answer took.", {}, took },

    { "vmheat_scheme_state", SCHEME, GAUGE, NULL,
      "1 for the state that the scheme is in.", { "state" }, scheme_state },
    { "vmheat_scheme_tried_bytes", SCHEME, COUNTER, "bytes",
      "Memory of the pattern that the scheme got to.", {}, scheme_tried },
    { "vmheat_scheme_filter_passed_bytes", SCHEME, COUNTER, "bytes",
      "Memory that passed the filters.", {}, scheme_passed },
    { "vmheat_scheme_applied_bytes", SCHEME, COUNTER, "bytes",
      "Memory that the action was applied to.", {}, scheme_applied },
    { "vmheat_scheme_refaulted_bytes", SCHEME, COUNTER, "bytes",
      "Memory that was paged out and came back.", {}, scheme_refaulted },
    { "vmheat_scheme_tried_regions", SCHEME, COUNTER, NULL,
      "Regions of the pattern that the scheme got to.", {}, scheme_nr_tried },
    { "vmheat_scheme_applied_regions", SCHEME, COUNTER, NULL,
      "Regions that the action was applied to.", {}, scheme_nr_applied },
    { "vmheat_scheme_quota_exceeds", SCHEME, COUNTER, NULL,
      "Reset intervals in which the quota was used up.", {}, scheme_exceeds },
    { "vmheat_scheme_errors", SCHEME, COUNTER, NULL,
      "How often the host refused.", {}, scheme_errors },
    { "vmheat_scheme_back_offs", SCHEME, COUNTER, NULL,
      "How often the scheme began to leave the guest alone.",
      {}, scheme_back_offs },
    { "vmheat_scheme_apply_seconds", SCHEME, COUNTER, "seconds",
      "Time spent on the action.", {}, scheme_time },
    { "vmheat_scheme_quota_bytes", SCHEME, GAUGE, "bytes",
      "What the quota allows in this reset interval.", {}, scheme_quota },
    { "vmheat_scheme_goal_score_ratio", SCHEME, GAUGE, "ratio",
      "How near the best goal is; 1 is reached.", {}, scheme_goal },

    { "vmheat_host_memory_total_bytes", HOST, GAUGE, "bytes",
      "RAM of the host.", {}, host_total },
    { "vmheat_host_memory_available_bytes", HOST, GAUGE, "bytes",
      "RAM that can be had without swapping.", {}, host_available },
    { "vmheat_host_swap_total_bytes", HOST, GAUGE, "bytes",
      "Swap of the host.", {}, swap_total },
    { "vmheat_host_swap_used_bytes", HOST, GAUGE, "bytes",
      "Swap that is in use.", {}, swap_used },
    { "vmheat_host_compressed_original_bytes", HOST, GAUGE, "bytes",
      "What zram (of swap) and zswap hold.", {}, host_original },
    { "vmheat_host_compressed_stored_bytes", HOST, GAUGE, "bytes",
      "RAM that they need for it.", {}, host_stored },

    { "vmheat_exporter_build", EXPORTER, INFO, NULL,
      "Version of the exporter.", { "version" }, build },
    { "vmheat_exporter_domains", EXPORTER, GAUGE, NULL,
      "Machines that are watched.", {}, domains },
    { "vmheat_exporter_polls", EXPORTER, COUNTER, NULL,
      "How often machines were asked.", {}, polls },
    { "vmheat_exporter_poll_failures", EXPORTER, COUNTER, NULL,
      "How often one did not answer.", {}, poll_failures },
    { "vmheat_exporter_requests", EXPORTER, COUNTER, NULL,
      "Requests answered, by status.", { "code" }, requests },
    { "vmheat_exporter_refused", EXPORTER, COUNTER, NULL,
      "Clients and requests turned away.", { "reason" }, refused },
    { "vmheat_exporter_clients", EXPORTER, GAUGE, NULL,
      "Clients that are connected.", {}, clients },
    { "vmheat_exporter_event_clients", EXPORTER, GAUGE, NULL,
      "Clients that are sent events.", {}, event_clients },
    { "vmheat_exporter_event_clients_dropped", EXPORTER, COUNTER, NULL,
      "Clients cut off because they did not take their events.", {}, dropped },
    { "process_cpu_seconds", EXPORTER, COUNTER, "seconds",
      "CPU time of the exporter.", {}, process_cpu },
    { "process_resident_memory_bytes", EXPORTER, GAUGE, "bytes",
      "Memory of the exporter.", {}, process_memory },
};
/* clang-format on */

const VhMetric *vh_metric_nth(unsigned i)
{
    return i < G_N_ELEMENTS(table) ? &table[i] : NULL;
}
