/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One table says what each option is called, takes and means; parsing and help
 * come from it. Options may come before or after the verb.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "units.h"

/* Letters of options without a short form in the user's sight. */
enum {
    OPT_JSON = 'j',
    OPT_NO_COLOR = 'C',
    OPT_COLOR = 'c',
    OPT_START = 'S',
    OPT_END = 'E',
    OPT_MIN = 'm',
    OPT_LIMIT = 'l',
    OPT_SORT = 'o',
    OPT_ONCE = '1',
    OPT_PROGRAMS = 'P',
    OPT_PID = 'p',
    OPT_DAMON = 'D',
    OPT_NO_IDLE_PAGE = 'I',
    OPT_DAMON_CPU = 'U',
    OPT_REVOKE = 'R',
    OPT_BACKGROUND = 'B',
    OPT_PAGE_IDLE = 'F',
    OPT_DAMON_ROOT = 'O',
    OPT_DAMON_OWNER = 'K',
};

/**
 * struct Option - an option
 * @letter: identifies it in VhVerb.options
 * @is_short: @letter may be typed
 * @name: long name
 * @arg: what its argument is, or NULL
 * @help: what it does; NULL: for tests, not shown
 * @take: reads the argument; returns NULL, or what is allowed
 */
typedef struct Option {
    char letter;
    bool is_short;
    const char *name;
    const char *arg;
    const char *help;
    const char *(*take)(VhOptions *o, const char *arg);
} Option;

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
        [VH_SORT_ADDRESS] = "address",
        [VH_SORT_HEAT] = "heat",
        [VH_SORT_SIZE] = "size",
        [VH_SORT_AGE] = "age",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_str_equal(arg, names[i])) {
            o->sort = i;
            return NULL;
        }
    }
    return "address, heat, size or age";
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

static const Option options_table[] = {
    { 's', true, "socket", "PATH",
      "QMP unix socket of QEMU; default: $VMHEAT_SOCKET", take_socket },
    { 't', true, "timeout", "SECONDS",
      "how long to wait for an answer; default: 5", take_timeout },
    { OPT_JSON, false, "json", NULL, "print JSON, as vmheat(1) tells",
      take_json },
    { OPT_COLOR, false, "color", NULL, "use colours, whatever the output is",
      take_color },
    { OPT_NO_COLOR, false, "no-color", NULL, "use no colours", take_no_color },
    { OPT_START, false, "start", "ADDRESS", "leave out regions below",
      take_start },
    { OPT_END, false, "end", "ADDRESS", "leave out regions from there on",
      take_end },
    { OPT_MIN, false, "min-nr-accesses", "N",
      "leave out regions with fewer accesses", take_min },
    { OPT_LIMIT, false, "limit", "N", "show at most N regions", take_limit },
    { OPT_SORT, false, "sort", "BY",
      "address, heat, size or age; default: address", take_sort },
    { 'd', true, "delay", "SECONDS", "time between updates; default: 1",
      take_delay },
    { 'n', true, "iterations", "N", "end after N updates", take_iterations },
    { OPT_ONCE, false, "once", NULL, "same as -n 1", take_once },
    { OPT_PROGRAMS, false, "programs", "DIR",
      "where the programs that try the host are", take_programs },
    { OPT_PID, false, "pid", "PID", "process of QEMU; default: found out",
      take_pid },
    { OPT_DAMON, false, "damon", NULL, "drive the kernel's DAMON for QEMU, until "
      "it ends", take_damon },
    { OPT_DAMON_CPU, false, "damon-cpu", "PERCENT", "CPU for reading DAMON's "
      "regions; default: 2", take_damon_cpu },
    { OPT_BACKGROUND, false, "background", NULL, "with --damon: go on in the "
      "background", take_background },
    { OPT_NO_IDLE_PAGE, false, "no-idle-page", NULL, "with --damon: hand over "
      "nothing else", take_no_idle_page },
    { OPT_REVOKE, false, "revoke", NULL, "make QEMU close what was handed over",
      take_revoke },
    { OPT_PAGE_IDLE, false, "page-idle", "FILE", NULL, take_page_idle },
    { OPT_DAMON_ROOT, false, "damon-root", "DIR", NULL, take_damon_root },
    { OPT_DAMON_OWNER, false, "damon-owner", "FILE", NULL, take_damon_owner },
};

