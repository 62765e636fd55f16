/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * One thread and one place to wait: the client calls top_wait() whenever it
 * waits, for QEMU's answer or for the next picture to be due. That looks after
 * the terminal as well, so keys, signals and new sizes are served even while
 * QEMU does not answer, and the end of QEMU is noticed between two pictures.
 *
 * On a terminal, signals arrive through a signalfd, so nothing can end the
 * program between changing the terminal and restoring it. Elsewhere pictures
 * are appended, and signals have their usual effect.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli.h"
#include "frame.h"

typedef struct Top {
    const VhOptions *options;
    VhTerm term;
    VhClient *client;
    VhFullscreen *fs; /* NULL: pictures are appended */
    int signals;      /* signalfd, or -1 */
    bool keys;        /* standard input is a terminal */
    bool quit;
    bool failed; /* standard output cannot be written */
    VhInfo *info;
    VhSnapshot *snap;
    int64_t taken_us;
    VhStatsInfo before;
    int64_t before_us; /* 0: there is no picture before */
    char *news;
} Top;

static void draw(Top *top)
{
    g_autoptr(VhPage) page = vh_page_new(&top->term);
    g_autofree char *text = NULL;
    VhFrame frame = {
        .socket = vh_cli_target(top->options),
        .info = top->info,
        .snap = top->snap,
        .taken_us = top->taken_us,
        .before = top->before_us ? &top->before : NULL,
        .before_us = top->before_us,
        .news = top->news,
    };

    if (!top->info) {
        return;
    }
    vh_frame_draw(page, &frame);
    text = top->fs ? vh_page_screen(page) : vh_page_text(page);
    top->failed |= vh_cli_print(text) != VH_EXIT_OK;
}

/* Gives the terminal back for as long as the user has stopped us. */
static void suspend(Top *top)
{
    g_clear_pointer(&top->fs, vh_fullscreen_leave);
    kill(getpid(), SIGSTOP);
    top->fs = vh_fullscreen_enter();
    vh_term_resize(&top->term);
    draw(top);
}

static void take_signal(Top *top)
{
    struct signalfd_siginfo si;

    if (read(top->signals, &si, sizeof(si)) != sizeof(si)) {
        return;
    }
    switch (si.ssi_signo) {
    case SIGWINCH:
        vh_term_resize(&top->term);
        draw(top);
        break;
    case SIGTSTP:
        suspend(top);
        break;
    default:
        top->quit = true;
        break;
    }
}

static void take_keys(Top *top)
{
    char keys[64];
    ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));

    if (n <= 0) {
        top->keys = false; /* the terminal is gone: SIGHUP follows */
    }
    for (ssize_t i = 0; i < n; i++) {
        top->quit |= keys[i] == 'q' || keys[i] == 'Q';
    }
}

static VhWait top_wait(void *opaque, int fd, short events, gint64 deadline)
{
    Top *top = opaque;

    while (!top->quit && !top->failed) {
        gint64 left = deadline - g_get_monotonic_time();
        GPollFD fds[] = {
            { .fd = fd, .events = events },
            { .fd = top->signals, .events = G_IO_IN },
            { .fd = top->keys ? STDIN_FILENO : -1, .events = G_IO_IN },
        };

        if (left <= 0) {
            return VH_WAIT_TIMEOUT;
        }
        if (g_poll(fds, G_N_ELEMENTS(fds), (left + 999) / 1000) < 0) {
            continue;
        }
        if (fds[1].revents) {
            take_signal(top);
        }
        if (fds[2].revents) {
            take_keys(top);
        }
        if (fds[0].revents && !top->quit) {
            return VH_WAIT_READY;
        }
    }
    return VH_WAIT_INTERRUPTED;
}

static const char *text_member(JsonObject *data, const char *name)
{
    JsonNode *node = data ? json_object_get_member(data, name) : NULL;

    return node && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

static void top_event(void *opaque, const char *name, JsonObject *data)
{
    Top *top = opaque;
    bool state = g_str_equal(name, "VMHEAT_STATE_CHANGED");
    const char *what, *why;

    if (!state && !g_str_equal(name, "VMHEAT_PRIMITIVE_CHANGED")) {
        return;
    }
    what = text_member(data, state ? "state" : "primitive");
    why = text_member(data, "reason");
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
    top->failed |= vh_cli_print(line) != VH_EXIT_OK;
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
    if (!top->fs && !first) {
        top->failed |= vh_cli_print("\n") != VH_EXIT_OK;
    }
    draw(top);
    return true;
}

static bool loop(Top *top, GError **error)
{
    gint64 due = g_get_monotonic_time();

    for (uint64_t n = 1; !top->quit && !top->failed; n++) {
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

static void catch_signals(Top *top)
{
    static const int taken[] = { SIGINT,  SIGTERM,  SIGHUP,
                                 SIGQUIT, SIGWINCH, SIGTSTP };
    sigset_t set;

    sigemptyset(&set);
    for (unsigned i = 0; i < G_N_ELEMENTS(taken); i++) {
        sigaddset(&set, taken[i]);
    }
    sigprocmask(SIG_BLOCK, &set, NULL);
    top->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void enter(Top *top)
{
    catch_signals(top);
    top->keys = isatty(STDIN_FILENO);
    top->fs = vh_fullscreen_enter();
    vh_client_set_wait(top->client, top_wait, top);
}

/* With a given number of pictures, the last one is worth keeping. */
static void leave(Top *top)
{
    if (top->fs) {
        g_clear_pointer(&top->fs, vh_fullscreen_leave);
        if (top->options->iterations && !top->quit) {
            draw(top);
        }
    }
}

static void clear(Top *top)
{
    if (top->signals >= 0) {
        close(top->signals);
    }
    vh_client_close(top->client);
    vh_info_free(top->info);
    vh_snapshot_free(top->snap);
    g_free(top->news);
}

int vh_cmd_top(const VhOptions *options, const VhTerm *term)
{
    Top top = { .options = options, .term = *term, .signals = -1 };
    g_autoptr(GError) error = NULL;
    int exit_code = VH_EXIT_OK;

    top.client = vh_cli_open(options, &error);
    if (!top.client) {
        return vh_cli_fail(error);
    }
    vh_client_set_event(top.client, top_event, &top);
    if (term->tty && !options->json && options->iterations != 1) {
        enter(&top);
    }
    loop(&top, &error);
    leave(&top);
    if (error) {
        exit_code = vh_cli_fail(error);
    } else if (top.failed) {
        exit_code = VH_EXIT_USAGE;
    }
    clear(&top);
    return exit_code;
}
