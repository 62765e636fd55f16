/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_LIBVIRT_JOBS_H
#define VMHEAT_TOOLS_LIBVIRT_JOBS_H

#include "libvirt-worker.h"

/* Connect, find the domain if there is a name, listen to it. */
typedef struct VhLvOpenJob {
    VhLvJob base;
    char *uri;      /* NULL: the default */
    char *domain;   /* NULL: none */
    VhDomain found; /* of it the UUID may be known before; "": it is not */
    bool monitor;   /* it has to run, and its events are wanted */
} VhLvOpenJob;

/* A monitor command. */
typedef struct VhLvCommandJob {
    VhLvJob base;
    char *request;
    int fd; /* goes along, unless -1 */
    char *reply;
} VhLvCommandJob;

/**
 * vh_lv_open_job() - connect, as the first job of a worker
 * @uri: NULL: the default
 * @domain: as virsh takes it; NULL: none
 * @uuid: which of them, as @domain may be another one's by now; "": not known
 * @monitor: whether it has to run, and its events are wanted
 */
VhLvOpenJob *vh_lv_open_job(const char *uri, const char *domain,
                            const char *uuid, bool monitor);

/**
 * vh_lv_command_job() - run a monitor command
 * @request: JSON text; taken
 * @fd: -1, or a descriptor to pass; duplicated
 */
VhLvCommandJob *vh_lv_command_job(char *request, int fd);

/**
 * vh_lv_take_error() - say what libvirt's last error was
 * @c: where it happened
 * @error: set
 *
 * Returns: false.
 */
bool vh_lv_take_error(VhLvConn *c, GError **error);

/**
 * vh_lv_disconnect() - close what is open
 * @c: may have nothing open
 */
void vh_lv_disconnect(VhLvConn *c);

#endif
