/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_GRANT_FILES_H
#define VMHEAT_TOOLS_GRANT_FILES_H

#include <stdbool.h>
#include <sys/types.h>

#define VH_PAGE_IDLE_PATH "/sys/kernel/mm/page_idle/bitmap"
#define VH_GRANT_FILES_MAX 3

/**
 * struct VhGrantFile - something to hand over
 * @what: name of it, as an argument of the QMP command vmheat-grant
 * @fdname: its name with getfd
 * @path: for people (g_free)
 * @fd: the descriptor
 */
typedef struct VhGrantFile {
    const char *what;
    const char *fdname;
    char *path;
    int fd;
} VhGrantFile;

/* What is handed over. */
typedef struct VhGrantFiles {
    unsigned nr;
    VhGrantFile v[VH_GRANT_FILES_MAX];
} VhGrantFiles;

/**
 * vh_grant_files_idle_page() - open what the primitive idle-page needs
 * @files: appended to
 * @bitmap: path of the idle-page bitmap
 * @pid: process of QEMU
 * @why: a sentence with what to do (g_free); nothing is appended then
 */
bool vh_grant_files_idle_page(VhGrantFiles *files, const char *bitmap,
                              pid_t pid, char **why);

/**
 * vh_grant_files_damon() - make a socket for the primitive damon
 * @files: QEMU's end is appended
 * @ours: out: our end
 * @why: a sentence (g_free)
 */
bool vh_grant_files_damon(VhGrantFiles *files, int *ours, char **why);

/** vh_grant_files_close() - close and free all; QEMU has its own then */
void vh_grant_files_close(VhGrantFiles *files);

#endif
