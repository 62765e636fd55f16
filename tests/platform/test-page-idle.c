/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which descriptors are taken for the idle page bitmap and for pagemap. Wrong
 * ones are refused before anything is written to them.
 */
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "accel/page-idle.h"

#define BITMAP "/sys/kernel/mm/page_idle/bitmap"
#define NOT_BITMAP                                     \
    "the descriptor given as page-idle-bitmap is not " \
    "/sys/kernel/mm/page_idle/bitmap"
#define NOT_PAGEMAP                                          \
    "the descriptor given as pagemap is not the pagemap of " \
    "this QEMU"

typedef bool Verify(int fd, char **why);

static void refused(Verify *verify, int fd, const char *want)
{
    g_autofree char *why = NULL;

    g_assert_cmpint(fd, >=, 0);
    g_assert_false(verify(fd, &why));
    g_assert_cmpstr(why, ==, want);
    close(fd);
}

/* Full of what a bitmap might have in it. */
static int lookalike(void)
{
    static const char ones[4096] = { [0 ... 4095] = -1 };
    int fd = memfd_create("page_idle", MFD_CLOEXEC);

    g_assert_cmpint(pwrite(fd, ones, sizeof(ones), 0), ==, sizeof(ones));
    return fd;
}

static void test_not_bitmap(void)
{
    int fd = lookalike(), pipes[2];
    uint8_t byte;

    refused(vh_page_idle_verify_bitmap, dup(fd), NOT_BITMAP);
    g_assert_cmpint(pread(fd, &byte, 1, 0), ==, 1);
    g_assert_cmpuint(byte, ==, 0xff); /* nothing was written */
    close(fd);
    refused(vh_page_idle_verify_bitmap,
            open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), NOT_BITMAP);
    refused(vh_page_idle_verify_bitmap,
            open("/sys/kernel/mm/transparent_hugepage/enabled",
                 O_RDONLY | O_CLOEXEC),
            NOT_BITMAP);
    refused(vh_page_idle_verify_bitmap, open("/dev/null", O_RDWR | O_CLOEXEC),
            NOT_BITMAP);
    g_assert_cmpint(pipe(pipes), ==, 0);
    refused(vh_page_idle_verify_bitmap, pipes[0], NOT_BITMAP);
    close(pipes[1]);
}

static void test_not_pagemap(void)
{
    refused(vh_page_idle_verify_pagemap, lookalike(), NOT_PAGEMAP);
    refused(vh_page_idle_verify_pagemap,
            open("/proc/self/maps", O_RDONLY | O_CLOEXEC), NOT_PAGEMAP);
    refused(vh_page_idle_verify_pagemap, open("/dev/zero", O_RDWR | O_CLOEXEC),
            NOT_PAGEMAP);
}

/* A file of the right name, but on a disk. */
static void test_namesake(void)
{
    g_autofree char *dir = g_dir_make_tmp("vmheat-XXXXXX", NULL);
    g_autofree char *sub = g_build_filename(dir, "page_idle", NULL);
    g_autofree char *file = g_build_filename(sub, "bitmap", NULL);
    uint64_t word = 0;
    int fd;

    g_assert_cmpint(mkdir(sub, 0700), ==, 0);
    fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(write(fd, &word, sizeof(word)), ==, sizeof(word));
    refused(vh_page_idle_verify_bitmap, fd, NOT_BITMAP);
    unlink(file);
    rmdir(sub);
    rmdir(dir);
}

