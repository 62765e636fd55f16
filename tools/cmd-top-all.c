/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The "top" verb for all virtual machines of this host. */
#include "cli.h"
#include "fleet.h"
#include "screen.h"

typedef struct TopAll {
    VhScreen screen;
    VhFleet fleet;
    bool looked;
} TopAll;

static bool paint(void *opaque, VhPage *page)
{
    TopAll *top = opaque;

    if (top->looked) {
        vh_fleet_draw(&top->fleet, page);
    }
    return top->looked;
}

static void take_key(void *opaque, char key)
{
    TopAll *top = opaque;

    if (key == 's') {
        vh_fleet_order(&top->fleet, (top->fleet.sort + 1) % VH_FLEET_SORTS);
        vh_screen_draw(&top->screen);
    }
}

static void print_json(TopAll *top)
{
    g_autoptr(JsonNode) node = vh_fleet_json(&top->fleet);
    g_autofree char *text = json_to_string(node, false);
    g_autofree char *line = g_strconcat(text, "\n", NULL);

    vh_screen_print(&top->screen, line);
}

static bool show(TopAll *top, bool json, bool first, GError **error)
{
    if (!vh_fleet_look(&top->fleet, error)) {
        return false;
    }
    top->looked = true;
    if (json) {
        print_json(top);
        return true;
    }
    if (!top->screen.fs && !first) {
        vh_screen_print(&top->screen, "\n");
    }
    vh_screen_draw(&top->screen);
    return true;
}

static void loop(TopAll *top, const VhOptions *o, GError **error)
{
    int64_t due = g_get_monotonic_time();

    for (uint64_t n = 1; !vh_screen_done(&top->screen); n++) {
        if (!show(top, o->json, n == 1, error) || n == o->iterations) {
            return;
        }
        due = MAX(due + o->delay_us, g_get_monotonic_time());
        vh_screen_wait(&top->screen, -1, 0, due);
    }
}

int vh_cmd_top_all(const VhOptions *o, const VhTerm *term)
{
    g_autoptr(GError) error = NULL;
    int code = VH_EXIT_OK;
    TopAll top = { 0 };

    vh_screen_init(&top.screen, term, paint, &top);
    vh_fleet_init(&top.fleet);
    top.screen.key = take_key;
    top.fleet.uri = o->uri;
    top.fleet.folder = o->sockets;
    top.fleet.timeout_us = o->timeout_us;
    top.fleet.sort = o->by;
    if (term->tty && !o->json && o->iterations != 1) {
        vh_screen_enter(&top.screen);
        top.fleet.wait = vh_screen_wait;
        top.fleet.wait_opaque = &top.screen;
    }
    loop(&top, o, &error);
    vh_screen_leave(&top.screen, o->iterations && !top.screen.quit);
    if (error) {
        code = vh_cli_fail(error);
    } else if (top.screen.failed) {
        code = VH_EXIT_USAGE;
    }
    vh_fleet_clear(&top.fleet);
    return code;
}
