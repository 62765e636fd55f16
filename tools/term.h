/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_TERM_H
#define VMHEAT_TOOLS_TERM_H

#include <stdbool.h>
#include <glib.h>

/* --color and --no-color */
typedef enum VhColor { VH_COLOR_AUTO, VH_COLOR_ALWAYS, VH_COLOR_NEVER } VhColor;

/**
 * struct VhTerm - what standard output can show
 * @tty: it is a terminal that moves its cursor (TERM is not "dumb")
 * @color: colours are wanted
 * @utf8: the locale is UTF-8; else only ASCII is written
 * @width: columns; of the terminal, else of COLUMNS, else 80
 * @height: lines; of the terminal, else of LINES, else 24
 */
typedef struct VhTerm {
    bool tty;
    bool color;
    bool utf8;
    unsigned width;
    unsigned height;
} VhTerm;

/**
 * vh_term_init() - look at standard output and the environment
 * @term: filled in
 * @color: the user's wish
 */
void vh_term_init(VhTerm *term, VhColor color);

/**
 * vh_term_resize() - ask the terminal for its size again
 * @term: updated
 */
void vh_term_resize(VhTerm *term);

/* A terminal in full-screen use. Opaque. */
typedef struct VhFullscreen VhFullscreen;

/**
 * vh_fullscreen_enter() - alternate screen, no cursor, keys without echo
 *
 * Returns: what vh_fullscreen_leave() needs.
 */
VhFullscreen *vh_fullscreen_enter(void);

/**
 * vh_fullscreen_leave() - restore the terminal; NULL is fine
 * @fs: from vh_fullscreen_enter(); freed
 */
void vh_fullscreen_leave(VhFullscreen *fs);

#endif
