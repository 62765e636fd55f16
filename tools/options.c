/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One table says what each option is called, takes and means; parsing and help
 * come from it. Options may come before or after the verb. A verb is a word, or
 * two ("report access").
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options-table.h"

#define FIRST_LONG 256    /* + place of an option */
#define FIRST_RECIPE 4096 /* + place of an option of recipes */

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

    g_string_append_printf(out, "  %s%-21s  %s\n", o->letter ? prefix : "    ",
                           name, o->help);
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

/* Is it a verb of two words, the first of which is @group? */
static bool is_in_group(const VhVerb *verb, const char *group)
{
    size_t len = strlen(group);

    return g_str_has_prefix(verb->name, group) && verb->name[len] == ' ';
}

static bool is_group(const VhVerb *verbs, const char *name)
{
    for (; verbs->name; verbs++) {
        if (is_in_group(verbs, name)) {
            return true;
        }
    }
    return false;
}

/* Is @name one of the words of @list? */
static bool has_word(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = list; (at = strstr(at, name)); at += len) {
        if ((at == list || at[-1] == ' ') && (!at[len] || at[len] == ' ')) {
            return true;
        }
    }
    return false;
}

static bool takes_domain(const VhVerb *verb)
{
    return has_word(verb->options, "connect");
}

static const char *usage_target(const VhVerb *verb)
{
    static const char *const texts[] = {
        [VH_TARGET_VM] = " {-s SOCKET | [-c URI] DOMAIN}",
        [VH_TARGET_MAYBE_VM] = " [-s SOCKET | [-c URI] DOMAIN]",
        [VH_TARGET_DOMAIN] = " [-c URI] DOMAIN",
        [VH_TARGET_NONE] = "",
    };

    if (verb->target == VH_TARGET_VM && !takes_domain(verb)) {
        return " -s SOCKET";
    }
    return texts[verb->target];
}

static void help_examples(GString *out, const char *examples)
{
    g_auto(GStrv) lines = g_strsplit(examples, "\n", -1);

    g_string_append(out, "\nexamples:\n");
    for (int i = 0; lines[i]; i++) {
        g_string_append_printf(out, "  %s\n", lines[i]);
    }
}

static int help_verb(const VhVerb *verb)
{
    g_autoptr(GString) out = g_string_new(NULL);
    const VhOption *o;

    g_string_append_printf(out, "usage: vmheat %s%s [OPTIONS]\n\n%s\n",
                           verb->name, usage_target(verb), verb->summary);
    g_string_append(out, "\noptions:\n");
    for (unsigned i = 0; (o = vh_option_nth(i)); i++) {
        if (o->help && has_word(verb->options, o->name)) {
            help_option(out, o);
        }
    }
    g_string_append(out, "  -h, --help                 show this\n");
    if (has_word(verb->options, "apply")) {
        help_recipes(out);
    }
    if (verb->examples) {
        help_examples(out, verb->examples);
    }
    return vh_cli_print(out->str);
}

/* All verbs, or those that begin with the word @group. */
static int help_verbs(const VhVerb *verbs, const char *group)
{
    g_autoptr(GString) out = g_string_new("usage: vmheat ");

    g_string_append_printf(
        out,
        "%s%sVERB [-s SOCKET | [-c URI] DOMAIN] [OPTIONS]\n\n"
        "See which parts of a virtual machine's memory are hot and which are "
        "cold.\nSOCKET is a QMP unix socket of QEMU, DOMAIN a domain of "
        "libvirt.\n\nverbs:\n",
        group ? group : "", group ? " " : "");
    for (const VhVerb *v = verbs; v->name; v++) {
        if (!group || is_in_group(v, group)) {
            g_string_append_printf(out, "  %-16s  %s\n", v->name, v->summary);
        }
    }
    g_string_append(out, "\n'vmheat VERB --help' lists the options of a verb; "
                         "vmheat(1) explains it all.\n");
    return vh_cli_print(out->str);
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
    const VhOption *o;

    for (unsigned i = 0; (o = vh_option_nth(i)); i++) {
        add_long(out, o->name, o->arg != NULL, FIRST_LONG + i);
    }
    for (unsigned i = 0; recipes[i].name; i++) {
        add_long(out, recipes[i].name, true, FIRST_RECIPE + i);
    }
    add_long(out, "help", false, 'h');
    add_long(out, "version", false, 'V');
    return out;
}

