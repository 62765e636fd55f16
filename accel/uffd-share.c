/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * The kernel lets only one userfaultfd have a range, and trap and uffd-wp may
 * be in use at the same time. So they share one, and each range is registered
 * as long as anybody holds it. Ranges are whole sections of guest memory, but
 * as the memory map changes one primitive may still hold those of the old map
 * while the other holds those of the new: they overlap in any way. So a list
 * of all holds is kept, and on a drop just that is unregistered which no hold
 * covers any more. There are a few dozen at most.
 *
 * It is opened with WP_ASYNC if the kernel has it. Without any page being
 * protected that makes no difference to trap.
 */
#include <errno.h>
#include <glib.h>
#include <unistd.h>

#include "accel/uffd-share.h"
#include "accel/uffd.h"

typedef struct Hold {
    uintptr_t start;
    uintptr_t end;
} Hold;

struct VhUffd {
    int refs; /* atomic */
    bool tried;
    int fd;    /* -1: there is none */
    int error; /* why it is not asynchronous */
    GArray *holds;
};

VhUffd *vh_uffd_new(void)
{
    VhUffd *u = g_new0(VhUffd, 1);

    u->refs = 1;
    u->fd = -1;
    u->holds = g_array_new(FALSE, FALSE, sizeof(Hold));
    return u;
}

static void open_once(VhUffd *u)
{
    if (u->tried) {
        return;
    }
    u->tried = true;
    u->fd = vh_uffd_open_async();
    if (u->fd < 0) {
        u->error = errno;
        u->fd = vh_uffd_open();
    }
}

VhUffd *vh_uffd_get(const VhHost *host)
{
    VhUffd *u = host->uffd;

    if (u) {
        __atomic_add_fetch(&u->refs, 1, __ATOMIC_RELAXED);
    } else {
        u = vh_uffd_new();
    }
    open_once(u);
    return u;
}

void vh_uffd_unref(VhUffd *u)
{
    if (u && __atomic_sub_fetch(&u->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        if (u->fd >= 0) {
            close(u->fd);
        }
        g_array_free(u->holds, TRUE);
        g_free(u);
    }
}

int vh_uffd_error(const VhUffd *u)
{
    return u->error;
}

bool vh_uffd_hold(VhUffd *u, void *addr, size_t len)
{
    Hold h = { (uintptr_t)addr, (uintptr_t)addr + len };

    if (!u || !vh_uffd_register(u->fd, addr, len)) {
        return false;
    }
    g_array_append_val(u->holds, h);
    return true;
}

static Hold *hold_at(VhUffd *u, size_t i)
{
    return &g_array_index(u->holds, Hold, i);
}

/* Where what holds @at ends; or, if nobody does, @at and in *@free how far. */
static uintptr_t held_until(VhUffd *u, uintptr_t at, uintptr_t *free)
{
    for (size_t i = 0; i < u->holds->len; i++) {
        const Hold *h = hold_at(u, i);

        if (h->start <= at && at < h->end) {
            return h->end;
        }
        if (h->start > at) {
            *free = MIN(*free, h->start);
        }
    }
    return at;
}

static void let_go(VhUffd *u, Hold gone, bool lift)
{
    uintptr_t at = gone.start;

    while (at < gone.end) {
        uintptr_t free = gone.end;
        uintptr_t held = held_until(u, at, &free);

        if (held == at) {
            vh_uffd_unregister(u->fd, (void *)at, free - at);
            at = free;
            continue;
        }
        held = MIN(held, gone.end);
        if (lift) {
            vh_uffd_protect(u->fd, (void *)at, held - at, false);
        }
        at = held;
    }
}

void vh_uffd_drop(VhUffd *u, void *addr, size_t len, bool lift)
{
    Hold gone = { (uintptr_t)addr, (uintptr_t)addr + len };

    for (size_t i = 0; i < u->holds->len; i++) {
        const Hold *h = hold_at(u, i);

        if (h->start == gone.start && h->end == gone.end) {
            g_array_remove_index_fast(u->holds, i);
            let_go(u, gone, lift);
            return;
        }
    }
}

bool vh_uffd_set(VhUffd *u, void *addr, size_t len, bool on)
{
    return vh_uffd_protect(u->fd, addr, len, on);
}
