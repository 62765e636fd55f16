/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options: what each is called, takes and means. */
#include "options-table.h"
#include "units.h"

static const char *take_socket(VhOptions *o, const char *arg)
{
    o->socket = arg;
    return *arg ? NULL : "the path of a QMP socket";
}

static const char *take_json(VhOptions *o, const char *arg)
{
    o->json = true;
    return NULL;
}

static const char *take_color(VhOptions *o, const char *arg)
{
    o->color = VH_COLOR_ALWAYS;
    return NULL;
}

static const char *take_no_color(VhOptions *o, const char *arg)
{
    o->color = VH_COLOR_NEVER;
    return NULL;
}

static const char *take_timeout(VhOptions *o, const char *arg)
{
    return vh_parse_seconds(arg, &o->timeout_us)
               ? NULL
               : "a number of seconds, 0.01 .. 86400";
}

static const char *take_delay(VhOptions *o, const char *arg)
{
    return vh_parse_seconds(arg, &o->delay_us)
               ? NULL
               : "a number of seconds, 0.01 .. 86400";
}

static const char address_help[] =
    "a decimal or 0x hexadecimal number, with K, M, G or T for KiB to TiB";

static const char *take_start(VhOptions *o, const char *arg)
{
    return vh_parse_size(arg, &o->start) ? NULL : address_help;
}

static const char *take_end(VhOptions *o, const char *arg)
{
    return vh_parse_size(arg, &o->end) ? NULL : address_help;
}

static bool parse_count(const char *arg, uint64_t min, uint64_t max,
                        uint64_t *out)
{
    guint64 v;

    if (!g_ascii_string_to_unsigned(arg, 10, min, max, &v, NULL)) {
        return false;
    }
    *out = v;
    return true;
}

static const char *take_min(VhOptions *o, const char *arg)
{
    return parse_count(arg, 0, UINT32_MAX, &o->min_nr_accesses)
               ? NULL
               : "a number, 0 .. 4294967295";
}

static const char *take_limit(VhOptions *o, const char *arg)
{
    return parse_count(arg, 1, 100000, &o->limit) ? NULL
                                                  : "a number, 1 .. 100000";
}

static const char *take_iterations(VhOptions *o, const char *arg)
{
    return parse_count(arg, 1, UINT32_MAX, &o->iterations)
               ? NULL
               : "a number, 1 .. 4294967295";
}

static const char *take_once(VhOptions *o, const char *arg)
{
    o->iterations = 1;
    return NULL;
}

static const char *take_sort(VhOptions *o, const char *arg)
{
    static const char *const names[] = {
        [VH_SORT_ADDRESS] = "address", [VH_SORT_HEAT] = "heat",
        [VH_SORT_SIZE] = "size",       [VH_SORT_AGE] = "age",
        [VH_SORT_RATE] = "rate",       [VH_SORT_IDLE] = "idle",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_str_equal(arg, names[i])) {
            o->sort = i;
            return NULL;
        }
    }
    return "address, heat, size, age, rate or idle";
}

static const char *take_programs(VhOptions *o, const char *arg)
{
    o->programs = arg;
    return *arg ? NULL : "a directory";
}

static const char *take_pid(VhOptions *o, const char *arg)
{
    uint64_t v = 0;
    bool ok = parse_count(arg, 1, INT32_MAX, &v);

    o->pid = v;
    return ok ? NULL : "the number of a process";
}

static const char *take_damon(VhOptions *o, const char *arg)
{
    o->damon = true;
    return NULL;
}

static const char *take_no_idle_page(VhOptions *o, const char *arg)
{
    o->no_idle_page = true;
    return NULL;
}

static const char *take_damon_cpu(VhOptions *o, const char *arg)
{
    uint64_t v = 0;
    bool ok = parse_count(arg, 1, 100, &v);

    o->damon_cpu = v;
    return ok ? NULL : "a number, 1 .. 100";
}

static const char *take_revoke(VhOptions *o, const char *arg)
{
    o->revoke = true;
    return NULL;
}

static const char *take_background(VhOptions *o, const char *arg)
{
    o->background = true;
    return NULL;
}

static const char *take_page_idle(VhOptions *o, const char *arg)
{
    o->page_idle = arg;
    return NULL;
}

static const char *take_damon_root(VhOptions *o, const char *arg)
{
    o->damon_root = arg;
    return NULL;
}

static const char *take_damon_owner(VhOptions *o, const char *arg)
{
    o->damon_owner = arg;
    return NULL;
}

/* Options of recipes, and --apply, find out themselves what is wrong. */
static const char *take_apply(VhOptions *o, const char *arg)
{
    if (!o->recipes) {
        o->recipes = vh_recipes_new();
    }
    return vh_recipes_add(o->recipes, arg, &o->problem) ? NULL : o->problem;
}