static int usage_error(const char *format, ...) G_GNUC_PRINTF(1, 2);

static int usage_error(const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    fprintf(stderr, "vmheat: %s; see 'vmheat --help'\n", text);
    return VH_EXIT_USAGE;
}

static void help_option(GString *out, const Option *o)
{
    g_autofree char *name = g_strdup_printf(
        "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
    char prefix[] = { '-', o->letter, ',', ' ', 0 };

    g_string_append_printf(out, "  %s%-21s  %s\n",
                           o->is_short ? prefix : "    ", name, o->help);
}

static int help_verb(const VhVerb *verb)
{
    g_autoptr(GString) out = g_string_new(NULL);

    g_string_append_printf(
        out, "usage: vmheat %s %s [OPTIONS]\n\n%s\n", verb->name,
        verb->alone ? "[-s SOCKET]" : "-s SOCKET", verb->summary);
    g_string_append(out, "\noptions:\n");
    for (size_t i = 0; i < G_N_ELEMENTS(options_table); i++) {
        if (options_table[i].help &&
            strchr(verb->options, options_table[i].letter)) {
            help_option(out, &options_table[i]);
        }
    }
    g_string_append(out, "  -h, --help                 show this\n");
    return vh_cli_print(out->str);
}

static int help_all(const VhVerb *verbs)
{
    g_autoptr(GString) out = g_string_new(
        "usage: vmheat VERB -s SOCKET [OPTIONS]\n\n"
        "See which parts of a virtual machine's memory are hot and which are "
        "cold.\nSOCKET is a QMP unix socket of QEMU.\n\nverbs:\n");

    for (const VhVerb *v = verbs; v->name; v++) {
        g_string_append_printf(out, "  %-10s  %s\n", v->name, v->summary);
    }
    g_string_append(out, "\n'vmheat VERB --help' lists the options of a verb; "
                         "vmheat(1) explains it all.\n");
    return vh_cli_print(out->str);
}

static const Option *find_letter(int letter)
{
    for (size_t i = 0; i < G_N_ELEMENTS(options_table); i++) {
        if (options_table[i].letter == letter) {
            return &options_table[i];
        }
    }
    return NULL;
}

static const VhVerb *find_verb(const VhVerb *verbs, const char *name)
{
    for (; verbs->name; verbs++) {
        if (g_str_equal(verbs->name, name)) {
            return verbs;
        }
    }
    return NULL;
}

static struct option *long_options(void)
{
    size_t n = G_N_ELEMENTS(options_table);
    struct option *out = g_new0(struct option, n + 3);

    for (size_t i = 0; i < n; i++) {
        out[i].name = options_table[i].name;
        out[i].has_arg = options_table[i].arg != NULL;
        out[i].val = options_table[i].letter;
    }
    out[n] = (struct option){ .name = "help", .val = 'h' };
    out[n + 1] = (struct option){ .name = "version", .val = 'V' };
    return out;
}

/* What parsing found besides values. */
typedef struct Parsed {
    GString *seen; /* letters of the options given */
    bool help, version;
} Parsed;

static int bad_option(int c, char **argv)
{
    /* getopt has moved past a long option but maybe not past a short one */
    const char *word = argv[optind - 1];

    if (c == ':') {
        return usage_error("option '%s' needs an argument", word);
    }
    if (optopt && !g_str_has_prefix(word, "--")) {
        return usage_error("unknown option '-%c'", optopt);
    }
    return usage_error("unknown, incomplete or overfull option '%s'", word);
}

static int parse_options(int argc, char **argv, VhOptions *o, Parsed *p)
{
    g_autofree struct option *longs = long_options();
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, ":s:t:d:n:h", longs, NULL)) != -1) {
        const Option *opt = find_letter(c);
        const char *allowed;

        if (c == 'h' || c == 'V') {
            p->help |= c == 'h';
            p->version |= c == 'V';
            continue;
        }
        if (!opt) {
            return bad_option(c, argv);
        }
        allowed = opt->take(o, optarg);
        if (allowed) {
            return usage_error("--%s '%s' is not valid: must be %s", opt->name,
                               optarg, allowed);
        }
        g_string_append_c(p->seen, c);
    }
    return VH_EXIT_OK;
}

