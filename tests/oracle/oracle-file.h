/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The oracle's file: how often a guest accessed each 4 KiB page of its RAM.
 *
 *   offset          what
 *   0               words of 64 bits, little endian, at VHO_OFF_*; then zeroes
 *   VHO_HEADER_SIZE data[pages]: loads and stores of each page, 64 bits each
 *   after that      code[pages]: executions of translation blocks that have
 *                   code in the page
 *
 * Page N has the guest-physical addresses [N * 4096, (N + 1) * 4096), if guest
 * RAM has no hole below: see oracle.c. Counters only ever grow, each by an
 * atomic increment, so a reader may take a copy at any time. magic is written
 * last: a file without it is not ready.
 *
 * oracle_file.py reads the #defines of this file: keep each on one line, with
 * a plain number.
 */
#ifndef VHO_ORACLE_FILE_H
#define VHO_ORACLE_FILE_H

#define VHO_MAGIC 0x314c4341524f4856
#define VHO_VERSION 1
#define VHO_HEADER_SIZE 4096
#define VHO_PAGE_SIZE 4096
#define VHO_MAX_SIZE 0x80000000

#define VHO_OFF_MAGIC 0
#define VHO_OFF_VERSION 8
#define VHO_OFF_PAGES 16
#define VHO_OFF_IO 24
#define VHO_OFF_OTHER 32

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

/** struct VhoHeader - in the order of VHO_OFF_* */
typedef struct VhoHeader {
    uint64_t magic;
    uint64_t version;
    uint64_t pages;
    uint64_t io;    /* loads and stores of devices, counted nowhere else */
    uint64_t other; /* of memory that is not guest RAM: ROM, video */
} VhoHeader;

#define VHO_AT(field, off) \
    _Static_assert(offsetof(VhoHeader, field) == (off), #field " moved")
VHO_AT(magic, VHO_OFF_MAGIC);
VHO_AT(version, VHO_OFF_VERSION);
VHO_AT(pages, VHO_OFF_PAGES);
VHO_AT(io, VHO_OFF_IO);
VHO_AT(other, VHO_OFF_OTHER);
#endif

#endif
