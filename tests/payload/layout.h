/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parameter page: how the host talks to the payload guest.
 *
 * RAM begins at guest-physical VHP_BASE (arch-.../place.h), and the page lies
 * at VHP_OFFSET_PAGE of it.  The host sees it in the guest's shared
 * memory-backend-file: offset = guest-physical address - VHP_BASE.  On x86 this
 * is so below the hole that QEMU leaves under 4 GiB, and what is above 4 GiB
 * follows there.
 * Every word is 64 bit, little endian, and has one writer:
 *
 *   host writes     go, stop, verify, tsc_khz, ranges (the last two at rest)
 *   payload writes  everything else, and clears go and stop when obeyed
 *
 * Protocol.  The payload clears the page, sets magic, reads its command line,
 * fills memory, sets phase READY (or FAILED: error says why, and it stays so).
 *
 *   start:   at rest (stopped=1) write tsc_khz and ranges, then go=1; wait for
 *            go=0.  stopped=0: it runs.  stopped=1: refused, error says why.
 *   stop:    stop=1; wait for stopped=1 and stop=0.  Until the next go
 *            nothing in the guest touches the ranges and the record is exact.
 *   verify:  verify += 1; wait for verified == verify; then bad_words,
 *            first_bad and slot_sum are the answer.  Running or at rest.
 *
 * Memory.  Every page of [VHP_RAM_START, fill_end), without the hole, has one
 * line of 8 words, at byte ((address / 4096) % 64) * 64 of the page so that
 * pages do not fight for the same cache sets.  Word w at address a starts as (a
 * + seed) * VHP_PATTERN_MUL.  Word 0 is the slot: a write adds 1 to it.
 * Words 1..7 never change.  So, at rest, over all filled pages, the sum of
 * (slot - its pattern) equals total_writes.
 *
 * vmheat_payload.py reads the #defines of this file: keep each on one line,
 * with a plain number.
 */
#ifndef VHP_LAYOUT_H
#define VHP_LAYOUT_H

#include "place.h"

#define VHP_OFFSET_PAGE 0x1f0000
#define VHP_OFFSET_RAM 0x1000000
#define VHP_SIZE_MAX 0x200000000
#define VHP_HIGH_START 0x100000000
#define VHP_PAGE_SIZE 4096
#define VHP_MAX_RANGES 8
#define VHP_MAX_RATE 100000000
#define VHP_MIN_TSC_KHZ 1000
#define VHP_MAX_TSC_KHZ 100000000
#define VHP_LINE_WORDS 8
#define VHP_PATTERN_MUL 0x9e3779b97f4a7c15

/* These three are sums, which vmheat_payload.py makes itself. */
#define VHP_PAGE_ADDR (VHP_BASE + VHP_OFFSET_PAGE)
#define VHP_RAM_START (VHP_BASE + VHP_OFFSET_RAM)
#define VHP_RAM_MAX (VHP_BASE + VHP_SIZE_MAX)

#define VHP_MAGIC 0x31444c5941504856
#define VHP_VERSION 1

#define VHP_PHASE_STARTING 1
#define VHP_PHASE_FILLING 2
#define VHP_PHASE_READY 3
#define VHP_PHASE_FAILED 4

#define VHP_OFF_MAGIC 0x000
#define VHP_OFF_VERSION 0x008
#define VHP_OFF_PHASE 0x010
#define VHP_OFF_GO 0x018
#define VHP_OFF_STOP 0x020
#define VHP_OFF_STOPPED 0x028
#define VHP_OFF_VERIFY 0x030
#define VHP_OFF_VERIFIED 0x038
#define VHP_OFF_BAD_WORDS 0x040
#define VHP_OFF_FIRST_BAD 0x048
#define VHP_OFF_SLOT_SUM 0x050
#define VHP_OFF_RAM 0x058
#define VHP_OFF_FILL_END 0x060
#define VHP_OFF_SEED 0x068
#define VHP_OFF_TSC_KHZ 0x070
#define VHP_OFF_TSC_BOOT 0x078
#define VHP_OFF_TSC_START 0x080
#define VHP_OFF_TSC_NOW 0x088
#define VHP_OFF_RUNS 0x090
#define VHP_OFF_TOTAL_TOUCHES 0x098
#define VHP_OFF_TOTAL_WRITES 0x0a0
#define VHP_OFF_HOLE 0x0a8
#define VHP_OFF_RING 0x0b0
#define VHP_OFF_ERROR 0x100
#define VHP_OFF_RANGES 0x200
#define VHP_OFF_RECORDS 0x300
#define VHP_ERROR_SIZE 256
#define VHP_RANGE_SIZE 32
#define VHP_RECORD_SIZE 64

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

