/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What QEMU and the helper "vmheat grant --damon" say to each other.
 *
 * They are two ends of a socketpair(AF_UNIX, SOCK_SEQPACKET) on one host: one
 * message is one packet, in the host's byte order. Addresses are virtual
 * addresses of QEMU.
 *
 *   QEMU -> helper   WATCH    watch these ranges, instead of any before
 *                    STOP     watch nothing
 *   helper -> QEMU   REGIONS  a part of a snapshot; parts come in order
 *                    ERROR    a sentence; the helper ends after that
 *
 * QEMU gives each WATCH another id, which REGIONS repeat: what belongs to an
 * earlier one is thrown away. A snapshot of which a part is missing (the
 * helper never waits for QEMU to read) is thrown away too.
 *
 * Neither trusts the other: every message is checked before anybody looks
 * into it, and one that is wrong ends the connection. The helper is told no
 * process: it was started for one.
 *
 * Another version changes VH_DAMON_VERSION. The header never changes.
 */
#ifndef VMHEAT_ACCEL_DAMON_WIRE_H
#define VMHEAT_ACCEL_DAMON_WIRE_H

#include "vmheat/types.h"

#define VH_DAMON_MAGIC 0x54484d56U /* "VMHT" */
#define VH_DAMON_VERSION 1
#define VH_DAMON_RANGES_MAX 1024U /* in a WATCH */
#define VH_DAMON_PART_MAX 512U    /* regions in a message */
#define VH_DAMON_REGIONS_MAX 8192U /* regions in a snapshot */
#define VH_DAMON_TEXT_MAX 512U

/* What may be asked of the kernel. It clears accessed bits without flushing
 * the TLB: a shorter interval sees little. The helper cannot be interrupted
 * for up to two aggregations: a longer one would make it deaf. */
#define VH_DAMON_SAMPLING_US_MIN 5000ULL
#define VH_DAMON_SAMPLING_US_MAX 10000000ULL
#define VH_DAMON_AGGREGATION_US_MAX 60000000ULL
#define VH_DAMON_NR_REGIONS_MAX 4096U

/** enum VhDamonType - kinds of message */
typedef enum VhDamonType {
    VH_DAMON_WATCH = 1,
    VH_DAMON_STOP,
    VH_DAMON_REGIONS,
    VH_DAMON_ERROR,
} VhDamonType;

/**
 * struct VhDamonHeader - begins every message
 * @magic: VH_DAMON_MAGIC
 * @version: VH_DAMON_VERSION
 * @type: enum VhDamonType
 */
typedef struct VhDamonHeader {
    uint32_t magic;
    uint16_t version;
    uint16_t type;
} VhDamonHeader;

/**
 * struct VhDamonWatch - VH_DAMON_WATCH
 * @header: see above
 * @id: any number, but not that of another WATCH of this connection
 * @sampling_us: as DAMON's attributes of that name; and so on
 * @aggregation_us: not less than @sampling_us
 * @update_us: not less than @aggregation_us
 * @min_regions: 3 or more
 * @max_regions: @min_regions or more
 * @nr: length of @ranges; 1 or more
 * @reserved: 0
 * @ranges: sorted, not overlapping, whole pages
 */
typedef struct VhDamonWatch {
    VhDamonHeader header;
    uint64_t id;
    uint64_t sampling_us;
    uint64_t aggregation_us;
    uint64_t update_us;
    uint32_t min_regions;
    uint32_t max_regions;
    uint32_t nr;
    uint32_t reserved;
    VhRange ranges[VH_DAMON_RANGES_MAX];
} VhDamonWatch;

/**
 * struct VhDamonRegion - a region of DAMON's
 * @start: whole pages
 * @end: above @start
 * @nr_accesses: at most VhDamonRegions::max_nr_accesses
 * @age: aggregation intervals
 */
typedef struct VhDamonRegion {
    uint64_t start;
    uint64_t end;
    uint32_t nr_accesses;
    uint32_t age;
} VhDamonRegion;

/**
 * struct VhDamonRegions - VH_DAMON_REGIONS: part of a snapshot
 * @header: see above
 * @id: of the WATCH
 * @snapshot: counts the snapshots of a WATCH, from 1
 * @taken_ns: CLOCK_MONOTONIC when the kernel told them
 * @sampling_us: the intervals in force
 * @aggregation_us: not less than @sampling_us
 * @max_nr_accesses: not 0
 * @total: regions of the whole snapshot
 * @first: number of the first one here
 * @nr: regions here; not 0 unless @total is
 * @regions: sorted, not overlapping
 */
typedef struct VhDamonRegions {
    VhDamonHeader header;
    uint64_t id;
    uint64_t snapshot;
    uint64_t taken_ns;
    uint64_t sampling_us;
    uint64_t aggregation_us;
    uint32_t max_nr_accesses;
    uint32_t total;
    uint32_t first;
    uint32_t nr;
    VhDamonRegion regions[VH_DAMON_PART_MAX];
} VhDamonRegions;

/**
 * struct VhDamonError - VH_DAMON_ERROR
 * @header: see above
 * @text: UTF-8, as long as the message is; no NUL
 */
typedef struct VhDamonError {
    VhDamonHeader header;
    char text[VH_DAMON_TEXT_MAX];
} VhDamonError;

/** union VhDamonMessage - room for any message */
typedef union VhDamonMessage {
    VhDamonHeader header;
    VhDamonWatch watch;
    VhDamonRegions regions;
    VhDamonError error;
} VhDamonMessage;

/** enum VhDamonGot - what vh_damon_receive() found */
typedef enum VhDamonGot {
    VH_DAMON_GOT,     /* a message */
    VH_DAMON_NOTHING, /* there is none just now */
    VH_DAMON_CLOSED,  /* the other end is closed */
    VH_DAMON_BAD,     /* a message that is none */
} VhDamonGot;

/** vh_damon_header() - header of a message of our version */
VhDamonHeader vh_damon_header(VhDamonType type);

/** vh_damon_attrs() - the nearest attributes that may be asked for */
VhAttrs vh_damon_attrs(const VhAttrs *asked);

/** vh_damon_error() - make @m say @text, shortened if need be; its length */
size_t vh_damon_error(VhDamonMessage *m, const char *text);

/** vh_damon_length() - bytes of a message that is right, an ERROR excepted */
size_t vh_damon_length(const VhDamonMessage *m);

/**
 * vh_damon_check() - may @m, of which @length bytes came, be looked into?
 *
 * Else @why: a sentence (g_free).
 */
bool vh_damon_check(const VhDamonMessage *m, size_t length, char **why);

/**
 * vh_damon_send() - send @length bytes of @m; never waits
 *
 * Returns 0, or an errno: EAGAIN when the other end does not read.
 */
int vh_damon_send(int fd, const VhDamonMessage *m, size_t length);

/**
 * vh_damon_receive() - take one message and check it; never waits
 * @text: out, may be NULL: the sentence of an ERROR (g_free)
 * @why: out: for VH_DAMON_BAD, a sentence (g_free)
 */
VhDamonGot vh_damon_receive(int fd, VhDamonMessage *m, char **text, char **why);

/** vh_damon_is_socket() - is @fd a socket of the right type? */
bool vh_damon_is_socket(int fd);

#endif
