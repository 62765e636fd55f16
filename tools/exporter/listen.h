/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_EXPORTER_LISTEN_H
#define VMHEAT_EXPORTER_LISTEN_H

#include <stdbool.h>
#include <glib.h>

/**
 * struct VhListen - a socket to serve on
 * @fd: listening, -1: none
 * @path: of a unix socket, or NULL
 * @url: for people
 * @loopback: only this host can reach it
 */
typedef struct VhListen {
    int fd;
    char *path;
    char *url;
    bool loopback;
} VhListen;

/**
 * vh_listen_open() - listen
 * @text: ADDR:PORT, [ADDR]:PORT, localhost:PORT or unix:PATH; of port 0 the
 *        kernel takes a free one
 * @l: set; fd -1 after an error
 * @error: one sentence; of G_OPTION_ERROR when @text is no such thing
 *
 * A unix socket that nobody listens to any more is replaced. Its mode is 0660.
 */
bool vh_listen_open(const char *text, VhListen *l, GError **error);

/** vh_listen_close() - close it, and remove a unix socket */
void vh_listen_close(VhListen *l);

#endif
