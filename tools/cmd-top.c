/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The "top" verb for one virtual machine. */
#include "cli.h"
#include "frame.h"
#include "reader.h"
#include "screen.h"

typedef struct Top {
    const VhOptions *options;
    VhScreen screen;
    VhClient *client;
    VhInfo *info;
    VhSnapshot *snap;
    int64_t taken_us;
    VhStatsInfo before;
    int64_t before_us; /* 0: there is no picture before */
    char *news;
} Top;

static bool paint(void *opaque, VhPage *page)
{
    Top *top = opaque;
    VhFrame frame = {
        .socket = vh_cli_target(top->options),
        .info = top->info,
        .snap = top->snap,
        .taken_us = top->taken_us,
        .before = top->before_us ? &top->before : NULL,
        .before_us = top->before_us,
        .news = top->news,
    };

    if (top->info) {
        vh_frame_draw(page, &frame);
    }
    return top->info;
}

static void top_event(void *opaque, const char *name, JsonObject *data)
{
    Top *top = opaque;
    bool state = g_str_equal(name, "VMHEAT_STATE_CHANGED");
    const char *what, *why;

    if (!state && !g_str_equal(name, "VMHEAT_PRIMITIVE_CHANGED")) {
        return;
    }
    what = vh_read_opt_string(data, state ? "state" : "primitive");
    why = vh_read_opt_string(data, "reason");
    g_free(top->news);
    top->news =
        g_strdup_printf("%s is now %s%s%s%s", state ? "state" : "primitive",
                        what ? what : "unknown", why ? " (" : "",
                        why ? why : "", why ? ")" : "");
}

/* Columns: the guest's QEMU is held up half as long as by a list. */
static JsonNode *query_regions(Top *top, GError **error)
{
    JsonObject *arguments = json_object_new();

    json_object_set_boolean_member(arguments, "columns", true);
    return vh_client_command(top->client, "query-vmheat-regions", arguments,
                             error);
}

/* Replaces the picture's data when both queries work. */
static bool poll_qemu(Top *top, GError **error)
{
    g_autoptr(JsonNode) i =
        vh_client_command(top->client, "query-vmheat", NULL, error);
    g_autoptr(JsonNode) s = i ? query_regions(top, error) : NULL;
    g_autoptr(VhInfo) info = s ? vh_info_parse(i, error) : NULL;
    g_autoptr(VhSnapshot) snap = info ? vh_snapshot_parse(s, error) : NULL;

    if (!snap) {
        return false;
    }
    if (top->info) {
        top->before = top->info->stats;
        top->before.detail = NULL; /* goes with its reply */
        top->before_us = top->taken_us;
    }
    vh_info_free(top->info);
    vh_snapshot_free(top->snap);
    top->info = g_steal_pointer(&info);
    top->snap = g_steal_pointer(&snap);
    top->taken_us = g_get_monotonic_time();
    return true;
}

/* One object a line: what both commands returned. */
static bool print_json(Top *top, GError **error)
{
    g_autoptr(JsonNode) i =
        vh_client_command(top->client, "query-vmheat", NULL, error);
    g_autoptr(JsonNode) s =
        i ? vh_client_command(top->client, "query-vmheat-regions", NULL, error)
          : NULL;
    g_autofree char *info = NULL;
    g_autofree char *snap = NULL;
    g_autofree char *line = NULL;

    if (!s) {
        return false;
    }
    info = json_to_string(i, false);
    snap = json_to_string(s, false);
    line = g_strdup_printf(
        "{\"query-vmheat\":%s,\"query-vmheat-regions\":%s}\n", info, snap);
    vh_screen_print(&top->screen, line);
    return true;
}

static bool show(Top *top, bool first, GError **error)
{
    if (top->options->json) {
        return print_json(top, error);
    }
    if (!poll_qemu(top, error)) {
        return false;
    }
    if (!top->screen.fs && !first) {
        vh_screen_print(&top->screen, "\n");
    }
    vh_screen_draw(&top->screen);
    return true;
}

static bool loop(Top *top, GError **error)
{
    gint64 due = g_get_monotonic_time();

    for (uint64_t n = 1; !vh_screen_done(&top->screen); n++) {
        if (!show(top, n == 1, error)) {
            return false;
        }
        if (n == top->options->iterations) {
            return true;
        }
        /* a fixed rhythm, but no catching up after a standstill */
        due = MAX(due + top->options->delay_us, g_get_monotonic_time());
        if (!vh_client_rest(top->client, due, error)) {
            return false;
        }
    }
    return true;
}

static void clear(Top *top)
{
    vh_client_close(top->client);
    vh_info_free(top->info);
    vh_snapshot_free(top->snap);
    g_free(top->news);
}

int vh_cmd_top(const VhOptions *options, const VhTerm *term)
{
    Top top = { .options = options };
    g_autoptr(GError) error = NULL;
    int exit_code = VH_EXIT_OK;

    if (options->all) {
        return vh_cmd_top_all(options, term);
    }
    top.client = vh_cli_open(options, &error);
    if (!top.client) {
        return vh_cli_fail(error);
    }
    vh_screen_init(&top.screen, term, paint, &top);
    vh_client_set_event(top.client, top_event, &top);
    if (term->tty && !options->json && options->iterations != 1) {
        vh_screen_enter(&top.screen);
        vh_client_set_wait(top.client, vh_screen_wait, &top.screen);
    }
    loop(&top, &error);
    /* with a given number of pictures, the last one is worth keeping */
    vh_screen_leave(&top.screen, options->iterations && !top.screen.quit);
    if (error) {
        exit_code = vh_cli_fail(error);
    } else if (top.screen.failed) {
        exit_code = VH_EXIT_USAGE;
    }
    clear(&top);
    return exit_code;
}
