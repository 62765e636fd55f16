/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A primitive on real memory, without QEMU: "guest RAM" is memory of this
 * process, and guest-physical addresses begin at RIG_GPA.
 */
#ifndef VMHEAT_TESTS_RIG_H
#define VMHEAT_TESTS_RIG_H

#include "vcpu.h"
#include "vmheat/primitive.h"

#define RIG_GPA 0x40000000ULL
#define MIB (1ULL << 20)
#define PAGE VH_PAGE_SIZE

/** enum RigKind - what the memory really is, whatever the map says */
typedef enum RigKind {
    RIG_SHARED,    /* shared memfd */
    RIG_PRIVATE,   /* private memfd */
    RIG_ANONYMOUS, /* private anonymous */
    RIG_HUGETLB,   /* shared hugetlb memfd */
} RigKind;

/**
 * struct Rig - a primitive under test
 * @ops: the primitive, mostly the trap
 * @host: what it was opened with
 * @vcpu: runs for host.run_on_vcpu when opened with it
 * @trap: its state
 * @mem: memory of the map, 2 MiB aligned
 * @size: of @mem
 * @map: one reference
 * @releases: how often the map's release hook was called (atomic)
 */
typedef struct Rig {
    const VhPrimitiveOps *ops;
    VhHost host;
    Vcpu vcpu;
    void *trap;
    uint8_t *mem;
    size_t size;
    VhMap *map;
    int releases;
} Rig;

/** rig_memory() - 2 MiB aligned, zeroed; NULL when there is none of @kind */
uint8_t *rig_memory(RigKind kind, size_t size);

/** rig_section() - one that claims to be shared and of a file */
VhMapSection rig_section(uint64_t gpa, uint8_t *hva, size_t size);

/** rig_map() - a map of copies of @sections */
VhMap *rig_map(const VhMapSection *sections, size_t n);

/** rig_open() - opens the trap with @size bytes of shared RAM; no map is set */
void rig_open(Rig *r, size_t size, bool with_vcpu);

/** rig_open_as() - the same for primitive @name and memory of @kind */
void rig_open_as(Rig *r, const char *name, RigKind kind, size_t size,
                 bool with_vcpu);

/** rig_set_map() - hands it the map; must be accepted */
void rig_set_map(Rig *r);

/** rig_close() - releases all; the memory goes with the map */
void rig_close(Rig *r);

/** rig_check() - a new check of page @page */
VhCheck rig_check(size_t page);

/** rig_arm() - arm one page and return its check */
VhCheck rig_arm(Rig *r, size_t page);

/** rig_collect() - collect one check and return what became of it */
VhCheckState rig_collect(Rig *r, VhCheck c);

/** rig_stats() - the trap's counters */
VhPrimitiveStats rig_stats(Rig *r);

/** rig_touch() - read a byte of page @page */
void rig_touch(Rig *r, size_t page);

/** rig_write() - write a byte of page @page, contents unchanged */
void rig_write(Rig *r, size_t page);

/** rig_collapse() - huge pages below all of @mem, whatever the settings say */
bool rig_collapse(uint8_t *mem, size_t size);

/** rig_fill() - give every page contents of its own */
void rig_fill(uint8_t *mem, size_t size);

/** rig_assert_filled() - nothing of it was lost */
void rig_assert_filled(const uint8_t *mem, size_t size);

/**
 * rig_reads_take_memory() - does this kernel give anonymous memory that is only
 *                           read pages of its own?
 *
 * Linux maps the page of zeroes there, and then it takes none; some kernels of
 * virtual machines do not. Told by what this process has resident.
 */
bool rig_reads_take_memory(void);

#endif
