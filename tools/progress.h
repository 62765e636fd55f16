/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_PROGRESS_H
#define VMHEAT_TOOLS_PROGRESS_H

#include <stdbool.h>
#include <glib.h>

/* A line on standard error that tells how far work is. Opaque. */
typedef struct VhProgress VhProgress;

/**
 * vh_progress_new() - begin work that may take long
 * @what: such as "reading guest.vmheat"; shown as it is
 *
 * Nothing is written unless standard error is a terminal, nor before half a
 * second has passed.
 */
VhProgress *vh_progress_new(const char *what);

/**
 * vh_progress_to() - so much of it is done
 * @p: NULL is fine
 * @part: 0 .. 1; negative: unknown
 * @detail: what else to tell, or NULL
 *
 * Writes ten times a second at most; costs little when called more often.
 */
void vh_progress_to(VhProgress *p, double part, const char *detail);

/** vh_progress_free() - remove the line; NULL is fine */
void vh_progress_free(VhProgress *p);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhProgress, vh_progress_free)

#endif
