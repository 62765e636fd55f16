/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static uint64_t now_ns(void *opaque)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static int memory_fd(RigKind kind, size_t size)
{
    int fd;

    if (kind == RIG_ANONYMOUS) {
        return -1;
    }
    fd = memfd_create("vmheat-rig",
                      MFD_CLOEXEC | (kind == RIG_HUGETLB ? MFD_HUGETLB : 0));
    if (fd >= 0 && ftruncate(fd, size)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* An aligned hole with nothing mapped around it that could be merged with. */
static uint8_t *aligned_hole(size_t size)
{
    size_t all = size + 4 * MIB;
    uint8_t *hole =
        mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *at = (uint8_t *)(((uintptr_t)hole + 4 * MIB - 1) & ~(2 * MIB - 1));

    g_assert_true(hole != MAP_FAILED);
    munmap(hole, at - hole);
    munmap(at + size, hole + all - (at + size));
    return at;
}

uint8_t *rig_memory(RigKind kind, size_t size)
{
    int flags =
        kind == RIG_SHARED || kind == RIG_HUGETLB ? MAP_SHARED : MAP_PRIVATE;
    int fd = memory_fd(kind, size);
    uint8_t *at = aligned_hole(size);
    void *p = mmap(
        at, size, PROT_READ | PROT_WRITE,
        flags | MAP_FIXED | (kind == RIG_ANONYMOUS ? MAP_ANONYMOUS : 0), fd, 0);

    if (fd >= 0) {
        close(fd);
    }
    return p == MAP_FAILED ? NULL : p;
}

VhMapSection rig_section(uint64_t gpa, uint8_t *hva, size_t size)
{
    return (VhMapSection){ .gpa = gpa,
                           .hva = hva,
                           .size = size,
                           .page_size = PAGE,
                           .shared = true,
                           .file_backed = true,
                           .block_size = size,
                           .name = "ram" };
}

VhMap *rig_map(const VhMapSection *sections, size_t n)
{
    VhMapSection *s = g_new(VhMapSection, n);
    memcpy(s, sections, n * sizeof(*s));

    for (size_t i = 0; i < n; i++) {
        s[i].name = g_strdup(s[i].name);
    }
    return vh_map_new(s, n);
}

static void map_released(VhMap *map)
{
    Rig *r = map->opaque;

    munmap(r->mem, r->size);
    __atomic_fetch_add(&r->releases, 1, __ATOMIC_SEQ_CST);
}

void rig_open(Rig *r, size_t size, bool with_vcpu)
{
    rig_open_as(r, "trap", RIG_SHARED, size, with_vcpu);
}

void rig_open_as(Rig *r, const char *name, RigKind kind, size_t size,
                 bool with_vcpu)
{
    VhMapSection s;
    char *why = NULL;

    *r = (Rig){ .ops = vh_primitive_find(name), .size = size };
    vcpu_start(&r->vcpu);
    r->host = (VhHost){ .clock = { .now_ns = now_ns },
                        .run_on_vcpu = with_vcpu ? vcpu_run_on : NULL,
                        .opaque = &r->vcpu };
    r->mem = rig_memory(kind, size);
    g_assert_nonnull(r->mem);
    rig_fill(r->mem, size);
    s = rig_section(RIG_GPA, r->mem, size);
    s.shared = kind == RIG_SHARED || kind == RIG_HUGETLB;
    s.file_backed = kind != RIG_ANONYMOUS;
    s.page_size = kind == RIG_HUGETLB ? 2 * MIB : PAGE;
    s.flags = kind == RIG_HUGETLB ? VH_SECTION_HUGETLB : 0;
    r->map = rig_map(&s, 1);
    r->map->release = map_released;
    r->map->opaque = r;
    r->trap = r->ops->open(&r->host, &why);
    g_assert_cmpstr(why, ==, NULL);
    g_assert_nonnull(r->trap);
}

void rig_set_map(Rig *r)
{
    char *why = NULL;
    bool ok = r->ops->set_map(r->trap, r->map, &why);

    g_assert_cmpstr(why, ==, NULL);
    g_assert_true(ok);
}

void rig_close(Rig *r)
{
    r->ops->release(r->trap);
    vh_map_unref(r->map);
    vcpu_stop(&r->vcpu);
    g_assert_cmpint(__atomic_load_n(&r->releases, __ATOMIC_SEQ_CST), ==, 1);
}

VhCheck rig_check(size_t page)
{
    return (VhCheck){ .gpa = RIG_GPA + page * PAGE, .cookie = page };
}

VhCheck rig_arm(Rig *r, size_t page)
{
    VhCheck c = rig_check(page);

    r->ops->arm(r->trap, &c, 1);
    return c;
}

VhCheckState rig_collect(Rig *r, VhCheck c)
{
    r->ops->collect(r->trap, &c, 1);
    return c.state;
}

VhPrimitiveStats rig_stats(Rig *r)
{
    VhPrimitiveStats st;

    r->ops->stats(r->trap, &st);
    return st;
}

void rig_touch(Rig *r, size_t page)
{
    (void)*(volatile uint8_t *)(r->mem + page * PAGE);
}

void rig_write(Rig *r, size_t page)
{
    volatile uint8_t *p = r->mem + page * PAGE;

    *p = *p;
}

bool rig_collapse(uint8_t *mem, size_t size)
{
    for (size_t i = 0; i < size; i += 2 * MIB) {
        if (madvise(mem + i, 2 * MIB, MADV_COLLAPSE)) {
            return false;
        }
        *(volatile uint8_t *)(mem + i) = mem[i];
    }
    return true;
}

void rig_fill(uint8_t *mem, size_t size)
{
    for (size_t i = 0; i < size / 8; i++) {
        ((uint64_t *)mem)[i] = i * 0x9e3779b97f4a7c15ULL + 1;
    }
}

void rig_assert_filled(const uint8_t *mem, size_t size)
{
    for (size_t i = 0; i < size / 8; i++) {
        if (((const uint64_t *)mem)[i] != i * 0x9e3779b97f4a7c15ULL + 1) {
            g_error("contents lost in page %zu", i / (size_t)(PAGE / 8));
        }
    }
}

static uint64_t resident_pages(void)
{
    g_autofree char *text = NULL;
    char *end;

    g_assert_true(g_file_get_contents("/proc/self/statm", &text, NULL, NULL));
    g_ascii_strtoull(text, &end, 10);
    return g_ascii_strtoull(end, NULL, 10);
}

bool rig_reads_take_memory(void)
{
    size_t pages = 4096;
    uint8_t *mem = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t before = resident_pages();
    uint64_t after;

    g_assert_true(mem != MAP_FAILED);
    for (size_t i = 0; i < pages; i++) {
        g_assert_cmpuint(((volatile uint8_t *)mem)[i * PAGE], ==, 0);
    }
    after = resident_pages();
    munmap(mem, pages * PAGE);
    return after > before + pages / 2;
}
