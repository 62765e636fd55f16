/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line. GOption reads it; values with units are taken as text and
 * checked here, with the readers of vmheat's own options.
 */
#include <string.h>

#include "log.h"
#include "options.h"
#include "units.h"

#define SECOND 1000000ll

/* Values as they were given. */
typedef struct Given {
    char *interval, *idle_interval, *timeout, *history, *history_memory;
} Given;

static bool refuse(GError **error, const char *option, const char *value,
                   const char *allowed)
{
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "--%s '%s' is not valid: must be %s", option, value, allowed);
    return false;
}

/* @text: NULL: the default stays */
static bool take_time(const char *option, const char *text, gint64 min,
                      gint64 max, const char *allowed, gint64 *us,
                      GError **error)
{
    uint64_t value;

    if (!text) {
        return true;
    }
    if (!vh_parse_duration(text, &value) || value < (uint64_t)min ||
        value > (uint64_t)max) {
        return refuse(error, option, text, allowed);
    }
    *us = value;
    return true;
}

static bool take_history(const Given *g, VhExporterOptions *o, GError **error)
{
    gint64 us = o->history_s * SECOND;

    if (!take_time("history", g->history, 0, 31 * 86400 * SECOND,
                   "0 (none) .. 31d, with s, m, h or d", &us, error)) {
        return false;
    }
    o->history_s = us / SECOND;
    if (g->history_memory &&
        (!vh_parse_size(g->history_memory, &o->history_bytes) ||
         o->history_bytes < 4 << 20 || o->history_bytes > 1ull << 40)) {
        return refuse(error, "history-memory", g->history_memory,
                      "a size, 4M .. 1T");
    }
    return true;
}

static bool take_given(const Given *g, VhExporterOptions *o, GError **error)
{
    return take_time("interval", g->interval, SECOND / 4, 3600 * SECOND,
                     "250ms .. 1h", &o->interval_us, error) &&
           take_time("idle-interval", g->idle_interval, SECOND / 4,
                     3600 * SECOND, "250ms .. 1h", &o->idle_interval_us,
                     error) &&
           take_time("timeout", g->timeout, SECOND / 10, 60 * SECOND,
                     "100ms .. 1m", &o->timeout_us, error) &&
           take_history(g, o, error);
}

static bool is_range(GError **error, const char *option, int value, int min,
                     int max)
{
    g_autofree char *text = g_strdup_printf("%d", value);
    g_autofree char *allowed = g_strdup_printf("%d .. %d", min, max);

    return (value >= min && value <= max) ||
           refuse(error, option, text, allowed);
}

static bool say(GError **error, const char *sentence)
{
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                        sentence);
    return false;
}

static bool check(const VhExporterOptions *o, GError **error)
{
    if (o->metrics_table || o->version) {
        return true;
    }
    if (!o->sockets && !o->folder && !o->libvirt) {
        return say(error, "which virtual machines? Give QMP sockets with -s "
                          "PATH, a folder of them with --sockets DIR, or "
                          "libvirt with -c URI");
    }
    if (o->allow_control && !o->token_file) {
        return say(error, "--allow-control needs --token-file FILE: who wants "
                          "to change something has to have the token");
    }
    if (o->token_file && !o->allow_control) {
        return say(error, "--token-file makes sense with --allow-control only");
    }
    if (o->node && !*o->node) {
        return say(error, "--node cannot be empty");
    }
    return is_range(error, "max-clients", o->max_clients, 8, 100000) &&
           is_range(error, "max-rate", o->max_rate, 1, 100000);
}

static void set_defaults(VhExporterOptions *o)
{
    *o = (VhExporterOptions){ .interval_us = SECOND,
                              .idle_interval_us = 15 * SECOND,
                              .timeout_us = 5 * SECOND,
                              .history_s = 24 * 3600,
                              .history_bytes = 64 << 20,
                              .max_clients = 1024,
                              .max_rate = 100 };
}

/* What was not given, and cleans what was. */
static void fill_in(VhExporterOptions *o)
{
    char *node = vh_clean_text(o->node ? o->node : g_get_host_name(), 255);

    g_free(o->node);
    o->node = node;
    o->libvirt = o->uri != NULL;
    if (o->uri && !*o->uri) {
        g_clear_pointer(&o->uri, g_free);
    }
    if (!o->listen) {
        o->listen = g_strdup(VH_LISTEN_DEFAULT);
    }
}

