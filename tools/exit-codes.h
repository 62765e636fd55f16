/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_EXIT_CODES_H
#define VMHEAT_TOOLS_EXIT_CODES_H

/* Exit codes, as documented in vmheat(1). */
typedef enum VhExit {
    VH_EXIT_OK,
    VH_EXIT_USAGE,
    VH_EXIT_NOTHING = VH_EXIT_USAGE, /* doctor: no primitive can run */
    VH_EXIT_CONNECT,
    VH_EXIT_QMP,
    VH_EXIT_TIMEOUT,
    VH_EXIT_PROTOCOL,
    VH_EXIT_HOST,
    VH_EXIT_FILE,    /* a file cannot be read or written, or is no record */
    VH_EXIT_DAMAGED, /* a record is damaged: told is what is before that */
} VhExit;

/** vh_exit_of_client() - for a VhClientError */
VhExit vh_exit_of_client(int code);

#endif
