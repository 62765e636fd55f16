/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_EXPORTER_LOG_H
#define VMHEAT_EXPORTER_LOG_H

#include <glib.h>

/**
 * vh_log() - write one line to standard error, for the journal
 * @format: a sentence; what comes from elsewhere in it may hold anything
 */
void vh_log(const char *format, ...) G_GNUC_PRINTF(1, 2);

/**
 * vh_clean_text() - what came from elsewhere, as text that harms nobody
 * @text: any bytes; NULL: ""
 * @max: most bytes to keep; 0: all
 *
 * Returns: valid UTF-8 without control characters, cut between characters;
 * g_free().
 */
char *vh_clean_text(const char *text, size_t max);

#endif
