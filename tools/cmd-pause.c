/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli.h"

static int run(const VhOptions *options, const char *command)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VhClient) client = vh_cli_open(options, &error);
    g_autoptr(JsonNode) reply =
        client ? vh_client_command(client, command, NULL, &error) : NULL;

    if (!reply) {
        return vh_cli_fail(error);
    }
    return options->json ? vh_cli_print_json(reply) : VH_EXIT_OK;
}

int vh_cmd_pause(const VhOptions *options, const VhTerm *term)
{
    return run(options, "vmheat-pause");
}

int vh_cmd_resume(const VhOptions *options, const VhTerm *term)
{
    return run(options, "vmheat-resume");
}
