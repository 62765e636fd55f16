/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the small programs that pin down one kernel behaviour each; CI runs them
 * and so does "vmheat doctor". Each prints a line on standard output, what was
 * seen, and maybe more:
 *   fix: what to do about it
 *   needs: privilege     (a user with more rights could see it)
 * Exit status 0: works. 77: this machine cannot show it; the line is
 * "skipped: reason". 1: it differs from what vmheat relies on; standard error
 * says what was seen.
 */
#ifndef VMHEAT_TESTS_CHECK_H
#define VMHEAT_TESTS_CHECK_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "accel/pagemap.h"

#define PAGE 4096UL
#define HUGE (2UL << 20)

/* Like assert(), but it is never compiled out and says what was expected. */
#define CHECK(cond, ...)                                          \
    do {                                                          \
        if (!(cond)) {                                            \
            check_failed(__FILE__, __LINE__, #cond, __VA_ARGS__); \
        }                                                         \
    } while (0)

#define SKIP(...) check_skip(NULL, __VA_ARGS__)
#define SKIP_FIX(fix, ...) check_skip("fix: " fix, __VA_ARGS__)
#define SKIP_PRIVILEGE(fix, ...) \
    check_skip("fix: " fix "\nneeds: privilege", __VA_ARGS__)

static inline void check_failed(const char *file, int line, const char *cond,
                                const char *format, ...)
    __attribute__((format(printf, 4, 5), noreturn));
static inline void check_skip(const char *more, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));
static inline void check_seen(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

static inline void check_failed(const char *file, int line, const char *cond,
                                const char *format, ...)
{
    int err = errno; /* maybe of something that came before */
    const char *slash = strrchr(file, '/');
    va_list ap;

    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fprintf(stderr, " (%s:%d: %s", slash ? slash + 1 : file, line, cond);
    if (err) {
        fprintf(stderr, "; errno %d: %s", err, strerror(err));
    }
    fprintf(stderr, ")\n");
    exit(1);
}

static inline void check_skip(const char *more, const char *format, ...)
{
    va_list ap;

    printf("skipped: ");
    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
    printf("%s%s\n", more ? "\n" : "", more ? more : "");
    exit(77);
}

/* The one line of a program that succeeds. */
static inline void check_seen(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
    putchar('\n');
}

static inline void *check_mmap(size_t len, int flags, int fd)
{
    void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, 0);

    CHECK(p != MAP_FAILED, "mmap of %zu bytes", len);
    return p;
}

static inline int check_memfd(size_t len, unsigned flags)
{
    int fd = memfd_create("vmheat-platform", MFD_CLOEXEC | flags);

    CHECK(fd >= 0, "memfd_create");
    CHECK(ftruncate(fd, len) == 0, "ftruncate to %zu", len);
    return fd;
}

static inline void *check_mmap_at(void *at, size_t len, int fd)
{
    void *p =
        mmap(at, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);

    CHECK(p == at, "mmap of %zu bytes at %p", len, at);
    return p;
}

/* A shared memfd mapping of @len bytes at a multiple of @align. */
static inline uint8_t *check_shared(size_t len, size_t align)
{
    uint8_t *hole = check_mmap(len + align, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    uint8_t *at = (uint8_t *)(((uintptr_t)hole + align - 1) & ~(align - 1));

    return check_mmap_at(at, len, check_memfd(len, 0));
}

static inline void check_fill(uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        p[i] = i * 31 + i / PAGE * 7 + 1;
    }
}

static inline void check_filled(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t want = i * 31 + i / PAGE * 7 + 1;

        CHECK(p[i] == want, "byte %zu is %u, not %u", i, p[i], want);
    }
}

static inline VhPagemap check_pagemap(void)
{
    VhPagemap pm;
    char *why = NULL;

    CHECK(vh_pagemap_open(&pm, &why), "%s", why);
    return pm;
}

static inline size_t check_count(const VhPagemap *pm, const uint8_t *p,
                                 size_t pages)
{
    size_t n = 0;

    for (size_t i = 0; i < pages; i++) {
        n += vh_pagemap_present(pm, p + i * PAGE);
    }
    return n;
}

#endif
