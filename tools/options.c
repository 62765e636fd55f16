/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One table says what each option is called, takes and means; parsing and help
 * come from it. Options may come before or after the verb.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options-table.h"

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

static void help_option(GString *out, const VhOption *o)
{
    g_autofree char *name = g_strdup_printf(
        "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
    char prefix[] = { '-', o->letter, ',', ' ', 0 };

    g_string_append_printf(out, "  %s%-21s  %s\n",
                           o->is_short ? prefix : "    ", name, o->help);
}

/* Names of recipes, and their options. */
static void help_recipes(GString *out)
{
    g_string_append(out, "\nrecipes:\n");
    for (const VhRecipe *r = vh_recipe_table(); r->name; r++) {
        g_string_append_printf(out, "  %-9s %s\n", r->name, r->summary);
    }
    g_string_append(out, "\noptions of recipes, after the --apply they are "
                         "for:\n");
    for (const VhRecipeOption *r = vh_recipe_option_table(); r->name; r++) {
        VhOption o = { .name = r->name, .arg = r->arg, .help = r->help };

        help_option(out, &o);
    }
    for (const VhRecipe *r = vh_recipe_table(); r->name; r++) {
        g_auto(GStrv) names = g_strsplit(r->options, " ", -1);
        g_autofree char *list = g_strjoinv(" --", names);

        g_string_append_printf(out, "%s  %-9s --%s\n",
                               r == vh_recipe_table() ? "\n" : "", r->name,
                               list);
    }
}

static int help_verb(const VhVerb *verb)
{
    g_autoptr(GString) out = g_string_new(NULL);

    g_string_append_printf(
        out, "usage: vmheat %s %s [OPTIONS]\n\n%s\n", verb->name,
        verb->alone ? "[-s SOCKET]" : "-s SOCKET", verb->summary);
    g_string_append(out, "\noptions:\n");
    for (const VhOption *o = vh_option_table(); o->name; o++) {
        if (o->help && strchr(verb->options, o->letter)) {
            help_option(out, o);
        }
    }
    g_string_append(out, "  -h, --help                 show this\n");
    if (strchr(verb->options, VH_OPT_APPLY)) {
        help_recipes(out);
    }
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

static const VhOption *find_letter(int letter)
{
    for (const VhOption *o = vh_option_table(); o->name; o++) {
        if (o->letter == letter) {
            return o;
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

static void add_long(GArray *longs, const char *name, bool has_arg, int val)
{
    struct option o = { .name = name, .has_arg = has_arg, .val = val };

    g_array_append_val(longs, o);
}

/* For getopt_long(). */
static GArray *long_options(void)
{
    GArray *out = g_array_new(true, true, sizeof(struct option));
    const VhRecipeOption *recipes = vh_recipe_option_table();

    for (const VhOption *o = vh_option_table(); o->name; o++) {
        add_long(out, o->name, o->arg != NULL, o->letter);
    }
    for (int i = 0; recipes[i].name; i++) {
        add_long(out, recipes[i].name, true, VH_OPT_RECIPE + i);
    }
    add_long(out, "help", false, 'h');
    add_long(out, "version", false, 'V');
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

static int take_option(const VhOption *opt, VhOptions *o, Parsed *p)
{
    const char *allowed = opt->take(o, optarg);

    if (allowed && allowed == o->problem) {
        return usage_error("%s", o->problem);
    }
    if (allowed) {
        return usage_error("--%s '%s' is not valid: must be %s", opt->name,
                           optarg, allowed);
    }
    g_string_append_c(p->seen, opt->letter);
    return VH_EXIT_OK;
}

static int take_recipe_option(unsigned i, VhOptions *o, Parsed *p)
{
    if (!o->recipes) {
        o->recipes = vh_recipes_new(); /* empty: the option comes too early */
    }
    if (!vh_recipes_option(o->recipes, &vh_recipe_option_table()[i], optarg,
                           &o->problem)) {
        return usage_error("%s", o->problem);
    }
    return VH_EXIT_OK;
}

static int parse_options(int argc, char **argv, VhOptions *o, Parsed *p)
{
    g_autoptr(GArray) longs = long_options();
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, ":s:t:d:n:h",
                            (struct option *)longs->data, NULL)) != -1) {
        const VhOption *opt = find_letter(c);
        int code;

        if (c == 'h' || c == 'V') {
            p->help |= c == 'h';
            p->version |= c == 'V';
            continue;
        }
        if (!opt && c < VH_OPT_RECIPE) {
            return bad_option(c, argv);
        }
        code = opt ? take_option(opt, o, p)
                   : take_recipe_option(c - VH_OPT_RECIPE, o, p);
        if (code) {
            return code;
        }
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

static int check_schemes(const VhOptions *o)
{
    bool sets = o->recipes || o->set_file;
    int what = (o->recipes != NULL) + (o->set_file != NULL) + o->clear +
               o->export_list + o->actions + o->tried;

    if (what > 1) {
        return usage_error("only one of --apply, --set, --clear, --export, "
                           "--actions and --tried can be given");
    }
    if (o->add && !sets) {
        return usage_error("--add makes sense with --apply and --set only");
    }
    if (o->dry_run && !o->recipes) {
        return usage_error("--dry-run makes sense with --apply only");
    }
    return VH_EXIT_OK;
}

/* Does all that is asked for work without a virtual machine? */
static bool is_alone(const VhVerb *verb, const VhOptions *o)
{
    return verb->alone ||
           (o->dry_run && !o->add && !vh_recipes_need_ram(o->recipes));
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
    if (check_schemes(o)) {
        return VH_EXIT_USAGE;
    }
    if (!is_alone(verb, o) && (!o->socket || !*o->socket)) {
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

void vh_options_clear(VhOptions *o)
{
    vh_recipes_free(o->recipes);
    g_free(o->problem);
}
