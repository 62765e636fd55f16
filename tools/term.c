/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "term.h"

#define SIZE_LARGEST 1000

struct VhFullscreen {
    bool keys; /* standard input is a terminal, and was changed */
    struct termios saved;
};

static bool env_set(const char *name)
{
    const char *v = getenv(name);

    return v && *v;
}

static unsigned env_size(const char *name, unsigned fallback)
{
    const char *v = getenv(name);
    guint64 n;

    return v && g_ascii_string_to_unsigned(v, 10, 1, SIZE_LARGEST, &n, NULL)
               ? n
               : fallback;
}

void vh_term_resize(VhTerm *term)
{
    struct winsize ws = { 0 };

    if (isatty(STDOUT_FILENO)) {
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws);
    }
    term->width =
        ws.ws_col ? MIN(ws.ws_col, SIZE_LARGEST) : env_size("COLUMNS", 80);
    term->height =
        ws.ws_row ? MIN(ws.ws_row, SIZE_LARGEST) : env_size("LINES", 24);
}

void vh_term_init(VhTerm *term, VhColor color)
{
    const char *type = getenv("TERM");

    term->tty =
        isatty(STDOUT_FILENO) && type && *type && !g_str_equal(type, "dumb");
    term->color = color == VH_COLOR_ALWAYS ||
                  (color == VH_COLOR_AUTO && term->tty && !env_set("NO_COLOR"));
    term->utf8 = g_str_equal(nl_langinfo(CODESET), "UTF-8");
    vh_term_resize(term);
}

static void write_all(const char *text)
{
    size_t left = strlen(text);

    while (left) {
        ssize_t n = write(STDOUT_FILENO, text, left);

        if (n <= 0) {
            return; /* a terminal that is gone needs no restoring */
        }
        text += n;
        left -= n;
    }
}

VhFullscreen *vh_fullscreen_enter(void)
{
    VhFullscreen *fs = g_new0(VhFullscreen, 1);

    if (!tcgetattr(STDIN_FILENO, &fs->saved)) {
        struct termios raw = fs->saved;

        raw.c_lflag &= ~(ICANON | ECHO); /* ISIG stays: Ctrl-C is a signal */
        raw.c_cc[VMIN] = 0;
        raw.c_cc[VTIME] = 0;
        fs->keys = !tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    write_all("\033[?1049h\033[?25l\033[2J");
    return fs;
}

void vh_fullscreen_leave(VhFullscreen *fs)
{
    if (!fs) {
        return;
    }
    write_all("\033[0m\033[?25h\033[?1049l");
    if (fs->keys) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &fs->saved);
    }
    g_free(fs);
}