static const char *take_add(VhOptions *o, const char *arg)
{
    o->add = true;
    return NULL;
}

static const char *take_dry_run(VhOptions *o, const char *arg)
{
    o->dry_run = true;
    return NULL;
}

static const char *take_set(VhOptions *o, const char *arg)
{
    o->set_file = arg;
    return *arg ? NULL : "a file, or - for standard input";
}

static const char *take_clear(VhOptions *o, const char *arg)
{
    o->clear = true;
    return NULL;
}

static const char *take_export(VhOptions *o, const char *arg)
{
    o->export_list = true;
    return NULL;
}

static const char *take_actions(VhOptions *o, const char *arg)
{
    o->actions = true;
    return NULL;
}

static const char *take_tried(VhOptions *o, const char *arg)
{
    o->tried = true;
    return NULL;
}

static const VhOption table[] = {
    { 's', true, "socket", "PATH",
      "QMP unix socket of QEMU; default: $VMHEAT_SOCKET", take_socket },
    { 't', true, "timeout", "SECONDS",
      "how long to wait for an answer; default: 5", take_timeout },
    { VH_OPT_JSON, false, "json", NULL, "print JSON, as vmheat(1) tells",
      take_json },
    { VH_OPT_COLOR, false, "color", NULL, "use colours, whatever the output is",
      take_color },
    { VH_OPT_NO_COLOR, false, "no-color", NULL, "use no colours",
      take_no_color },
    { VH_OPT_START, false, "start", "ADDRESS", "leave out regions below",
      take_start },
    { VH_OPT_END, false, "end", "ADDRESS", "leave out regions from there on",
      take_end },
    { VH_OPT_MIN, false, "min-nr-accesses", "N",
      "leave out regions with fewer accesses", take_min },
    { VH_OPT_LIMIT, false, "limit", "N", "show at most N regions", take_limit },
    { VH_OPT_SORT, false, "sort", "BY",
      "address (default), heat, size, age, rate or idle", take_sort },
    { 'd', true, "delay", "SECONDS", "time between updates; default: 1",
      take_delay },
    { 'n', true, "iterations", "N", "end after N updates", take_iterations },
    { VH_OPT_ONCE, false, "once", NULL, "same as -n 1", take_once },
    { VH_OPT_PROGRAMS, false, "programs", "DIR",
      "where the programs that try the host are", take_programs },
    { VH_OPT_PID, false, "pid", "PID", "process of QEMU; default: found out",
      take_pid },
    { VH_OPT_DAMON, false, "damon", NULL,
      "drive the kernel's DAMON for QEMU, until "
      "it ends",
      take_damon },
    { VH_OPT_DAMON_CPU, false, "damon-cpu", "PERCENT",
      "CPU for reading DAMON's "
      "regions; default: 2",
      take_damon_cpu },
    { VH_OPT_BACKGROUND, false, "background", NULL,
      "with --damon: go on in the "
      "background",
      take_background },
    { VH_OPT_NO_IDLE_PAGE, false, "no-idle-page", NULL,
      "with --damon: hand over "
      "nothing else",
      take_no_idle_page },
    { VH_OPT_REVOKE, false, "revoke", NULL,
      "make QEMU close what was handed over", take_revoke },
    { VH_OPT_TRIED, false, "tried", NULL,
      "show the regions of each scheme, too", take_tried },
    { VH_OPT_ACTIONS, false, "actions", NULL,
      "show what can be done to memory here", take_actions },
    { VH_OPT_EXPORT, false, "export", NULL,
      "print the schemes in use as a file for "
      "--set",
      take_export },
    { VH_OPT_SET, false, "set", "FILE",
      "use the schemes of a JSON file; -: standard "
      "input",
      take_set },
    { VH_OPT_CLEAR, false, "clear", NULL, "remove all schemes", take_clear },
    { VH_OPT_APPLY, false, "apply", "RECIPE",
      "use those of a recipe; may be given "
      "again",
      take_apply },
    { VH_OPT_ADD, false, "add", NULL, "keep those in use", take_add },
    { VH_OPT_DRY_RUN, false, "dry-run", NULL,
      "print what --apply would send, send "
      "nothing",
      take_dry_run },
    { VH_OPT_PAGE_IDLE, false, "page-idle", "FILE", NULL, take_page_idle },
    { VH_OPT_DAMON_ROOT, false, "damon-root", "DIR", NULL, take_damon_root },
    { VH_OPT_DAMON_OWNER, false, "damon-owner", "FILE", NULL,
      take_damon_owner },
    {},
};

const VhOption *vh_option_table(void)
{
    return table;
}
