/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mremap() of a shared mapping with an old size of 0 makes another mapping of
 * the same pages (mremap(2)). It shares nothing with the first but the pages:
 * to unmap a page in it concerns no vCPU.
 *
 * But it is of the same process, and the kernel interrupts every CPU that runs
 * one of its threads, vCPUs too, when a TLB may hold what it unmaps. So it is
 * read-only before anything is mapped in it: else the kernel marks what is
 * mapped there as dirty as the page is (Linux 6.10), and flushes for each page
 * that it writes to swap. vh_alias_conceal() takes even the read access away:
 * of what no TLB can hold none is flushed. Measured, for 2 MiB: 512
 * interruptions of a vCPU when writable, 12 when read-only, 9 when hidden.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "accel/proc-maps.h"
#include "actions/advise.h"
#include "actions/alias.h"
#include "actions/resident.h"

#define ALIGN (2ULL << 20)

bool vh_alias_proves_shared(const VhMapSection *s)
{
    g_autofree char *why = NULL, *maps = NULL;

    if (!s->shared || !s->file_backed) {
        return false;
    }
    maps = vh_proc_maps_read(&why);
    return maps && vh_proc_maps_shared(maps, (uintptr_t)s->hva,
                                       (uintptr_t)s->hva + s->size);
}

/* Address space for @s and, before it, what aligning may need. */
static uint8_t *reserve(uint64_t size)
{
    uint8_t *p = mmap(NULL, size, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

/*
 * Another mapping of locked memory would be locked, too, and be filled at once.
 * A process that locks memory locks all of it (-overcommit mem-lock=on).
 */
static bool is_locked(const VhMapSection *s)
{
    g_autofree char *status = NULL;
    const char *line;

    if (!g_file_get_contents("/proc/self/status", &status, NULL, NULL)) {
        return true; /* who knows */
    }
    line = strstr(status, "VmLck:");
    return line && g_ascii_strtoull(line + strlen("VmLck:"), NULL, 10) * 1024 >=
                       s->size;
}

/*
 * Gives back what is reserved beside [@want, @want + @size). That itself may be
 * somebody else's by now: mremap() unmaps it before it can fail.
 */
static void unreserve_rest(uint8_t *room, uint8_t *want, uint64_t size)
{
    uint64_t lead = want - room;

    if (lead) {
        munmap(room, lead);
    }
    munmap(want + size, ALIGN - lead);
}

/* Of memory that is proved shared. */
static bool open_alias(VhAlias *alias, const VhMapSection *s)
{
    uint8_t *room, *want, *got;
    uint64_t lead;

    room = is_locked(s) ? NULL : reserve(s->size + ALIGN);
    if (!room) {
        return false;
    }
    lead = ((uintptr_t)s->hva - (uintptr_t)room) % ALIGN;
    want = room + lead;
    got = mremap(s->hva, 0, s->size, MREMAP_MAYMOVE | MREMAP_FIXED, want);
    unreserve_rest(room, want, s->size);
    if (got == MAP_FAILED) {
        return false;
    }
    if (mprotect(got, s->size, PROT_READ) < 0) {
        munmap(got, s->size);
        return false;
    }
    alias->section = s;
    alias->addr = want;
    return true;
}

bool vh_alias_of(VhAlias *alias, const VhMapSection *s)
{
    if (alias->asked == s) {
        return alias->section == s;
    }
    vh_alias_close(alias);
    alias->asked = s;
    return vh_alias_proves_shared(s) && open_alias(alias, s);
}

uint8_t *vh_alias_show(const VhAlias *alias, uint64_t offset, uint64_t size,
                       const uint64_t *bits)
{
    uint8_t *addr = alias->addr + offset;

    if (madvise(alias->section->hva + offset, size, MADV_DONTNEED) < 0) {
        return NULL;
    }
    if (vh_populate(addr, size / VH_PAGE_SIZE, bits)) {
        vh_alias_forget(alias, offset, size);
        return NULL;
    }
    return addr;
}

bool vh_alias_conceal(const VhAlias *alias, uint64_t offset, uint64_t size)
{
    return mprotect(alias->addr + offset, size, PROT_NONE) == 0;
}

void vh_alias_forget(const VhAlias *alias, uint64_t offset, uint64_t size)
{
    madvise(alias->addr + offset, size, MADV_DONTNEED);
    mprotect(alias->addr + offset, size, PROT_READ);
}

void vh_alias_close(VhAlias *alias)
{
    if (alias->section) {
        munmap(alias->addr, alias->section->size);
    }
    *alias = (VhAlias){ 0 };
}
