/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traces: workloads that anyone can bring, as text. A line is
 *
 *     TIME START SIZE RATE [WRITES]
 *
 * from TIME (seconds) on each page of SIZE bytes from the guest-physical
 * address START is accessed RATE times a second, of which the share WRITES
 * (0.5) are writes. docs/devel/accuracy.md is the reference.
 */
#ifndef BENCH_ACCURACY_TRACE_H
#define BENCH_ACCURACY_TRACE_H

#include "workload.h"

/* Largest guest, and largest rate and time that a trace may have. */
#define TRACE_SIZE_MAX (64ULL << 40)
#define TRACE_RATE_MAX 1e6
#define TRACE_SECONDS_MAX 1e6

/**
 * trace_parse() - @text as a workload
 * @name: of the file, for @why
 * @size: guest memory; 0: as far as the trace goes, in whole 2 MiB
 *
 * NULL and @why (g_free), a sentence that begins with NAME:LINE, when a line
 * is wrong.
 */
Workload *trace_parse(const char *name, const char *text, uint64_t size,
                      char **why);

/** trace_read() - the same of the file @path */
Workload *trace_read(const char *path, uint64_t size, char **why);

#endif
