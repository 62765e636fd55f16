/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "cli.h"
#include "record/record.h"

const char *vh_cli_target(const VhOptions *options)
{
    if (options->domain) {
        return options->domain;
    }
    return options->socket && *options->socket ? options->socket : NULL;
}

bool vh_cli_is_live(const VhOptions *options)
{
    return !options->input && vh_cli_target(options);
}

VhClient *vh_cli_open(const VhOptions *options, GError **error)
{
    if (options->domain) {
        return vh_client_open_libvirt(options->uri, options->domain,
                                      options->timeout_us, error);
    }
    return vh_client_open(options->socket, options->timeout_us, error);
}

int vh_cli_fail(const GError *error)
{
    int code = error->domain == VH_CLIENT_ERROR ? vh_exit_of_client(error->code)
                                                : VH_EXIT_FILE;

    if (code) {
        vh_cli_complain(error->message);
    }
    return code;
}

void vh_cli_complain(const char *sentence)
{
    /* what QEMU says is not trusted on a terminal */
    VhTerm term = { .width = G_MAXUINT / 2, .utf8 = true };
    g_autoptr(VhPage) page = vh_page_new(&term);
    g_autofree char *text = NULL;

    vh_page_add(page, VH_STYLE_PLAIN, "vmheat: %s", sentence);
    vh_page_end(page);
    text = vh_page_text(page);
    fputs(text, stderr);
}

bool vh_cli_is_for_files(const char *path, GError **error)
{
    GStatBuf st;

    if (g_str_equal(path, "-")) {
        g_set_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_WRITE,
                    "a record cannot go to standard output; give a file with "
                    "-o FILE, or -o ./- for one of that name");
        return false;
    }
    if (!g_stat(path, &st) && !S_ISREG(st.st_mode)) {
        g_set_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_WRITE,
                    "'%s' is no regular file; give one, or a new file", path);
        return false;
    }
    return true;
}

/* Replaced under a recorder, what that writes from then on would be lost. */
static bool is_locked(const char *path)
{
    int fd = g_open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
    bool locked =
        fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;

    if (fd >= 0) {
        close(fd);
    }
    return locked;
}

bool vh_cli_may_replace(const char *path, bool force, GError **error)
{
    const char *why = NULL;
    GStatBuf st;

    if (!vh_cli_is_for_files(path, error)) {
        return false;
    }
    if (g_lstat(path, &st)) {
        return true;
    }
    if (!force) {
        why = "exists; --force replaces it, -o FILE takes another";
    } else if (is_locked(path)) {
        why = "is not replaced: another recorder writes it";
    }
    if (why) {
        g_set_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_WRITE, "'%s' %s",
                    path, why);
    }
    return !why;
}

bool vh_cli_may_draw(const VhOptions *options, GError **error)
{
    const char *path = options->output;

    return !path || g_str_equal(path, "-") ||
           vh_cli_may_replace(path, options->force, error);
}

bool vh_cli_make_room(const char *path, bool force, GError **error)
{
    if (!vh_cli_may_replace(path, force, error)) {
        return false;
    }
    if (g_unlink(path) && errno != ENOENT) {
        g_set_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_WRITE,
                    "cannot replace '%s': %s", path, g_strerror(errno));
        return false;
    }
    return true;
}

int vh_cli_print(const char *text)
{
    if (fputs(text, stdout) == EOF || fflush(stdout)) {
        fprintf(stderr, "vmheat: cannot write to standard output: %s\n",
                g_strerror(errno));
        return VH_EXIT_USAGE;
    }
    return VH_EXIT_OK;
}

int vh_cli_print_page(const VhPage *page)
{
    g_autofree char *text = vh_page_text(page);

    return vh_cli_print(text);
}

int vh_cli_print_json(JsonNode *node)
{
    g_autofree char *json = json_to_string(node, true);
    g_autofree char *text = g_strconcat(json, "\n", NULL);

    return vh_cli_print(text);
}
