/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the actions that only tell the kernel something have in common.
 */
#ifndef VMHEAT_ACTIONS_ADVISE_H
#define VMHEAT_ACTIONS_ADVISE_H

#include <sys/mman.h>

#include "vmheat/action.h"

/* Of Linux 5.4, 5.14 and 6.1; older C libraries lack them. */
#ifndef MADV_COLD
#define MADV_COLD 20
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/** VH_HUGE_SIZE - bytes of a huge page (x86-64, and arm64 with 4 KiB pages) */
#define VH_HUGE_SIZE (2ULL << 20)

/**
 * vh_advise_probe_huge() - are huge pages of this host of VH_HUGE_SIZE?
 *
 * They are of 32 and 512 MiB where pages are of 16 and 64 KiB. False and @why
 * (g_free) then; a kernel that does not tell has the usual ones.
 */
bool vh_advise_probe_huge(char **why);

/** vh_advise_huge_fits() - the same, of what the kernel tells (hpage_pmd_size);
 * NULL: nothing */
bool vh_advise_huge_fits(const char *text, char **why);

/** vh_advise_open() - VhActionOps.open of actions whose state is @env */
void *vh_advise_open(const VhActionEnv *env);

/** vh_advise_close() - their VhActionOps.close */
void vh_advise_close(void *a);

/** vh_advise_not_hugetlb() - VhActionOps.suits: the kernel manages the pages */
bool vh_advise_not_hugetlb(const VhMapSection *s, char **why);

/** vh_advise_allocates() - VhActionOps.suits: may fill holes of the memory */
bool vh_advise_allocates(const VhMapSection *s, char **why);

/** vh_advise_aligned() - can it be of huge pages, as it lies in this process?
 * Those of a file need the same place within 2 MiB in both; false and @why
 * (g_free) */
bool vh_advise_aligned(const VhMapSection *s, char **why);

/** vh_advise_passes() - is this errno one that may pass? */
bool vh_advise_passes(int err);

/** vh_advise_chunk() - bytes up to the next huge page boundary; at most @size
 */
uint64_t vh_advise_chunk(const uint8_t *p, uint64_t size);

/** vh_advise_lead() - bytes up to the next huge page boundary; 0 on one */
uint64_t vh_advise_lead(const uint8_t *p);

/**
 * vh_advise() - one madvise() of at most @quantum bytes
 * @env: for the clock
 *
 * What the range is not fit for (EINVAL: locked memory, say) is not applied and
 * no error.
 */
VhApplied vh_advise(const VhActionEnv *env, const VhMapSection *s,
                    uint64_t offset, uint64_t size, uint64_t quantum,
                    int advice);

/**
 * vh_advise_probe() - does this kernel know @advice?
 * @name: of it
 * @since: version of Linux
 * @why: out, when it does not (g_free)
 */
bool vh_advise_probe(int advice, const char *name, const char *since,
                     char **why);

/** vh_advise_probe_populate() - VhActionOps.probe: MADV_POPULATE_READ is known
 */
bool vh_advise_probe_populate(const VhActionEnv *env, const VhActionArgs *args,
                              char **why);

/** vh_swap_bytes() - swap space of the host, all or what is free. Asked for
 * each quantum, so no text is read. */
uint64_t vh_swap_bytes(bool free_only);

/**
 * vh_advise_sysfs() - the first line of a file below /sys/kernel/mm
 *
 * Of a choice ("a [b] c") the word in brackets. NULL: no such file (g_free).
 */
char *vh_advise_sysfs(const char *name);

#endif
