/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "actions/advise.h"

void *vh_advise_open(const VhActionEnv *env)
{
    return g_memdup2(env, sizeof(*env));
}

void vh_advise_close(void *a)
{
    g_free(a);
}

bool vh_advise_not_hugetlb(const VhMapSection *s, char **why)
{
    if (s->flags & VH_SECTION_HUGETLB) {
        *why = g_strdup_printf("%s is hugetlb memory, which the kernel leaves "
                               "as it is",
                               s->name);
        return false;
    }
    return true;
}

bool vh_advise_allocates(const VhMapSection *s, char **why)
{
    if (s->flags & VH_SECTION_UNPLUGS) {
        *why = g_strdup_printf("parts of %s may be unplugged (virtio-mem), and "
                               "must not be filled with memory again",
                               s->name);
        return false;
    }
    return true;
}

bool vh_advise_aligned(const VhMapSection *s, char **why)
{
    uintptr_t begin = (uintptr_t)s->hva - s->region_offset;

    if (s->file_backed && begin % VH_HUGE_SIZE) {
        *why = g_strdup_printf("%s does not begin at a multiple of 2 MiB in "
                               "QEMU's address space, so it cannot be of huge "
                               "pages: use -object memory-backend-file,"
                               "align=2M instead of a memfd",
                               s->name);
        return false;
    }
    return true;
}

bool vh_advise_passes(int err)
{
    return err == ENOMEM || err == EAGAIN || err == EBUSY || err == EINTR ||
           err == ENOSPC;
}

uint64_t vh_advise_chunk(const uint8_t *p, uint64_t size)
{
    uint64_t rest = VH_HUGE_SIZE - (uintptr_t)p % VH_HUGE_SIZE;

    return MIN(rest, size);
}

uint64_t vh_advise_lead(const uint8_t *p)
{
    return -(uintptr_t)p % VH_HUGE_SIZE;
}

VhApplied vh_advise(const VhActionEnv *env, const VhMapSection *s,
                    uint64_t offset, uint64_t size, uint64_t quantum,
                    int advice)
{
    uint64_t start = vh_clock_now(&env->clock);
    VhApplied r = { .size = MIN(size, quantum) };

    if (madvise(s->hva + offset, r.size, advice) == 0) {
        r.applied = r.size;
    } else if (vh_advise_passes(errno)) {
        r.error = errno;
    }
    r.spent_ns = vh_clock_now(&env->clock) - start;
    return r;
}

bool vh_advise_probe(int advice, const char *name, const char *since,
                     char **why)
{
    /* Of no bytes: only the advice is looked at. */
    if (madvise(NULL, 0, advice) == 0) {
        return true;
    }
    *why = g_strdup_printf("this kernel has no %s; Linux %s or later has", name,
                           since);
    return false;
}

bool vh_advise_huge_fits(const char *text, char **why)
{
    uint64_t size = text ? g_ascii_strtoull(text, NULL, 10) : 0;

    if (size && size != VH_HUGE_SIZE) {
        *why =
            g_strdup_printf("huge pages of this host are of %" G_GUINT64_FORMAT
                            " KiB; this action knows those of 2 MiB only",
                            size >> 10);
        return false;
    }
    return true;
}

bool vh_advise_probe_huge(char **why)
{
    g_autofree char *text =
        vh_advise_sysfs("transparent_hugepage/hpage_pmd_size");

    return vh_advise_huge_fits(text, why);
}

bool vh_advise_probe_populate(const VhActionEnv *env, const VhActionArgs *args,
                              char **why)
{
    return vh_advise_probe(MADV_POPULATE_READ, "MADV_POPULATE_READ", "5.14",
                           why);
}

uint64_t vh_swap_bytes(bool free_only)
{
    struct sysinfo now;

    if (sysinfo(&now) < 0) {
        return 0;
    }
    return (uint64_t)(free_only ? now.freeswap : now.totalswap) * now.mem_unit;
}

char *vh_advise_sysfs(const char *name)
{
    g_autofree char *path = g_strdup_printf("/sys/kernel/mm/%s", name);
    char *text = NULL, *open, *close;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return NULL;
    }
    g_strstrip(text);
    open = strchr(text, '[');
    close = open ? strchr(open, ']') : NULL;
    if (close) {
        *close = '\0';
        memmove(text, open + 1, close - open);
    }
    return text;
}