/* A file of the right name, but of another process. */
static void test_other_pagemap(void)
{
    /* What it has here is where the verification will look: the first gap. */
    uint8_t *page = mmap(NULL, VH_PAGE_SIZE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_autofree char *path = NULL;
    int fds[2], status;
    pid_t child;

    page[0] = 1;
    g_assert_cmpint(pipe(fds), ==, 0);
    child = fork();
    if (child == 0) {
        char c;

        close(fds[1]);
        _exit(read(fds[0], &c, 1));
    }
    close(fds[0]);
    munmap(page, VH_PAGE_SIZE);
    path = g_strdup_printf("/proc/%d/pagemap", child);
    refused(vh_page_idle_verify_pagemap, open(path, O_RDONLY | O_CLOEXEC),
            NOT_PAGEMAP);
    close(fds[1]);
    waitpid(child, &status, 0);
}

static void test_pagemap(void)
{
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    g_autofree char *why = NULL;

    if (!vh_page_idle_verify_pagemap(fd, &why)) {
        g_assert_cmpstr(why, ==,
                        "the descriptor given as pagemap shows no page frame "
                        "numbers; it must be opened by root (CAP_SYS_ADMIN)");
        g_assert_cmpint(geteuid(), !=, 0);
    }
    close(fd);
}

/* Opened without privilege: no page frame numbers. */
static void test_unprivileged(void)
{
    int status;
    pid_t child;

    if (geteuid() != 0) {
        g_test_skip("needs root to give privileges up");
        return;
    }
    child = fork();
    if (child == 0) {
        char *why = NULL;
        int fd;

        _exit(setuid(65534) || prctl(PR_SET_DUMPABLE, 1) ||
              (fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)) < 0 ||
              vh_page_idle_verify_pagemap(fd, &why) ||
              !strstr(why, "no page frame numbers"));
    }
    waitpid(child, &status, 0);
    g_assert_cmpint(status, ==, 0);
}

static void test_bitmap(void)
{
    g_autofree char *why = NULL;
    int fd = open(BITMAP, O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        g_test_skip("no " BITMAP " here, or no privilege");
        return;
    }
    g_assert_true(vh_page_idle_verify_bitmap(fd, &why));
    close(fd);
    refused(vh_page_idle_verify_bitmap, open(BITMAP, O_RDONLY | O_CLOEXEC),
            "the descriptor given as page-idle-bitmap is not open for reading "
            "and writing");
}

/* Hands out what @opaque, two descriptors, says. */
static bool granted(void *opaque, const char *what, int *fd)
{
    const int *fds = opaque;
    int which = g_str_equal(what, VH_GRANT_PAGEMAP);

    if (fd && fds[which] >= 0) {
        *fd = dup(fds[which]);
    }
    return fds[which] >= 0;
}

static unsigned open_fds(void)
{
    GDir *dir = g_dir_open("/proc/self/fd", 0, NULL);
    unsigned n = 0;

    while (g_dir_read_name(dir)) {
        n++;
    }
    g_dir_close(dir);
    return n;
}

static void test_take(void)
{
    int fds[2] = { -1, open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC) };
    VhHost host = { .granted = granted, .grant_opaque = fds };
    unsigned before = open_fds();
    char *why = NULL;
    VhPageIdle pi;

    g_assert_false(vh_page_idle_granted(&host));
    g_assert_false(vh_page_idle_take(&pi, &host, &why));
    g_assert_cmpstr(why, ==, "page-idle-bitmap was not granted");
    g_clear_pointer(&why, g_free);
    g_assert_cmpuint(open_fds(), ==, before);
    fds[0] = fds[1];
    g_assert_true(vh_page_idle_granted(&host));
    g_assert_false(vh_page_idle_take(&pi, &host, &why));
    g_assert_cmpstr(why, ==, NOT_BITMAP);
    g_clear_pointer(&why, g_free);
    g_assert_cmpuint(open_fds(), ==, before);
    fds[0] = open(BITMAP, O_RDWR | O_CLOEXEC);
    if (fds[0] >= 0 && vh_page_idle_verify_pagemap(fds[1], &why)) {
        g_assert_true(vh_page_idle_take(&pi, &host, &why));
        g_assert_cmpuint(open_fds(), ==, before + 3);
        vh_page_idle_close(&pi);
    }
    g_free(why);
    if (fds[0] >= 0) {
        close(fds[0]);
    }
    close(fds[1]);
    host.granted = NULL;
    why = NULL;
    g_assert_false(vh_page_idle_granted(&host));
    g_assert_false(vh_page_idle_take(&pi, &host, &why));
    g_free(why);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/page-idle/not-bitmap", test_not_bitmap);
    g_test_add_func("/page-idle/namesake", test_namesake);
    g_test_add_func("/page-idle/not-pagemap", test_not_pagemap);
    g_test_add_func("/page-idle/other-pagemap", test_other_pagemap);
    g_test_add_func("/page-idle/pagemap", test_pagemap);
    g_test_add_func("/page-idle/unprivileged", test_unprivileged);
    g_test_add_func("/page-idle/bitmap", test_bitmap);
    g_test_add_func("/page-idle/take", test_take);
    return g_test_run();
}
