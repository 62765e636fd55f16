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

#include "verbs.h"

#define FIRST_VALUE 255 /* what getopt returns, if no letter */
#define VERSION FIRST_VALUE
#define FIRST_LONG 256    /* + place of an option */
#define FIRST_RECIPE 4096 /* + place of an option of recipes */

static int usage_error(const VhVerb *verb, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/* @verb: whose help tells more; NULL: that of all */
static int usage_error(const VhVerb *verb, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    fprintf(stderr, "vmheat: %s%s 'vmheat help%s%s'\n", text,
            g_str_has_suffix(text, "?") ? " See" : "; see", verb ? " " : "",
            verb ? verb->name : "");
    return VH_EXIT_USAGE;
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
        if (!o->of) { /* take_option() finds these */
            add_long(out, o->name, o->arg != NULL, FIRST_LONG + i);
        }
    }
    for (unsigned i = 0; recipes[i].name; i++) {
        add_long(out, recipes[i].name, true, FIRST_RECIPE + i);
    }
    add_long(out, "help", false, 'h');
    add_long(out, "version", false, VERSION);
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
    const VhVerb *verb; /* NULL: there is none, or it is unknown */
    GPtrArray *seen;    /* the options given */
    bool help, version;
} Parsed;

/* Before getopt_long() moves words; they are not checked yet. */
static const VhVerb *find_verb(const VhVerb *verbs, int argc, char **argv)
{
    g_autoptr(GPtrArray) words = vh_verb_words(argv + 1, argc - 1);
    int taken;

    return vh_verb_take(verbs, (char **)words->pdata, words->len, &taken);
}

static int bad_option(int c, const VhVerb *verb, char **argv)
{
    g_autofree char *shorts = short_options();
    /* getopt has moved past a long option but maybe not past a short one */
    const char *word = argv[optind - 1];
    g_autofree char *sentence = NULL;

    if (c == ':') {
        return usage_error(verb, "option '%s' needs an argument", word);
    }
    if (!optopt) {
        sentence = vh_option_unknown(verb, word);
        return usage_error(verb, "%s", sentence);
    }
    return optopt < FIRST_VALUE && !strchr(shorts, optopt)
               ? usage_error(verb, "unknown option '-%c'", optopt)
               : usage_error(verb, "option '%s' takes no argument", word);
}

static int take_option(const VhOption *opt, VhOptions *o, Parsed *p)
{
    const char *allowed = vh_option_take(opt, o, optarg);

    if (allowed && allowed == o->problem) {
        return usage_error(p->verb, "%s", o->problem);
    }
    if (allowed) {
        return usage_error(p->verb, "--%s '%s' is not valid: must be %s",
                           opt->name, optarg, allowed);
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
        return usage_error(p->verb, "%s", o->problem);
    }
    return VH_EXIT_OK;
}

static int parse_options(int argc, char **argv, VhOptions *o, Parsed *p)
{
    g_autoptr(GArray) longs = long_options();
    g_autofree char *shorts = short_options();
    const char *verb = p->verb ? p->verb->name : NULL;
    int c, code = VH_EXIT_OK;

    opterr = 0;
    while (!code &&
           (c = getopt_long(argc, argv, shorts, (struct option *)longs->data,
                            NULL)) != -1) {
        if (c == 'h' || c == VERSION) {
            p->help |= c == 'h';
            p->version |= c == VERSION;
        } else if (c == '?' || c == ':') {
            code = bad_option(c, p->verb, argv);
        } else if (c >= FIRST_RECIPE) {
            code = take_recipe_option(c - FIRST_RECIPE, o, p);
        } else {
            code = take_option(vh_option_of(find_option(c), verb), o, p);
        }
    }
    return code;
}

static int check(const VhVerb *verb, VhOptions *o, const Parsed *p)
{
    g_autofree char *problem = vh_options_problem(verb, o, p->seen);

    return problem ? usage_error(verb, "%s", problem) : VH_EXIT_OK;
}

static int no_verb(const VhVerb *verbs, char **words, int nr, const Parsed *p)
{
    bool group = nr && vh_verb_is_group(verbs, words[0]);
    g_autofree char *sentence = nr ? vh_verb_unknown(verbs, words, nr) : NULL;

    if (p->help && (!nr || (group && nr == 1))) {
        return vh_help_verbs(verbs, nr ? words[0] : NULL);
    }
    if (group && nr == 1) {
        return usage_error(NULL, "'%s' what? A word is missing", words[0]);
    }
    return usage_error(NULL, "%s", nr ? sentence : "a verb is missing");
}

/* Words behind the verb: a domain at most. */
static int take_words(const VhVerb *verb, char **words, int nr, VhOptions *o)
{
    int allowed = vh_verb_takes_domain(verb);

    if (nr > allowed) {
        return usage_error(verb, "unexpected argument '%s'", words[allowed]);
    }
    if (nr && !*words[0]) {
        return usage_error(verb, "the name of a domain cannot be empty");
    }
    o->domain = nr ? words[0] : NULL;
    return VH_EXIT_OK;
}

static const VhVerb *choose(const VhVerb *verbs, char **words, int nr,
                            VhOptions *o, Parsed *p, int *exit_code)
{
    int taken;
    const VhVerb *verb;

    if (nr && g_str_equal(words[0], "help")) {
        p->help = true;
        words++;
        nr--;
    }
    verb = vh_verb_take(verbs, words, nr, &taken);
    if (p->version) {
        *exit_code = vh_cli_print("vmheat " VMHEAT_VERSION "\n");
    } else if (!verb) {
        *exit_code = no_verb(verbs, words, nr, p);
    } else if (p->help) {
        *exit_code = vh_help_verb(verb);
    } else {
        *exit_code = take_words(verb, words + taken, nr - taken, o);
        *exit_code = *exit_code ? *exit_code : check(verb, o, p);
        return *exit_code ? NULL : verb;
    }
    return NULL;
}

void vh_options_init(VhOptions *o)
{
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
    memset(&o->attrs, 0xff, sizeof(o->attrs)); /* UINT64_MAX each */
    vh_filter_init(&o->filter);
    o->weights = VH_WEIGHTS_DEFAULT;
}

const VhVerb *vh_options_parse(const VhVerb *verbs, int argc, char **argv,
                               VhOptions *o, int *exit_code)
{
    g_autoptr(GPtrArray) seen = g_ptr_array_new();
    Parsed p = { .seen = seen };

    vh_options_init(o);
    if (argc > 1 && g_str_equal(argv[1], "--complete")) {
        *exit_code = vh_complete(verbs, argv + 2, argc - 2);
        return NULL;
    }
    p.verb = find_verb(verbs, argc, argv);
    *exit_code = parse_options(argc, argv, o, &p);
    if (*exit_code) {
        return NULL;
    }
    return choose(verbs, argv + optind, argc - optind, o, &p, exit_code);
}

void vh_options_clear(VhOptions *o)
{
    vh_recipes_free(o->recipes);
    g_clear_pointer(&o->properties, g_ptr_array_unref);
    g_free(o->problem);
}
