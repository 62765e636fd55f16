/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A progress bar. */
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "page.h"
#include "progress.h"

#define FIRST_US 500000
#define EVERY_US 100000
#define BAR_COLUMNS 20

/*
 * shown: there is a line to remove
 * due: when to write again
 */
struct VhProgress {
    char *what;
    bool tty;
    bool shown;
    gint64 due;
};

VhProgress *vh_progress_new(const char *what)
{
    VhProgress *p = g_new0(VhProgress, 1);

    p->what = g_strdup(what);
    p->tty = isatty(STDERR_FILENO);
    p->due = g_get_monotonic_time() + FIRST_US;
    return p;
}

static void draw(const VhProgress *p, double part, const char *detail)
{
    struct winsize size = { 0 };
    VhTerm term = { .utf8 = g_get_charset(NULL) };
    g_autoptr(VhPage) page = NULL;
    g_autofree char *text = NULL;

    ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
    /* no line feed by itself; a terminal without a size has 0 columns */
    term.width = MAX(size.ws_col ? size.ws_col : 80, 2) - 1;
    page = vh_page_new(&term);
    if (part >= 0) {
        unsigned full = MIN(part, 1) * BAR_COLUMNS;

        vh_page_add(page, VH_STYLE_PLAIN, "[%.*s%*s] %3.0f %% ", full,
                    "####################", BAR_COLUMNS - full, "",
                    MIN(part, 1) * 100);
    }
    vh_page_add(page, VH_STYLE_PLAIN, "%s%s%s", p->what, detail ? ": " : "",
                detail ? detail : "");
    vh_page_end(page);
    text = vh_page_text(page);
    g_strchomp(text);
    fprintf(stderr, "\r%s\033[K", text);
    fflush(stderr);
}

void vh_progress_to(VhProgress *p, double part, const char *detail)
{
    gint64 now;

    if (!p || !p->tty) {
        return;
    }
    now = g_get_monotonic_time();
    if (now >= p->due) {
        draw(p, part, detail);
        p->shown = true;
        p->due = now + EVERY_US;
    }
}

void vh_progress_free(VhProgress *p)
{
    if (p) {
        if (p->shown) {
            fputs("\r\033[K", stderr);
        }
        g_free(p->what);
        g_free(p);
    }
}
