/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "verbs.h"

bool vh_has_word(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = list; (at = strstr(at, name)); at += len) {
        if ((at == list || at[-1] == ' ') && (!at[len] || at[len] == ' ')) {
            return true;
        }
    }
    return false;
}

bool vh_verb_in_group(const VhVerb *verb, const char *group)
{
    size_t len = strlen(group);

    return g_str_has_prefix(verb->name, group) && verb->name[len] == ' ';
}

bool vh_verb_is_group(const VhVerb *verbs, const char *name)
{
    for (; verbs->name; verbs++) {
        if (vh_verb_in_group(verbs, name)) {
            return true;
        }
    }
    return false;
}

bool vh_verb_takes_domain(const VhVerb *verb)
{
    return vh_has_word(verb->options, "connect");
}

bool vh_verb_takes_option(const VhVerb *verb, const VhOption *option)
{
    return option->help &&
           (!verb || vh_has_word(verb->options, option->name)) &&
           vh_option_of(option, verb ? verb->name : NULL) == option;
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

const VhVerb *vh_verb_take(const VhVerb *verbs, char **words, int nr,
                           int *taken)
{
    g_autofree char *two =
        nr > 1 ? g_strconcat(words[0], " ", words[1], NULL) : NULL;
    const VhVerb *verb = two ? find_verb(verbs, two) : NULL;

    *taken = verb ? 2 : 1;
    return verb || !nr ? verb : find_verb(verbs, words[0]);
}

const VhOption *vh_verb_option(const char *word)
{
    g_autofree char *name = NULL;
    const VhOption *o;

    if (!g_str_has_prefix(word, "--")) {
        for (unsigned i = 0; (o = vh_option_nth(i)); i++) {
            if (o->letter && word[0] == '-' && word[1] == o->letter &&
                !word[2]) {
                break;
            }
        }
        return o;
    }
    name = g_strndup(word + 2, strcspn(word + 2, "="));
    for (unsigned i = 0; (o = vh_option_nth(i)); i++) {
        if (g_str_equal(o->name, name)) {
            break;
        }
    }
    return o;
}

static bool is_recipe_option(const char *word)
{
    const VhRecipeOption *r = vh_recipe_option_table();

    while (r->name &&
           !(g_str_has_prefix(word, "--") && g_str_equal(word + 2, r->name))) {
        r++;
    }
    return r->name != NULL;
}

GPtrArray *vh_verb_words(char **argv, int nr)
{
    GPtrArray *out = g_ptr_array_new();
    bool options = true;

    for (int i = 0; i < nr; i++) {
        if (options && g_str_equal(argv[i], "--")) {
            options = false;
        } else if (options && argv[i][0] == '-' && argv[i][1]) {
            const VhOption *o = vh_verb_option(argv[i]);
            bool takes = (o && o->arg) || is_recipe_option(argv[i]);

            i += takes && !strchr(argv[i], '=');
        } else {
            g_ptr_array_add(out, argv[i]);
        }
    }
    return out;
}
