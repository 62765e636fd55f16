/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can come next on a command line: "vmheat --complete WORD..." for the
 * completion of a shell (tools/completion/). The last word is the one being
 * typed. Each line is a word that could stand there, or tells the shell to look
 * for something:
 *
 *   :files  :directories  :sockets
 *   :domains [URI]     of libvirt
 *
 * Verbs and options come from their tables. So do values: what an option says
 * is allowed, when it is given something that is not, names them where they can
 * be counted ("address, heat or size").
 */
#include <string.h>

#include "verbs.h"

/* No option takes this as one of a few values. */
#define NO_VALUE "\001"

typedef struct Line {
    const VhVerb *verbs;
    char **argv; /* all words before the one being typed */
    int nr;
    const char *typed;
    GString *out;
} Line;

static void offer(Line *l, const char *prefix, const char *word, size_t len)
{
    g_autofree char *text = g_strdup_printf("%s%.*s", prefix, (int)len, word);
    g_autofree char *line = g_strconcat("\n", text, "\n", NULL);

    if (g_str_has_prefix(text, l->typed) && !strstr(l->out->str, line)) {
        g_string_append_printf(l->out, "%s\n", text);
    }
}

static void offer_word(Line *l, const char *word)
{
    offer(l, "", word, strlen(word));
}

static void offer_option(Line *l, const char *name)
{
    offer(l, "--", name, strlen(name));
}

/* Would @option take @value? @allowed: what it says if not; free with it. */
static bool takes(const VhOption *option, const char *value, char **allowed)
{
    VhOptions scratch;
    const char *problem;

    vh_options_init(&scratch);
    problem = vh_option_take(option, &scratch, value);
    if (allowed) {
        *allowed = g_strdup(problem);
    }
    vh_options_clear(&scratch);
    return !problem;
}

/* "a, b or c"; not "a number, 1 .. 100". */
static GStrv split_values(const char *allowed)
{
    g_autoptr(GRegex) between = g_regex_new(", | or ", 0, 0, NULL);
    g_auto(GStrv) values = g_regex_split(between, allowed, 0);

    for (int i = 0; values[i]; i++) {
        if (!*values[i] || strchr(values[i], ' ')) {
            return NULL;
        }
    }
    return values[0] && values[1] ? g_steal_pointer(&values) : NULL;
}

static void offer_values(Line *l, const VhOption *option)
{
    g_autofree char *allowed = NULL;
    g_auto(GStrv) values = NULL;

    if (!takes(option, NO_VALUE, &allowed)) {
        values = split_values(allowed);
    }
    for (int i = 0; values && values[i]; i++) {
        if (takes(option, values[i], NULL)) {
            offer_word(l, values[i]);
        }
    }
}

/* The verb of the words before. */
static const VhVerb *verb_of(const Line *l)
{
    g_autoptr(GPtrArray) words = vh_verb_words(l->argv, l->nr);
    int taken;

    return vh_verb_take(l->verbs, (char **)words->pdata, words->len, &taken);
}

static void offer_argument(Line *l, const VhOption *option)
{
    static const char *const kinds[][2] = {
        { "FILE", ":files\n" },
        { "PATH", ":files\n" },
        { "DIR", ":directories\n" },
    };

    const VhVerb *verb = verb_of(l);

    if (g_str_equal(option->name, "socket")) {
        g_string_append(l->out, ":sockets\n");
        return;
    }
    if (g_str_equal(option->arg, "RECIPE")) {
        for (const VhRecipe *r = vh_recipe_table(); r->name; r++) {
            offer_word(l, r->name);
        }
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_str_equal(option->arg, kinds[i][0])) {
            g_string_append(l->out, kinds[i][1]);
            return;
        }
    }
    offer_values(l, vh_option_of(option, verb ? verb->name : NULL));
}

/* The value of the option given last, or NULL. */
static const char *value_of(const Line *l, const char *name)
{
    for (int i = l->nr - 1; i >= 0; i--) {
        const VhOption *o = vh_verb_option(l->argv[i]);
        const char *equals = strchr(l->argv[i], '=');

        if (o && g_str_equal(o->name, name)) {
            return equals ? equals + 1 : i + 1 < l->nr ? l->argv[i + 1] : NULL;
        }
    }
    return NULL;
}

/* Options of the recipe that was named last. */
static void offer_recipe_options(Line *l)
{
    const char *recipe = value_of(l, "apply");

    for (const VhRecipe *r = vh_recipe_table(); recipe && r->name; r++) {
        g_auto(GStrv) names = g_strsplit(r->options, " ", -1);

        for (int i = 0; g_str_equal(r->name, recipe) && names[i]; i++) {
            offer_option(l, names[i]);
        }
    }
}

static void offer_options(Line *l, const VhVerb *verb)
{
    const VhOption *o;

    for (unsigned i = 0; verb && (o = vh_option_nth(i)); i++) {
        if (vh_verb_takes_option(verb, o)) {
            offer_option(l, o->name);
        }
    }
    if (verb && vh_has_word(verb->options, "apply")) {
        offer_recipe_options(l);
    }
    offer_option(l, "help");
    if (!verb) {
        offer_option(l, "version");
    }
}

static void offer_domains(Line *l)
{
    const char *uri = value_of(l, "connect");

    g_string_append_printf(l->out, ":domains%s%s\n", uri ? " " : "",
                           uri ? uri : "");
}

/* Verbs, or what follows the one word that is there. */
static void offer_verbs(Line *l, const char *group)
{
    for (const VhVerb *v = l->verbs; v->name; v++) {
        if (!group) {
            offer(l, "", v->name, strcspn(v->name, " "));
        } else if (vh_verb_in_group(v, group)) {
            offer_word(l, v->name + strlen(group) + 1);
        }
    }
}

static void offer_next(Line *l)
{
    g_autoptr(GPtrArray) words = vh_verb_words(l->argv, l->nr);
    char **at = (char **)words->pdata;
    int nr = words->len, taken;
    bool help = nr && g_str_equal(at[0], "help");
    const VhVerb *verb = vh_verb_take(l->verbs, at + help, nr - help, &taken);

    nr -= help;
    if (*l->typed == '-') {
        offer_options(l, verb);
        return;
    }
    if (nr < 2) {
        offer_verbs(l, nr ? at[help] : NULL);
    }
    if (!nr && !help) {
        offer_word(l, "help");
    }
    if (verb && !help && nr == taken && vh_verb_takes_domain(verb) &&
        !value_of(l, "socket")) {
        offer_domains(l);
    } else if (verb && !help) {
        offer_options(l, verb);
    }
}

int vh_complete(const VhVerb *verbs, char **argv, int nr)
{
    g_autoptr(GString) out = g_string_new("\n"); /* each word has one before */
    Line l = { verbs, argv, nr ? nr - 1 : 0, nr ? argv[nr - 1] : "", out };
    const VhOption *typed = vh_verb_option(l.typed);
    const VhOption *before = l.nr ? vh_verb_option(argv[l.nr - 1]) : NULL;
    const char *equals = strchr(l.typed, '=');

    if (before && before->arg && !strchr(argv[l.nr - 1], '=')) {
        offer_argument(&l, before);
    } else if (typed && typed->arg && equals) {
        l.typed = equals + 1;
        offer_argument(&l, typed);
    } else {
        offer_next(&l);
    }
    return vh_cli_print(out->str + 1);
}