static int check_grant(const VhOptions *o)
{
    if (o->revoke && (o->damon || o->no_idle_page || o->pid)) {
        return usage_error("--revoke takes everything back; it goes with no "
                           "other option of grant");
    }
    if (!o->damon && (o->no_idle_page || o->background || o->damon_cpu)) {
        return usage_error("--no-idle-page, --background and --damon-cpu make "
                           "sense with --damon only");
    }
    return VH_EXIT_OK;
}

/* Options that exist, but not for this verb or not together. */
static int check(const VhVerb *verb, VhOptions *o, const Parsed *p)
{
    for (const char *c = p->seen->str; *c; c++) {
        if (!strchr(verb->options, *c)) {
            return usage_error("'%s' has no option --%s", verb->name,
                               find_letter(*c)->name);
        }
    }
    if (!verb->alone && (!o->socket || !*o->socket)) {
        return usage_error("which virtual machine? Give its QMP socket with "
                           "-s PATH or in VMHEAT_SOCKET");
    }
    if (o->json && o->sort != VH_SORT_ADDRESS) {
        return usage_error("--sort does not work with --json, which prints "
                           "what QMP returns");
    }
    if (o->end != UINT64_MAX &&
        o->end <= (o->start == UINT64_MAX ? 0 : o->start)) {
        return usage_error("--end must be above --start");
    }
    return check_grant(o);
}

static const VhVerb *choose(const VhVerb *verbs, char **words, int nr,
                            VhOptions *o, const Parsed *p, int *exit_code)
{
    const VhVerb *verb = nr ? find_verb(verbs, words[0]) : NULL;

    if (p->version) {
        *exit_code = vh_cli_print("vmheat " VMHEAT_VERSION "\n");
    } else if (nr && !verb) {
        *exit_code = usage_error("unknown verb '%s'", words[0]);
    } else if (p->help) {
        *exit_code = verb ? help_verb(verb) : help_all(verbs);
    } else if (!verb) {
        *exit_code = usage_error("a verb is missing");
    } else if (nr > 1) {
        *exit_code = usage_error("unexpected argument '%s'", words[1]);
    } else {
        *exit_code = check(verb, o, p);
        return *exit_code ? NULL : verb;
    }
    return NULL;
}

const VhVerb *vh_options_parse(const VhVerb *verbs, int argc, char **argv,
                               VhOptions *o, int *exit_code)
{
    g_autoptr(GString) seen = g_string_new(NULL);
    Parsed p = { .seen = seen };

    *o = (VhOptions){
        .socket = getenv("VMHEAT_SOCKET"),
        .timeout_us = 5 * G_USEC_PER_SEC,
        .start = UINT64_MAX,
        .end = UINT64_MAX,
        .min_nr_accesses = UINT64_MAX,
        .limit = UINT64_MAX,
        .delay_us = G_USEC_PER_SEC,
    };
    *exit_code = parse_options(argc, argv, o, &p);
    if (*exit_code) {
        return NULL;
    }
    return choose(verbs, argv + optind, argc - optind, o, &p, exit_code);
}
