/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One userfaultfd for all primitives of a monitor.
 */
#ifndef VMHEAT_ACCEL_UFFD_SHARE_H
#define VMHEAT_ACCEL_UFFD_SHARE_H

#include "vmheat/primitive.h"

/**
 * struct VhUffd - a userfaultfd and who holds which ranges of it
 *
 * Opened when the first primitive asks for it, closed with the last reference.
 * Not locked: the main thread makes it and drops it, in between it belongs to
 * the worker thread.
 */
typedef struct VhUffd VhUffd;

/** vh_uffd_new() - for VhHost::uffd; opens nothing yet */
VhUffd *vh_uffd_new(void);

/**
 * vh_uffd_get() - the one of @host, or one of its own when it has none
 *
 * Never NULL; whether there is a userfaultfd at all, vh_uffd_error() tells.
 */
VhUffd *vh_uffd_get(const VhHost *host);

/** vh_uffd_unref() - drop a reference; closes with the last; NULL is allowed */
void vh_uffd_unref(VhUffd *u);

/**
 * vh_uffd_error() - 0 when pages can be write-protected (WP_ASYNC), else errno
 *
 * Even then it may be good for keeping fault-around off.
 */
int vh_uffd_error(const VhUffd *u);

/**
 * vh_uffd_hold() - register a range, once more if it is registered already
 *
 * Ranges of different holders may overlap. False and errno as
 * vh_uffd_register(); false for NULL.
 */
bool vh_uffd_hold(VhUffd *u, void *addr, size_t len);

/**
 * vh_uffd_drop() - undo one vh_uffd_hold() of the very same range
 * @lift: pages were protected: none is any more, even where others hold it
 *
 * What nobody else holds is unregistered, which lifts all protection.
 */
void vh_uffd_drop(VhUffd *u, void *addr, size_t len, bool lift);

/** vh_uffd_set() - write-protect all pages of a held range, or lift it */
bool vh_uffd_set(VhUffd *u, void *addr, size_t len, bool on);

#endif
