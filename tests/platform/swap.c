/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device is added (zram-control), not one that lies around: that may be
 * somebody's. A process of its own, in a session of its own, holds it: it waits
 * for the end of the pipe, which comes also when the test is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include "swap.h"

#define PAGE 4096U
#define CONTROL "/sys/class/zram-control/"

/* Page 0 of a swap area, from linux/swap.h. */
typedef struct Header {
    char bootbits[1024];
    uint32_t version;
    uint32_t last_page;
    uint32_t nr_badpages;
    char pad[PAGE - 1024 - 3 * sizeof(uint32_t) - 10];
    char magic[10];
} Header;

static bool put(const char *path, unsigned long value)
{
    FILE *f = fopen(path, "w");
    bool ok = f && fprintf(f, "%lu", value) > 0;

    return f && fclose(f) == 0 && ok;
}

static int add_device(void)
{
    FILE *f = fopen(CONTROL "hot_add", "r");
    int number = -1;

    if (f && fscanf(f, "%d", &number) != 1) {
        number = -1;
    }
    if (f) {
        fclose(f);
    }
    return number;
}

static bool write_header(const char *dev, size_t size)
{
    Header h = { .version = 1, .last_page = size / PAGE - 1 };
    int fd = open(dev, O_WRONLY | O_CLOEXEC);
    bool ok;

    memcpy(h.magic, "SWAPSPACE2", sizeof(h.magic));
    ok = fd >= 0 && write(fd, &h, sizeof(h)) == sizeof(h) && fsync(fd) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

static void remove_device(int number)
{
    char path[64];

    snprintf(path, sizeof(path), "/sys/block/zram%d/reset", number);
    put(path, 1);
    put(CONTROL "hot_remove", number);
}

/* The node may take udev a moment, or there is no udev. */
static bool prepare(int number, const char *dev, size_t size)
{
    char path[64];

    snprintf(path, sizeof(path), "/sys/block/zram%d/disksize", number);
    if (!put(path, size)) {
        return false;
    }
    for (int i = 0; i < 100 && access(dev, F_OK); i++) {
        usleep(10000);
    }
    return write_header(dev, size) && swapon(dev, 0) == 0;
}

/* The guard: says on @out that it is ready, waits for the end of @in. */
static void hold(int in, int out, size_t size)
{
    int number = add_device();
    char dev[32], answer;
    bool ok;

    setsid();
    signal(SIGPIPE, SIG_IGN);
    snprintf(dev, sizeof(dev), "/dev/zram%d", number);
    ok = number >= 0 && prepare(number, dev, size);
    answer = ok ? 'y' : 'n';
    if (write(out, &answer, 1) == 1) {
        while (read(in, &answer, 1) < 0 && errno == EINTR) {
        }
    }
    if (ok) {
        swapoff(dev);
    }
    if (number >= 0) {
        remove_device(number);
    }
    _exit(0);
}

bool swap_start(Swap *s, size_t size, const char **why)
{
    int down[2], up[2];
    char answer = 'n';

    if (access(CONTROL "hot_add", R_OK) || geteuid()) {
        *why = "a swap device of its own needs root and zram";
        return false;
    }
    if (pipe(down) || pipe(up) || (s->guard = fork()) < 0) {
        *why = "no pipe or process for the swap device";
        return false;
    }
    if (s->guard == 0) {
        close(down[1]);
        close(up[0]);
        hold(down[0], up[1], size);
    }
    close(down[0]);
    close(up[1]);
    s->pipe = down[1];
    fcntl(s->pipe, F_SETFD, FD_CLOEXEC);
    if (read(up[0], &answer, 1) != 1 || answer != 'y') {
        close(up[0]);
        swap_stop(s);
        *why = "the kernel gave no zram device for swap";
        return false;
    }
    close(up[0]);
    return true;
}

void swap_stop(Swap *s)
{
    close(s->pipe);
    waitpid(s->guard, NULL, 0);
}
