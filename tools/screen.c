/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A terminal that pictures are shown on; theory of operation in screen.h. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli.h"
#include "screen.h"

void vh_screen_init(VhScreen *s, const VhTerm *term,
                    bool (*paint)(void *opaque, VhPage *page), void *opaque)
{
    *s = (VhScreen){
        .term = *term, .paint = paint, .opaque = opaque, .signals = -1
    };
}

void vh_screen_print(VhScreen *s, const char *text)
{
    s->failed |= vh_cli_print(text) != VH_EXIT_OK;
}

void vh_screen_draw(VhScreen *s)
{
    g_autoptr(VhPage) page = vh_page_new(&s->term);
    g_autofree char *text = NULL;

    if (s->paint(s->opaque, page)) {
        text = s->fs ? vh_page_screen(page) : vh_page_text(page);
        vh_screen_print(s, text);
    }
}

bool vh_screen_done(const VhScreen *s)
{
    return s->quit || s->failed;
}

/* Gives the terminal back for as long as the user has stopped us. */
static void suspend(VhScreen *s)
{
    g_clear_pointer(&s->fs, vh_fullscreen_leave);
    kill(getpid(), SIGSTOP);
    s->fs = vh_fullscreen_enter();
    vh_term_resize(&s->term);
    vh_screen_draw(s);
}

static void take_signal(VhScreen *s)
{
    struct signalfd_siginfo si;

    if (read(s->signals, &si, sizeof(si)) != sizeof(si)) {
        return;
    }
    switch (si.ssi_signo) {
    case SIGWINCH:
        vh_term_resize(&s->term);
        vh_screen_draw(s);
        break;
    case SIGTSTP:
        suspend(s);
        break;
    default:
        s->quit = true;
        break;
    }
}

static void take_keys(VhScreen *s)
{
    char keys[64];
    ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));

    if (n <= 0) {
        s->keys = false; /* the terminal is gone: SIGHUP follows */
    }
    for (ssize_t i = 0; i < n; i++) {
        s->quit |= keys[i] == 'q' || keys[i] == 'Q';
        if (s->key && !s->quit) {
            s->key(s->opaque, keys[i]);
        }
    }
}

VhWait vh_screen_wait(void *opaque, int fd, short events, gint64 deadline)
{
    VhScreen *s = opaque;

    while (!vh_screen_done(s)) {
        gint64 left = deadline - g_get_monotonic_time();
        GPollFD fds[] = {
            { .fd = fd, .events = events },
            { .fd = s->signals, .events = G_IO_IN },
            { .fd = s->keys ? STDIN_FILENO : -1, .events = G_IO_IN },
        };

        if (left <= 0) {
            return VH_WAIT_TIMEOUT;
        }
        if (g_poll(fds, G_N_ELEMENTS(fds), (left + 999) / 1000) < 0) {
            continue;
        }
        if (fds[1].revents) {
            take_signal(s);
        }
        if (fds[2].revents) {
            take_keys(s);
        }
        if (fds[0].revents && !s->quit) {
            return VH_WAIT_READY;
        }
    }
    return VH_WAIT_INTERRUPTED;
}

static void catch_signals(VhScreen *s)
{
    static const int taken[] = { SIGINT,  SIGTERM,  SIGHUP,
                                 SIGQUIT, SIGWINCH, SIGTSTP };
    sigset_t set;

    sigemptyset(&set);
    for (unsigned i = 0; i < G_N_ELEMENTS(taken); i++) {
        sigaddset(&set, taken[i]);
    }
    sigprocmask(SIG_BLOCK, &set, NULL);
    s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void vh_screen_enter(VhScreen *s)
{
    catch_signals(s);
    s->keys = isatty(STDIN_FILENO);
    s->fs = vh_fullscreen_enter();
}

void vh_screen_leave(VhScreen *s, bool keep)
{
    if (s->fs) {
        g_clear_pointer(&s->fs, vh_fullscreen_leave);
        if (keep) {
            vh_screen_draw(s);
        }
    }
    if (s->signals >= 0) {
        close(s->signals);
        s->signals = -1;
    }
}
