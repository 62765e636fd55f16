/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to say of verbs and options that there are not. */
#include <string.h>

#include "nearest.h"
#include "verbs.h"

/* A verb of two words, each of which is like what was typed. */
static const char *nearest_two(const VhVerb *verbs, char **words)
{
    const char *best = NULL;
    unsigned least = 0;

    for (const VhVerb *v = verbs; v->name; v++) {
        g_auto(GStrv) name = g_strsplit(v->name, " ", 2);
        VhNearest first = { .typed = words[0] }, second = { .typed = words[1] };

        if (!name[1]) {
            continue;
        }
        vh_nearest_try(&first, name[0], v->name);
        vh_nearest_try(&second, name[1], v->name);
        if (first.name && second.name &&
            (!best || first.distance + second.distance < least)) {
            best = v->name;
            least = first.distance + second.distance;
        }
    }
    return best;
}

/* A verb of one word, else the second word of one, that @n is like. */
static void nearest_one(const VhVerb *verbs, VhNearest *n)
{
    for (const VhVerb *v = verbs; v->name; v++) {
        if (!strchr(v->name, ' ')) {
            vh_nearest_try(n, v->name, v->name);
        }
    }
    for (const VhVerb *v = verbs; v->name; v++) {
        const char *second = strchr(v->name, ' ');

        if (second) {
            vh_nearest_try(n, second + 1, v->name);
        }
    }
}

static char *nearest_verb(const VhVerb *verbs, char **words, int nr)
{
    const char *two = nr > 1 ? nearest_two(verbs, words) : NULL;
    VhNearest one = { .typed = words[0] }, group = one;

    for (const VhVerb *v = verbs; v->name; v++) {
        g_autofree char *first = g_strndup(v->name, strcspn(v->name, " "));

        if (strchr(v->name, ' ')) {
            vh_nearest_try(&group, first, v->name);
        }
    }
    nearest_one(verbs, &one);
    if (two || !group.name || (one.name && one.distance <= group.distance)) {
        return g_strdup(two ? two : one.name);
    }
    /* of a group that is right, nothing is like the second word */
    return group.distance ? g_strndup(group.name, strcspn(group.name, " "))
                          : NULL;
}

static const char *nearest_option(const VhVerb *verb, const char *name)
{
    VhNearest n = { .typed = name };
    const VhOption *o;

    for (unsigned i = 0; (o = vh_option_nth(i)); i++) {
        if (vh_verb_takes_option(verb, o)) {
            vh_nearest_try(&n, o->name, o->name);
        }
    }
    if (!verb || vh_has_word(verb->options, "apply")) {
        for (const VhRecipeOption *r = vh_recipe_option_table(); r->name; r++) {
            vh_nearest_try(&n, r->name, r->name);
        }
    }
    vh_nearest_try(&n, "help", "help");
    vh_nearest_try(&n, "version", "version");
    return n.name;
}

/* Options of @verb that begin with @name, ", " between them; NULL: none. */
static char *begin_with(const VhVerb *verb, const char *name)
{
    g_autoptr(GString) out = g_string_new(NULL);
    const VhOption *o;

    for (unsigned i = 0; *name && (o = vh_option_nth(i)); i++) {
        if (g_str_has_prefix(o->name, name) && vh_verb_takes_option(verb, o)) {
            g_string_append_printf(out, "%s--%s", out->len ? ", " : "",
                                   o->name);
        }
    }
    return out->len ? g_string_free(g_steal_pointer(&out), false) : NULL;
}

char *vh_option_unknown(const VhVerb *verb, const char *word)
{
    g_autofree char *name = g_strndup(word + 2, strcspn(word + 2, "="));
    g_autofree char *list = begin_with(verb, name);
    const char *nearest = nearest_option(verb, name);

    if (list) {
        return g_strdup_printf("option '--%s' is incomplete; did you mean %s?",
                               name, list);
    }
    return nearest
               ? g_strdup_printf("unknown option '--%s'; did you mean --%s?",
                                 name, nearest)
               : g_strdup_printf("unknown option '--%s'", name);
}

char *vh_verb_unknown(const VhVerb *verbs, char **words, int nr)
{
    bool two = nr > 1 && vh_verb_is_group(verbs, words[0]);
    g_autofree char *typed =
        two ? g_strconcat(words[0], " ", words[1], NULL) : g_strdup(words[0]);
    g_autofree char *nearest = nearest_verb(verbs, words, nr);

    return nearest ? g_strdup_printf("unknown verb '%s'; did you mean '%s'?",
                                     typed, nearest)
                   : g_strdup_printf("unknown verb '%s'", typed);
}