/* The same for what comes after one "-". */
static char *short_options(void)
{
    GString *out = g_string_new(":h");
    const VhOption *o;

    for (unsigned i = 0; (o = vh_option_nth(i)); i++) {
        if (o->letter) {
            g_string_append_c(out, o->letter);
            g_string_append(out, o->arg ? ":" : "");
        }
    }
    return g_string_free(out, false);
}

/* What getopt_long() returned is which option? */
static const VhOption *find_option(int c)
{
    const VhOption *o = NULL;

    if (c >= FIRST_LONG) {
        return vh_option_nth(c - FIRST_LONG);
    }
    for (unsigned i = 0; (o = vh_option_nth(i)) && o->letter != c; i++) {
    }
    return o;
}

/* What parsing found besides values. */
typedef struct Parsed {
    GPtrArray *seen; /* the options given */
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
    g_ptr_array_add(p->seen, (gpointer)opt);
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
    g_autofree char *shorts = short_options();
    int c, code = VH_EXIT_OK;

    opterr = 0;
    while (!code &&
           (c = getopt_long(argc, argv, shorts, (struct option *)longs->data,
                            NULL)) != -1) {
        if (c == 'h' || c == 'V') {
            p->help |= c == 'h';
            p->version |= c == 'V';
        } else if (c == '?' || c == ':') {
            code = bad_option(c, argv);
        } else if (c >= FIRST_RECIPE) {
            code = take_recipe_option(c - FIRST_RECIPE, o, p);
        } else {
            code = take_option(find_option(c), o, p);
        }
    }
    return code;
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
    return verb->target != VH_TARGET_VM ||
           (o->dry_run && !o->add && !vh_recipes_need_ram(o->recipes));
}

static bool was_given(const Parsed *p, const char *name)
{
    for (guint i = 0; i < p->seen->len; i++) {
        const VhOption *o = g_ptr_array_index(p->seen, i);

        if (g_str_equal(o->name, name)) {
            return true;
        }
    }
    return false;
}

static int check_target(const VhVerb *verb, const VhOptions *o, const Parsed *p)
{
    if (verb->target == VH_TARGET_DOMAIN && !o->domain) {
        return usage_error("'%s' needs the name of a domain", verb->name);
    }
    if (o->domain && was_given(p, "socket")) {
        return usage_error("give either a socket or domain '%s', not both",
                           o->domain);
    }
    if (o->uri && !o->domain) {
        return usage_error("which domain of '%s'? --connect needs one", o->uri);
    }
    if (!is_alone(verb, o) && !vh_cli_target(o)) {
        return usage_error("which virtual machine? Give its QMP socket with "
                           "-s PATH or in VMHEAT_SOCKET, or a domain of "
                           "libvirt");
    }
    return VH_EXIT_OK;
}

static int check_times(const VhOptions *o)
{
    return o->to_us <= o->from_us ? usage_error("--to must be above --from")
                                  : VH_EXIT_OK;
}

static int check_regions(const VhVerb *verb, const VhOptions *o)
{
    if (o->json && o->sort != VH_SORT_ADDRESS &&
        !has_word(verb->options, "input")) {
        return usage_error("--sort does not work with --json, which prints "
                           "what QMP returns");
    }
    if (o->end != UINT64_MAX &&
        o->end <= (o->start == UINT64_MAX ? 0 : o->start)) {
        return usage_error("--end must be above --start");
    }
    return VH_EXIT_OK;
}

