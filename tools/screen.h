/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_SCREEN_H
#define VMHEAT_TOOLS_SCREEN_H

#include "client/client.h"
#include "page.h"

/*
 * Theory of operation
 *
 * One thread and one place to wait: whoever waits, for QEMU's answer or for the
 * next picture to be due, calls vh_screen_wait(). That looks after the terminal
 * as well, so keys, signals and new sizes are served even while QEMU does not
 * answer, and the end of QEMU is noticed between two pictures.
 *
 * On a terminal, signals arrive through a signalfd, so nothing can end the
 * program between changing the terminal and restoring it. Elsewhere pictures
 * are appended, and signals have their usual effect.
 */

/**
 * struct VhScreen - where pictures are shown
 * @term: what it can show
 * @paint: fills an empty page with a picture; false: there is none yet
 * @key: a key that was pressed, but for q; may be NULL
 * @opaque: handed to both
 * @fs: NULL: pictures are appended
 * @signals: signalfd, or -1
 * @keys: standard input is a terminal
 * @quit: the user wants to end
 * @failed: standard output cannot be written
 */
typedef struct VhScreen {
    VhTerm term;
    bool (*paint)(void *opaque, VhPage *page);
    void (*key)(void *opaque, char key);
    void *opaque;
    VhFullscreen *fs;
    int signals;
    bool keys;
    bool quit;
    bool failed;
} VhScreen;

/** vh_screen_init() - pictures are appended, until vh_screen_enter() */
void vh_screen_init(VhScreen *s, const VhTerm *term,
                    bool (*paint)(void *opaque, VhPage *page), void *opaque);

/** vh_screen_enter() - use all of the terminal */
void vh_screen_enter(VhScreen *s);

/**
 * vh_screen_leave() - give the terminal back
 * @s: the screen
 * @keep: show the last picture once more, so that it stays
 */
void vh_screen_leave(VhScreen *s, bool keep);

/** vh_screen_draw() - paint a picture and show it */
void vh_screen_draw(VhScreen *s);

/** vh_screen_print() - write text that is no picture */
void vh_screen_print(VhScreen *s, const char *text);

/** vh_screen_done() - is there a reason to end? */
bool vh_screen_done(const VhScreen *s);

/**
 * vh_screen_wait() - a VhWaitFunc that looks after the screen
 * @opaque: the screen
 * @fd: may be -1
 */
VhWait vh_screen_wait(void *opaque, int fd, short events, gint64 deadline);

#endif
