/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_EXPORTER_OPTIONS_H
#define VMHEAT_EXPORTER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#define VH_LISTEN_DEFAULT "127.0.0.1:9724"

/**
 * struct VhExporterOptions - what the command line says
 * @listen: ADDR:PORT or unix:PATH
 * @sockets: QMP sockets; NULL: none
 * @folder: of sockets; NULL: none
 * @libvirt: URI was given; @uri: it, NULL for libvirt's default
 * @interval_us: how often a machine is asked that somebody looks at
 * @idle_interval_us: and others
 * @timeout_us: for each question
 * @history_s: seconds of history that are kept; 0: none
 * @history_bytes: in so much memory for each machine
 * @records: folder of records; NULL: none
 * @allow_control: changes are allowed, with
 * @token_file: that holds the token
 * @host_names: that Host may have; NULL: none
 * @node: name of this host, for labels
 * @max_clients: connections at a time
 * @max_rate: requests a second of a client
 * @metrics_table: print it
 * @version: print it
 */
typedef struct VhExporterOptions {
    char *listen;
    char **sockets;
    char *folder;
    bool libvirt;
    char *uri;
    gint64 interval_us, idle_interval_us, timeout_us;
    uint64_t history_s, history_bytes;
    char *records;
    gboolean allow_control;
    char *token_file;
    char **host_names;
    char *node;
    int max_clients, max_rate;
    gboolean metrics_table, version;
} VhExporterOptions;

/**
 * vh_exporter_options() - read the command line
 * @argc: as of main()
 * @argv: as of main()
 * @o: set; to be cleared also after an error
 * @error: one sentence
 */
bool vh_exporter_options(int argc, char **argv, VhExporterOptions *o,
                         GError **error);

/** vh_exporter_options_clear() - free what they hold */
void vh_exporter_options_clear(VhExporterOptions *o);

#endif