/* The working set has an order of its own. */
static int check_sort(const VhVerb *verb, const VhOptions *o, const Parsed *p)
{
    bool time = o->sort == VH_SORT_TIME;

    if (verb->run == vh_cmd_report_wss && was_given(p, "sort") && !time &&
        o->sort != VH_SORT_SIZE) {
        return usage_error("--sort of 'report wss' must be size or time");
    }
    if (verb->run != vh_cmd_report_wss && time) {
        return usage_error("--sort time makes sense with 'report wss' only");
    }
    if (time && was_given(p, "percentiles")) {
        return usage_error("--percentiles does not go with --sort time");
    }
    return VH_EXIT_OK;
}

/* Options that exist, but not for this verb or not together. */
static int check(const VhVerb *verb, VhOptions *o, const Parsed *p)
{
    int code;

    for (guint i = 0; i < p->seen->len; i++) {
        const VhOption *opt = g_ptr_array_index(p->seen, i);

        if (!has_word(verb->options, opt->name)) {
            return usage_error("'%s' has no option --%s", verb->name,
                               opt->name);
        }
    }
    (void)((code = check_schemes(o)) || (code = check_target(verb, o, p)) ||
           (code = check_regions(verb, o)) || (code = check_sort(verb, o, p)) || (code = check_times(o)) || (code = check_grant(o)));
    return code;
}

/* The verb that @words begin with, of two words rather than of one. */
static const VhVerb *take_verb(const VhVerb *verbs, char **words, int nr,
                               int *taken)
{
    g_autofree char *two =
        nr > 1 ? g_strconcat(words[0], " ", words[1], NULL) : NULL;
    const VhVerb *verb = two ? find_verb(verbs, two) : NULL;

    *taken = verb ? 2 : 1;
    return verb || !nr ? verb : find_verb(verbs, words[0]);
}

static int no_verb(const VhVerb *verbs, char **words, int nr, const Parsed *p)
{
    bool group = nr && is_group(verbs, words[0]);

    if (p->help && (!nr || group)) {
        return help_verbs(verbs, nr ? words[0] : NULL);
    }
    if (group) {
        return nr > 1 ? usage_error("unknown verb '%s %s'", words[0], words[1])
                      : usage_error("'%s' what? A word is missing", words[0]);
    }
    return nr ? usage_error("unknown verb '%s'", words[0])
              : usage_error("a verb is missing");
}

/* Words behind the verb: a domain at most. */
static int take_words(const VhVerb *verb, char **words, int nr, VhOptions *o)
{
    int allowed = takes_domain(verb);

    if (nr > allowed) {
        return usage_error("unexpected argument '%s'", words[allowed]);
    }
    if (nr && !*words[0]) {
        return usage_error("the name of a domain cannot be empty");
    }
    o->domain = nr ? words[0] : NULL;
    return VH_EXIT_OK;
}

static const VhVerb *choose(const VhVerb *verbs, char **words, int nr,
                            VhOptions *o, const Parsed *p, int *exit_code)
{
    int taken;
    const VhVerb *verb = take_verb(verbs, words, nr, &taken);

    if (p->version) {
        *exit_code = vh_cli_print("vmheat " VMHEAT_VERSION "\n");
    } else if (!verb) {
        *exit_code = no_verb(verbs, words, nr, p);
    } else if (p->help) {
        *exit_code = help_verb(verb);
    } else {
        *exit_code = take_words(verb, words + taken, nr - taken, o);
        *exit_code = *exit_code ? *exit_code : check(verb, o, p);
        return *exit_code ? NULL : verb;
    }
    return NULL;
}

const VhVerb *vh_options_parse(const VhVerb *verbs, int argc, char **argv,
                               VhOptions *o, int *exit_code)
{
    g_autoptr(GPtrArray) seen = g_ptr_array_new();
    Parsed p = { .seen = seen };

    *o = (VhOptions){
        .socket = getenv("VMHEAT_SOCKET"),
        .timeout_us = 5 * G_USEC_PER_SEC,
        .start = UINT64_MAX,
        .end = UINT64_MAX,
        .min_nr_accesses = UINT64_MAX,
        .limit = UINT64_MAX,
        .to_us = UINT64_MAX,
        .delay_us = G_USEC_PER_SEC,
        .min_size = 1,
    };
    vh_filter_init(&o->filter);
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
