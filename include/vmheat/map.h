/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest memory map as primitives see it: which guest-physical ranges are
 * RAM, and where they are mapped in this process.
 *
 * A map is immutable once built and reference counted. As long as anybody
 * holds a reference, every section stays mapped at the address it names: the
 * owner (hw/map.c) keeps the MemoryRegions alive until the last reference is
 * gone. That is what makes it safe to madvise() from another thread while
 * QEMU hot-unplugs a DIMM.
 */
#ifndef VMHEAT_MAP_H
#define VMHEAT_MAP_H

#include "vmheat/types.h"

/** VhMapSection::flags: parts may be unplugged just now (virtio-mem) */
#define VH_SECTION_UNPLUGS (1u << 0)

/** VhMapSection::flags: a device may access it behind the host's back (VFIO) */
#define VH_SECTION_PINNED (1u << 1)

/** VhMapSection::flags: firmware's, or else not the guest's to use freely: may
 * be watched, is never acted on */
#define VH_SECTION_RESERVED (1u << 2)

/** VhMapSection::flags: of hugetlb pages, so larger than the host's own */
#define VH_SECTION_HUGETLB (1u << 3)

/**
 * struct VhLabel - what the user of QEMU knows memory as
 * @backend: id of the memory backend; NULL: none
 * @device: id of the memory device (DIMM, NVDIMM, virtio-mem, virtio-pmem);
 *          NULL: main memory, or a device without an id
 * @reserved: with VH_SECTION_RESERVED: why, as hw/ numbers reasons
 */
typedef struct VhLabel {
    char *backend;
    char *device;
    int reserved;
} VhLabel;

/**
 * struct VhMapSection - one run of guest RAM, contiguous in GPA and in HVA
 * @gpa: guest-physical start; multiple of VH_PAGE_SIZE
 * @size: bytes; multiple of VH_PAGE_SIZE
 * @hva: address in this process
 * @page_size: page size of the mapping: the host's (4, 16 or 64 KiB), or with
 *             VH_SECTION_HUGETLB hugetlb's
 * @shared: QEMU says the RAMBlock is mapped MAP_SHARED
 * @file_backed: the RAMBlock has a file descriptor (memfd, shmem, file)
 * @block_size: bytes of the whole RAMBlock, of which this is a part
 * @name: RAMBlock id; lives as long as the map
 * @region: QEMU's MemoryRegion, for hw/ only; NULL in tests
 * @region_offset: where in @region the section begins
 * @flags: VH_SECTION_* bits
 * @node: NUMA node of the guest plus one; 0 when there is none
 * @label: owned by the section; NULL: nothing is known
 */
typedef struct VhMapSection {
    uint64_t gpa;
    uint64_t size;
    uint8_t *hva;
    uint64_t page_size;
    bool shared;
    bool file_backed;
    uint64_t block_size;
    char *name;
    void *region;
    uint64_t region_offset;
    uint32_t flags;
    uint32_t node;
    VhLabel *label;
} VhMapSection;

/**
 * struct VhMap - immutable set of sections, sorted by GPA
 * @refs: atomic reference count
 * @nr: length of @sections
 * @sections: sorted, not overlapping
 * @release: called once when the last reference goes, from whichever thread
 *           dropped it, before @sections is freed; may be NULL
 * @opaque: for @release
 */
typedef struct VhMap {
    int refs;
    size_t nr;
    VhMapSection *sections;
    void (*release)(struct VhMap *map);
    void *opaque;
} VhMap;

/** vh_section_copy() - a copy that owns its strings, for vh_section_clear() */
VhMapSection vh_section_copy(const VhMapSection *s);

/** vh_section_clear() - free what a section owns */
void vh_section_clear(VhMapSection *s);

/** vh_map_new() - takes ownership of @sections (g_new) and sorts them */
VhMap *vh_map_new(VhMapSection *sections, size_t nr);

/** vh_map_ref() - one more reference; any thread; NULL is allowed */
VhMap *vh_map_ref(VhMap *m);

/** vh_map_unref() - drop a reference; any thread; NULL is allowed */
void vh_map_unref(VhMap *m);

/** vh_map_find() - the section that holds @gpa, or NULL; O(log n) */
const VhMapSection *vh_map_find(const VhMap *m, uint64_t gpa);

/**
 * vh_map_contains() - is all memory of @old in @now too, mapped where it was?
 *
 * It does not matter how either is cut into sections.
 */
bool vh_map_contains(const VhMap *now, const VhMap *old);

/** vh_map_same_reserved() - is the same memory reserved in both? */
bool vh_map_same_reserved(const VhMap *a, const VhMap *b);

/** vh_map_total() - bytes of all sections */
uint64_t vh_map_total(const VhMap *m);

#endif
