/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options that are right each by itself, but not together, or not for a verb.
 */
#include <string.h>

#include "options-table.h"
#include "verbs.h"

static char *check_grant(const VhOptions *o)
{
    if (o->revoke && (o->damon || o->no_idle_page || o->pid)) {
        return g_strdup_printf(
            "--revoke takes everything back; it goes with no "
            "other option of grant");
    }
    if (!o->damon && (o->no_idle_page || o->background || o->damon_cpu)) {
        return g_strdup_printf(
            "--no-idle-page, --background and --damon-cpu make "
            "sense with --damon only");
    }
    return NULL;
}

static char *check_schemes(const VhVerb *verb, const VhOptions *o)
{
    bool sets = o->recipes || o->set_file;
    int what = (o->recipes != NULL) + (o->set_file != NULL) + o->clear +
               o->export_list + o->actions + o->tried;

    if (what > 1) {
        return g_strdup_printf("only one of --apply, --set, --clear, --export, "
                               "--actions and --tried can be given");
    }
    if (o->add && !sets) {
        return g_strdup_printf("--add makes sense with --apply and --set only");
    }
    if (o->dry_run && !o->recipes && verb->target == VH_TARGET_VM) {
        return g_strdup_printf("--dry-run makes sense with --apply only");
    }
    return NULL;
}

/* Does all that is asked for work without a virtual machine? */
static bool is_alone(const VhVerb *verb, const VhOptions *o)
{
    return verb->target != VH_TARGET_VM ||
           (o->dry_run && !o->add && !vh_recipes_need_ram(o->recipes));
}

static bool was_given(const GPtrArray *seen, const char *name)
{
    for (guint i = 0; i < seen->len; i++) {
        const VhOption *o = g_ptr_array_index(seen, i);

        if (g_str_equal(o->name, name)) {
            return true;
        }
    }
    return false;
}

static char *check_all(const VhOptions *o, const GPtrArray *seen)
{
    if (o->domain || was_given(seen, "socket")) {
        return g_strdup_printf(
            "--all shows all virtual machines: '%s' is one too "
            "many",
            vh_cli_target(o));
    }
    if (o->sockets && o->uri) {
        return g_strdup_printf(
            "--sockets and --connect say two things: where to "
            "find virtual machines");
    }
    return NULL;
}

static char *check_target(const VhVerb *verb, const VhOptions *o,
                          const GPtrArray *seen)
{
    if (verb->target == VH_TARGET_DOMAIN && !o->domain) {
        return g_strdup_printf("'%s' needs the name of a domain", verb->name);
    }
    if (o->input && (o->domain || was_given(seen, "socket"))) {
        return g_strdup("give either a record with --input or a virtual "
                        "machine, not both");
    }
    if (o->domain && was_given(seen, "socket")) {
        return g_strdup_printf("give either a socket or domain '%s', not both",
                               o->domain);
    }
    if (o->all) {
        return check_all(o, seen);
    }
    if (o->sockets ||
        (vh_has_word(verb->options, "all") && was_given(seen, "sort"))) {
        return g_strdup("--sockets and --sort make sense with --all only");
    }
    if (o->uri && !o->domain) {
        return g_strdup_printf("which domain of '%s'? --connect needs one",
                               o->uri);
    }
    if (!is_alone(verb, o) && !vh_cli_target(o)) {
        return g_strdup_printf(
            "which virtual machine? Give its QMP socket with "
            "-s PATH or in VMHEAT_SOCKET, or a domain of "
            "libvirt");
    }
    return NULL;
}

static char *check_record(const VhOptions *o)
{
    bool damo = o->format && g_str_equal(o->format, "damo");

    if (o->append && o->force) {
        return g_strdup_printf("--append keeps the file, --force replaces it: "
                               "give one of both");
    }
    return o->append && damo ? g_strdup_printf("a record of damo's cannot be "
                                               "appended to")
                             : NULL;
}

static char *check_times(const VhVerb *verb, VhOptions *o,
                         const GPtrArray *seen)
{
    bool live = verb->target == VH_TARGET_MAYBE_VM && vh_cli_is_live(o);

    o->ranged = was_given(seen, "from") || was_given(seen, "to");
    if (live && (o->ranged || o->which)) {
        return g_strdup("--snapshot, --from and --to are of a record; a "
                        "virtual machine has its latest snapshot only");
    }
    if (!o->which) {
        o->which = o->ranged ? VH_WHICH_ALL : VH_WHICH_LAST;
    }
    return o->to_us <= o->from_us ? g_strdup("--to must be above --from")
                                  : NULL;
}

/* What "snapshot" does itself, and QMP does not. */
static const char *own_view(const GPtrArray *seen)
{
    static const char *const names[] = { "sort", "reverse", "size",
                                         "rate", "age",     "idle" };

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (was_given(seen, names[i])) {
            return names[i];
        }
    }
    return NULL;
}

static char *check_regions(const VhVerb *verb, const VhOptions *o,
                           const GPtrArray *seen)
{
    const char *own = own_view(seen);

    if (o->json && own && !o->all && !vh_has_word(verb->options, "input")) {
        return g_strdup_printf("--%s does not work with --json, which prints "
                               "what QMP returns",
                               own);
    }
    if (o->json && was_given(seen, "style")) {
        return g_strdup("--json prints the regions; it does not go with "
                        "--style");
    }
    if (o->end != UINT64_MAX &&
        o->end <= (o->start == UINT64_MAX ? 0 : o->start)) {
        return g_strdup("--end must be above --start");
    }
    return NULL;
}

/* A report comes in one form. */
static char *check_forms(const VhVerb *verb, const GPtrArray *seen)
{
    static const char *const forms[] = { "json", "raw", "plot", "output" };
    const char *first = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(forms); i++) {
        if (!vh_has_word(verb->options, "raw") || !was_given(seen, forms[i])) {
            continue;
        }
        if (first) {
            return g_strdup_printf("only one of --%s and --%s can be given",
                                   first, forms[i]);
        }
        first = forms[i];
    }
    return NULL;
}

/* The working set has an order of its own. */
static char *check_sort(const VhVerb *verb, const VhOptions *o,
                        const GPtrArray *seen)
{
    bool wss = verb->run == vh_cmd_report_wss;
    bool time = o->sort == VH_SORT_TIME;

    if (wss && was_given(seen, "sort") && !time && o->sort != VH_SORT_SIZE) {
        return g_strdup("--sort of 'report wss' must be size or time");
    }
    if (!wss && time) {
        return g_strdup("--sort time makes sense with 'report wss' only");
    }
    return time && was_given(seen, "percentiles")
               ? g_strdup("--percentiles does not go with --sort time")
               : NULL;
}

/* Options that exist, but not for this verb. */
static char *check_known(const VhVerb *verb, const GPtrArray *seen)
{
    for (guint i = 0; i < seen->len; i++) {
        const VhOption *opt = g_ptr_array_index(seen, i);

        if (!vh_has_word(verb->options, opt->name)) {
            return g_strdup_printf("'%s' has no option --%s", verb->name,
                                   opt->name);
        }
    }
    return NULL;
}

char *vh_options_problem(const VhVerb *verb, VhOptions *o,
                         const GPtrArray *seen)
{
    char *why;

    (void)((why = check_known(verb, seen)) || (why = check_schemes(verb, o)) ||
           (why = check_target(verb, o, seen)) ||
           (why = check_forms(verb, seen)) ||
           (why = check_regions(verb, o, seen)) ||
           (why = check_sort(verb, o, seen)) ||
           (why = check_times(verb, o, seen)) || (why = check_record(o)) ||
           (why = check_grant(o)));
    return why;
}