static GOptionContext *new_context(void)
{
    GOptionContext *c =
        g_option_context_new("- figures of virtual machines over HTTP");

    g_option_context_set_description(
        c, "Machines are found by at least one of -s, --sockets and -c. Times "
           "take us, ms, s, m, h or d; sizes K, M, G.\n"
           "See vmheat-exporter(1).");
    return c;
}

static bool parse(int argc, char **argv, const GOptionEntry *entries,
                  GError **error)
{
    g_autoptr(GOptionContext) c = new_context();
    /* it moves and frees words: the caller's stay as they are */
    g_auto(GStrv) words = g_strdupv(argv);

    g_option_context_add_main_entries(c, entries, NULL);
    if (!g_option_context_parse_strv(c, &words, error)) {
        return false;
    }
    if (words[0] && words[1]) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "unexpected argument '%s'", words[1]);
        return false;
    }
    return true;
}

static void free_given(Given *g)
{
    g_free(g->interval);
    g_free(g->idle_interval);
    g_free(g->timeout);
    g_free(g->history);
    g_free(g->history_memory);
}

bool vh_exporter_options(int argc, char **argv, VhExporterOptions *o,
                         GError **error)
{
    Given g = {};
    const GOptionEntry entries[] = {
        { "listen", 'l', 0, G_OPTION_ARG_FILENAME, &o->listen,
          "where to serve (default " VH_LISTEN_DEFAULT ")",
          "ADDR:PORT|unix:PATH" },
        { "socket", 's', 0, G_OPTION_ARG_FILENAME_ARRAY, &o->sockets,
          "a QMP socket; may be given again", "PATH" },
        { "sockets", 0, 0, G_OPTION_ARG_FILENAME, &o->folder,
          "all QMP sockets in DIR, as they come and go", "DIR" },
        { "connect", 'c', 0, G_OPTION_ARG_STRING, &o->uri,
          "all domains of libvirt at URI that run; '' is its default", "URI" },
        { "interval", 0, 0, G_OPTION_ARG_STRING, &g.interval,
          "how often to ask a machine that somebody looks at (default 1s)",
          "TIME" },
        { "idle-interval", 0, 0, G_OPTION_ARG_STRING, &g.idle_interval,
          "how often to ask others (default 15s)", "TIME" },
        { "timeout", 't', 0, G_OPTION_ARG_STRING, &g.timeout,
          "how long an answer may take (default 5s)", "TIME" },
        { "history", 0, 0, G_OPTION_ARG_STRING, &g.history,
          "how long to remember (default 24h; 0: not at all)", "TIME" },
        { "history-memory", 0, 0, G_OPTION_ARG_STRING, &g.history_memory,
          "in how much memory, for each machine (default 64M)", "SIZE" },
        { "records", 0, 0, G_OPTION_ARG_FILENAME, &o->records,
          "what is older is in DIR/DOMAIN.vmheat, of vmheat record", "DIR" },
        { "node", 0, 0, G_OPTION_ARG_STRING, &o->node,
          "name of this host in labels (default: its name)", "NAME" },
        { "allow-control", 0, 0, G_OPTION_ARG_NONE, &o->allow_control,
          "let those who have the token change something", NULL },
        { "token-file", 0, 0, G_OPTION_ARG_FILENAME, &o->token_file,
          "holds the token; must not be readable by others", "FILE" },
        { "host-name", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->host_names,
          "a name this may be reached by; may be given again", "NAME" },
        { "max-clients", 0, 0, G_OPTION_ARG_INT, &o->max_clients,
          "connections at a time (default 1024)", "N" },
        { "max-rate", 0, 0, G_OPTION_ARG_INT, &o->max_rate,
          "requests a second from one address (default 100)", "N" },
        { "metrics-table", 0, 0, G_OPTION_ARG_NONE, &o->metrics_table,
          "print the metrics there are, as JSON", NULL },
        { "version", 0, 0, G_OPTION_ARG_NONE, &o->version, "print the version",
          NULL },
        {},
    };
    bool ok;

    set_defaults(o);
    ok = parse(argc, argv, entries, error) && take_given(&g, o, error);
    free_given(&g);
    if (ok) {
        fill_in(o);
        ok = check(o, error);
    }
    return ok;
}

void vh_exporter_options_clear(VhExporterOptions *o)
{
    g_free(o->listen);
    g_strfreev(o->sockets);
    g_free(o->folder);
    g_free(o->uri);
    g_free(o->records);
    g_free(o->token_file);
    g_strfreev(o->host_names);
    g_free(o->node);
}
