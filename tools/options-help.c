/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Help, as wide as any terminal shows. */
#include <string.h>

#include "verbs.h"

#define WIDTH 80
#define OPTION_COLUMN 29
#define VERB_COLUMN 20
#define RECIPE_COLUMN 12

/* Words from column @indent on, where the line is; ends the line. */
static void add_wrapped(GString *out, unsigned at, unsigned indent,
                        const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    if (at + 2 > indent && at > 0) { /* what is there leaves no room */
        g_string_append_c(out, '\n');
        at = 0;
    }
    g_string_append_printf(out, "%*s", (int)(indent - at), "");
    at = indent;
    for (int i = 0; words[i]; i++) {
        size_t len = strlen(words[i]);

        if (at > indent && at + 1 + len > WIDTH) {
            g_string_append_printf(out, "\n%*s", (int)indent, "");
            at = indent;
        }
        g_string_append_printf(out, "%s%s", at > indent ? " " : "", words[i]);
        at += len + (at > indent);
    }
    g_string_append_c(out, '\n');
}

static void add_item(GString *out, unsigned column, const char *text,
                     const char *name)
{
    gsize begin = out->len;

    g_string_append_printf(out, "  %s", name);
    add_wrapped(out, out->len - begin, column, text);
}

/* The working set has an order of its own. */
static const char *help_text(const VhVerb *verb, const VhOption *o)
{
    return verb->run == vh_cmd_report_wss && g_str_equal(o->name, "sort")
               ? "size (default) or time"
               : o->help;
}

static void add_option(GString *out, const VhOption *o, const char *help)
{
    char prefix[] = { '-', o->letter, ',', ' ', 0 };
    g_autofree char *name =
        g_strdup_printf("%s--%s%s%s", o->letter ? prefix : "    ", o->name,
                        o->arg ? " " : "", o->arg ? o->arg : "");

    add_item(out, OPTION_COLUMN, help, name);
}

/* Names of recipes, and their options. */
static void add_recipes(GString *out)
{
    g_string_append(out, "\nrecipes:\n");
    for (const VhRecipe *r = vh_recipe_table(); r->name; r++) {
        add_item(out, RECIPE_COLUMN, r->summary, r->name);
    }
    g_string_append(out, "\noptions of recipes, after the --apply they are "
                         "for:\n");
    for (const VhRecipeOption *r = vh_recipe_option_table(); r->name; r++) {
        VhOption o = { .name = r->name, .arg = r->arg, .help = r->help };

        add_option(out, &o, o.help);
    }
    g_string_append_c(out, '\n');
    for (const VhRecipe *r = vh_recipe_table(); r->name; r++) {
        g_auto(GStrv) names = g_strsplit(r->options, " ", -1);
        g_autofree char *list = g_strjoinv(" --", names);
        g_autofree char *text = g_strconcat("--", list, NULL);

        add_item(out, RECIPE_COLUMN, text, r->name);
    }
}

static const char *usage_target(const VhVerb *verb)
{
    static const char *const texts[] = {
        [VH_TARGET_VM] = " {-s SOCKET | [-c URI] DOMAIN}",
        [VH_TARGET_MAYBE_VM] = " [-s SOCKET | [-c URI] DOMAIN]",
        [VH_TARGET_DOMAIN] = " [-c URI] DOMAIN",
        [VH_TARGET_NONE] = "",
    };

    if (verb->target == VH_TARGET_VM && !vh_verb_takes_domain(verb)) {
        return " -s SOCKET";
    }
    return texts[verb->target];
}

static void add_examples(GString *out, const char *examples)
{
    g_auto(GStrv) lines = g_strsplit(examples, "\n", -1);

    g_string_append(out, "\nexamples:\n");
    for (int i = 0; lines[i]; i++) {
        g_string_append_printf(out, "  %s\n", lines[i]);
    }
}

int vh_help_verb(const VhVerb *verb)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *page = g_strdelimit(g_strdup(verb->name), " ", '-');
    const VhOption *o;

    g_string_append_printf(out, "usage: vmheat %s%s [OPTIONS]\n\n", verb->name,
                           usage_target(verb));
    add_wrapped(out, 0, 0, verb->summary);
    g_string_append(out, "\noptions:\n");
    for (unsigned i = 0; (o = vh_option_nth(i)); i++) {
        if (vh_verb_takes_option(verb, o)) {
            add_option(out, o, help_text(verb, o));
        }
    }
    add_item(out, OPTION_COLUMN, "show this", "-h, --help");
    if (vh_has_word(verb->options, "apply")) {
        add_recipes(out);
    }
    if (verb->examples) {
        add_examples(out, verb->examples);
    }
    g_string_append_printf(out, "\nvmheat-%s(1) explains it all.\n", page);
    return vh_cli_print(out->str);
}

int vh_help_verbs(const VhVerb *verbs, const char *group)
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
        if (!group || vh_verb_in_group(v, group)) {
            add_item(out, VERB_COLUMN, v->summary, v->name);
        }
    }
    g_string_append(out, "\n'vmheat help VERB' lists the options of a verb; "
                         "vmheat(1) explains it all.\n");
    return vh_cli_print(out->str);
}
