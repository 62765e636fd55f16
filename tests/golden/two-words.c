/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command with verbs that do nothing, some of two words. */
#include "cli.h"

static int run(const VhOptions *options, const VhTerm *term)
{
    return vh_cli_print("ran\n");
}

int main(int argc, char **argv)
{
    static const VhVerb verbs[] = {
        { "report access", "x", "input sort", VH_TARGET_NONE, run },
        { "report heat", "x", "output connect socket", VH_TARGET_VM, run },
        { "list", "x", "json", VH_TARGET_NONE, run },
        { "list on", "x", "json", VH_TARGET_NONE, run },
        { "list off", "x", "json", VH_TARGET_NONE, run },
        {},
    };
    VhOptions options;
    const VhVerb *verb;
    int exit_code;

    verb = vh_options_parse(verbs, argc, argv, &options, &exit_code);
    exit_code = verb ? verb->run(&options, NULL) : exit_code;
    vh_options_clear(&options);
    return exit_code;
}
