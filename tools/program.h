/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run a program that may crash, hang or flood its output.
 */
#ifndef VMHEAT_TOOLS_PROGRAM_H
#define VMHEAT_TOOLS_PROGRAM_H

#include <stdbool.h>
#include <glib.h>

/**
 * struct VhProgramResult - how a program ended
 * @problem: why it has no @status: not started, killed by a signal, no end in
 *           time; or NULL
 * @timed_out: there was no end in time
 * @status: its exit status
 * @out: what it wrote to standard output, the first 16 KiB
 * @err: and to standard error; both are valid UTF-8
 */
typedef struct VhProgramResult {
    char *problem;
    bool timed_out;
    int status;
    char *out;
    char *err;
} VhProgramResult;

/**
 * vh_program_run() - run a program to its end
 * @path: the program; gets no arguments and no standard input
 * @timeout_us: after which it, and all it started, is killed
 * @result: filled in; free with vh_program_result_clear()
 *
 * Returns at most a second after the time-out, even when the kernel does not
 * let go of the program.
 */
void vh_program_run(const char *path, gint64 timeout_us,
                    VhProgramResult *result);

/**
 * vh_program_result_clear() - free what it holds
 * @result: the result
 */
void vh_program_result_clear(VhProgramResult *result);

#endif
