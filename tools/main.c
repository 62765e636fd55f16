/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <locale.h>

#include "cli.h"

#define COMMON "stjcC"

static const VhVerb verbs[] = {
    { "status", "Show what the monitor does, with what, and at what cost.",
      COMMON, false, vh_cmd_status },
    { "snapshot", "List the regions of the latest snapshot.", COMMON "SEmlo",
      false, vh_cmd_snapshot },
    { "top", "Show the heat of guest memory, again and again.", COMMON "dn1",
      false, vh_cmd_top },
    { "pause", "Stop monitoring; the latest snapshot stays.", "stj", false,
      vh_cmd_pause },
    { "resume", "Go on after pause.", "stj", false, vh_cmd_resume },
    { "schemes",
      "Show, set and remove schemes: memory like this, do that to it.",
      COMMON "TGQWLAXY", false, vh_cmd_schemes },
    { "doctor", "Try what this host can do and say which primitives can run.",
      COMMON "P", true, vh_cmd_doctor },
    { "grant", "Hand QEMU files that only root may open, for more primitives.",
      "stcCpDIURBFOK", false, vh_cmd_grant },
    {},
};

int main(int argc, char **argv)
{
    VhOptions options;
    const VhVerb *verb;
    VhTerm term;
    int exit_code;

    setlocale(LC_CTYPE, ""); /* not numbers: output is for programs too */
    verb = vh_options_parse(verbs, argc, argv, &options, &exit_code);
    if (verb) {
        vh_term_init(&term, options.color);
        exit_code = verb->run(&options, &term);
    }
    vh_options_clear(&options);
    return exit_code;
}
