/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmheat-exporter: what vmheat knows of virtual machines, over HTTP.
 *
 * Threads: this one has signals and timers; one serves HTTP (http.h); each
 * machine has one (vm.h); a folder and a libvirt have one (targets.h); a small
 * pool does what takes long.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>
#include <glib-unix.h>

#include "api-events.h"
#include "api-past.h"
#include "auth.h"
#include "client/client.h"
#include "exit-codes.h"
#include "listen.h"
#include "log.h"
#include "metrics.h"
#include "targets.h"

/* How long threads of machines may take to end. */
#define END_US 2000000

typedef struct Main {
    VhExporter exporter;
    VhTargetsConfig where;
    VhTargets *targets;
    VhListen listen;
    VhHttp *http;
    GMainLoop *loop;
} Main;

static int complain(const GError *error)
{
    vh_log("%s", error->message);
    return error->domain == G_OPTION_ERROR    ? VH_EXIT_USAGE
           : error->domain == VH_CLIENT_ERROR ? vh_exit_of_client(error->code)
           : error->domain == G_FILE_ERROR    ? VH_EXIT_FILE
                                              : VH_EXIT_HOST;
}

static int print(const char *text)
{
    if (fputs(text, stdout) == EOF || fputc('\n', stdout) == EOF ||
        fflush(stdout)) {
        vh_log("cannot write to standard output");
        return VH_EXIT_FILE;
    }
    return VH_EXIT_OK;
}

static int print_table(void)
{
    g_autofree char *text = vh_metrics_table_json();

    return print(text);
}

/* Each client, and each machine, needs one. */
static void allow_descriptors(void)
{
    struct rlimit l;

    if (!getrlimit(RLIMIT_NOFILE, &l)) {
        l.rlim_cur = MIN(l.rlim_max, 65536);
        setrlimit(RLIMIT_NOFILE, &l);
    }
}

/* ---- news of machines ---- */

static void take_view(void *opaque, VhVm *vm, VhView *view)
{
    VhExporter *x = opaque;

    vh_counters_add(&x->counters, &x->counters.stats.polls, 1);
    vh_counters_add(&x->counters, &x->counters.stats.poll_failures,
                    g_str_equal(view->state, "unreachable"));
    vh_events_view(x, vm, view);
}

static void take_event(void *opaque, const char *id, const char *name,
                       JsonObject *data)
{
    vh_events_qmp(opaque, id, name, data);
}

/* ---- timers and signals ---- */

static gboolean each_second(gpointer opaque)
{
    Main *m = opaque;

    vh_http_sweep(m->http);
    vh_events_beat(m->exporter.events, g_get_monotonic_time());
    return G_SOURCE_CONTINUE;
}

static gboolean each_interval(gpointer opaque)
{
    Main *m = opaque;

    vh_events_tick(&m->exporter);
    return G_SOURCE_CONTINUE;
}

static gboolean end(gpointer opaque)
{
    Main *m = opaque;

    g_main_loop_quit(m->loop);
    return G_SOURCE_CONTINUE;
}

/* ---- from beginning to end ---- */

static void start(Main *m, const VhExporterOptions *o)
{
    VhExporter *x = &m->exporter;
    const char *host_root = g_getenv("VMHEAT_HOST_ROOT"); /* of tests */
    VhVmsConfig config = {
        .uri = o->uri,
        .timeout_us = o->timeout_us,
        .pace = { o->interval_us,
                  MAX(o->interval_us,
                      MIN(5 * G_USEC_PER_SEC, o->idle_interval_us)),
                  MAX(o->interval_us, o->idle_interval_us) },
        .history = { o->history_s, o->history_bytes },
        .records = o->records,
        .hooks = { take_view, take_event, x },
    };

    x->options = o;
    vh_host_cache_init(&x->host, host_root ? host_root : "");
    vh_counters_init(&x->counters);
    x->events = vh_events_new(&x->counters);
    x->vms = vh_vms_new(&config);
    x->pool = vh_past_pool_new();
    m->where = (VhTargetsConfig){ o->sockets, o->folder, o->libvirt, o->uri,
                                  o->timeout_us };
    m->listen.fd = -1;
}

static bool open_all(Main *m, const VhExporterOptions *o, GError **error)
{
    VhExporter *x = &m->exporter;

    if (o->allow_control) {
        x->token = vh_token_read(o->token_file, error);
        if (!x->token) {
            return false;
        }
    }
    if (!vh_listen_open(o->listen, &m->listen, error)) {
        return false;
    }
    x->tcp = !m->listen.path;
    m->targets = vh_targets_new(&m->where, x->vms, error);
    m->http = m->targets ? vh_http_new(x, m->listen.fd, error) : NULL;
    return m->http;
}

static void run(Main *m, const VhExporterOptions *o)
{
    m->loop = g_main_loop_new(NULL, false);
    g_unix_signal_add(SIGTERM, end, m);
    g_unix_signal_add(SIGINT, end, m);
    g_timeout_add_seconds(1, each_second, m);
    g_timeout_add(o->interval_us / 1000, each_interval, m);
    vh_log("serving on %s%s", m->listen.url,
           m->listen.loopback ? "" : ", which other hosts can reach");
    g_main_loop_run(m->loop);
    g_main_loop_unref(m->loop);
}

/* Machines first: requests that wait for one get their answer. */
static void finish(Main *m)
{
    VhExporter *x = &m->exporter;

    if (m->http) {
        vh_http_quiesce(m->http);
    }
    g_clear_pointer(&m->targets, vh_targets_free);
    if (!vh_vms_stop(x->vms, END_US)) {
        vh_listen_close(&m->listen);
        _exit(VH_EXIT_OK); /* a libvirt that hangs is not waited for */
    }
    g_thread_pool_free(x->pool, false, true);
    vh_events_stop(x->events);
    g_clear_pointer(&m->http, vh_http_free);
    vh_listen_close(&m->listen);
    vh_events_free(x->events);
    vh_vms_free(x->vms);
    vh_counters_clear(&x->counters);
    vh_host_cache_clear(&x->host);
    g_free(x->token);
}

static int serve(const VhExporterOptions *o)
{
    g_autoptr(GError) error = NULL;
    Main m = {};
    int code = VH_EXIT_OK;

    signal(SIGPIPE, SIG_IGN);
    allow_descriptors();
    start(&m, o);
    if (open_all(&m, o, &error)) {
        run(&m, o);
    } else {
        code = complain(error);
    }
    finish(&m);
    return code;
}

int main(int argc, char **argv)
{
    VhExporterOptions o;
    g_autoptr(GError) error = NULL;
    int code;

    if (!vh_exporter_options(argc, argv, &o, &error)) {
        code = complain(error);
    } else if (o.version) {
        code = print("vmheat-exporter " VMHEAT_VERSION);
    } else {
        code = o.metrics_table ? print_table() : serve(&o);
    }
    vh_exporter_options_clear(&o);
    return code;
}