/** struct VhpRange - what to do to one stretch of memory; size 0: unused */
typedef struct VhpRange {
    uint64_t start; /* bytes, multiple of 4096 */
    uint64_t size;
    uint64_t rate; /* page touches a second; 0: as fast as possible */
    uint64_t write_percent;
} VhpRange;

/** struct VhpRecord - what was really done to a range since the last go */
typedef struct VhpRecord {
    uint64_t touches; /* reads + writes */
    uint64_t reads;
    uint64_t writes;
    uint64_t passes; /* times every page of the range was touched once more */
    uint64_t missed; /* touches dropped because the vCPU did not run */
    uint64_t reserved[3];
} VhpRecord;

/** struct VhpPage - the parameter page, in the order of VHP_OFF_* */
typedef struct VhpPage {
    uint64_t magic;
    uint64_t version;
    uint64_t phase;
    uint64_t go;
    uint64_t stop;
    uint64_t stopped;
    uint64_t verify;
    uint64_t verified;
    uint64_t bad_words; /* words that are not what they must be */
    uint64_t first_bad; /* guest-physical address of the first of them */
    uint64_t slot_sum;  /* must equal total_writes */
    uint64_t ram;
    uint64_t fill_end;
    uint64_t seed;
    uint64_t tsc_khz;
    uint64_t tsc_boot;      /* first instructions without privilege */
    uint64_t tsc_start;     /* last go */
    uint64_t tsc_now;       /* as of the record; keeps moving at rest */
    uint64_t runs;          /* how often go was accepted */
    uint64_t total_touches; /* since boot, over all runs */
    uint64_t total_writes;
    uint64_t hole; /* no RAM from here to 4 GiB; 0: no hole */
    uint64_t ring; /* privilege level it runs at: VHP_USER_RING */
    uint64_t reserved[9];
    char error[VHP_ERROR_SIZE];
    VhpRange ranges[VHP_MAX_RANGES];
    VhpRecord records[VHP_MAX_RANGES];
} VhpPage;

#define VHP_AT(field, off) \
    _Static_assert(offsetof(VhpPage, field) == (off), #field " moved")
VHP_AT(magic, VHP_OFF_MAGIC);
VHP_AT(version, VHP_OFF_VERSION);
VHP_AT(phase, VHP_OFF_PHASE);
VHP_AT(go, VHP_OFF_GO);
VHP_AT(stop, VHP_OFF_STOP);
VHP_AT(stopped, VHP_OFF_STOPPED);
VHP_AT(verify, VHP_OFF_VERIFY);
VHP_AT(verified, VHP_OFF_VERIFIED);
VHP_AT(bad_words, VHP_OFF_BAD_WORDS);
VHP_AT(first_bad, VHP_OFF_FIRST_BAD);
VHP_AT(slot_sum, VHP_OFF_SLOT_SUM);
VHP_AT(ram, VHP_OFF_RAM);
VHP_AT(fill_end, VHP_OFF_FILL_END);
VHP_AT(seed, VHP_OFF_SEED);
VHP_AT(tsc_khz, VHP_OFF_TSC_KHZ);
VHP_AT(tsc_boot, VHP_OFF_TSC_BOOT);
VHP_AT(tsc_start, VHP_OFF_TSC_START);
VHP_AT(tsc_now, VHP_OFF_TSC_NOW);
VHP_AT(runs, VHP_OFF_RUNS);
VHP_AT(total_touches, VHP_OFF_TOTAL_TOUCHES);
VHP_AT(total_writes, VHP_OFF_TOTAL_WRITES);
VHP_AT(hole, VHP_OFF_HOLE);
VHP_AT(ring, VHP_OFF_RING);
VHP_AT(error, VHP_OFF_ERROR);
VHP_AT(ranges, VHP_OFF_RANGES);
VHP_AT(records, VHP_OFF_RECORDS);
_Static_assert(sizeof(VhpRange) == VHP_RANGE_SIZE, "range size");
_Static_assert(sizeof(VhpRecord) == VHP_RECORD_SIZE, "record size");
_Static_assert(sizeof(VhpPage) <= VHP_PAGE_SIZE, "one page");
#undef VHP_AT
#endif /* __ASSEMBLER__ */

#endif
