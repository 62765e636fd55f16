/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compat/qemu.h"
#include "accel/damon-wire.h"
#include "accel/page-idle.h"
#include "hw/grants.h"

static const char *const names[VMHEAT_GRANTS] = {
    VH_GRANT_PAGE_IDLE,
    VH_GRANT_PAGEMAP,
    VH_GRANT_DAMON,
};

static int index_of(const char *what)
{
    for (int i = 0; i < VMHEAT_GRANTS; i++) {
        if (g_str_equal(names[i], what)) {
            return i;
        }
    }
    return -1;
}

/* VhHost::granted; any thread. */
static bool granted(void *opaque, const char *what, int *fd)
{
    VmheatGrants *g = opaque;
    int i = index_of(what);

    QEMU_LOCK_GUARD(&g->lock);
    if (i < 0 || g->fds[i] < 0) {
        return false;
    }
    if (fd) {
        *fd = fcntl(g->fds[i], F_DUPFD_CLOEXEC, 0);
    }
    return !fd || *fd >= 0;
}

void vmheat_grants_init(VmheatGrants *g, VhHost *host)
{
    qemu_mutex_init(&g->lock);
    for (int i = 0; i < VMHEAT_GRANTS; i++) {
        g->fds[i] = -1;
    }
    host->granted = granted;
    host->grant_opaque = g;
}

void vmheat_grants_destroy(VmheatGrants *g)
{
    for (int i = 0; i < VMHEAT_GRANTS; i++) {
        vmheat_grants_set(g, names[i], -1);
    }
    qemu_mutex_destroy(&g->lock);
}

bool vmheat_grants_check(const char *what, int fd, Error **errp)
{
    g_autofree char *why = NULL;
    bool ok;

    if (g_str_equal(what, VH_GRANT_PAGE_IDLE)) {
        ok = vh_page_idle_verify_bitmap(fd, &why);
    } else if (g_str_equal(what, VH_GRANT_PAGEMAP)) {
        ok = vh_page_idle_verify_pagemap(fd, &why);
    } else {
        ok = vh_damon_is_socket(fd);
        why = ok ? NULL
                 : g_strdup("the descriptor given as " VH_GRANT_DAMON
                            " is not the socket of 'vmheat grant --damon'");
    }
    if (!ok) {
        error_setg(errp, "%s", why);
    }
    return ok;
}

void vmheat_grants_set(VmheatGrants *g, const char *what, int fd)
{
    int i = index_of(what);

    assert(i >= 0);
    QEMU_LOCK_GUARD(&g->lock);
    if (g->fds[i] >= 0) {
        close(g->fds[i]);
    }
    g->fds[i] = fd;
}
