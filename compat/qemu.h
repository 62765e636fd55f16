/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one header through which vmheat includes QEMU. This folder is the only
 * place that knows how QEMU versions differ. A difference is found in the
 * headers themselves: __has_include where a file moved, else a probe that is
 * compiled (compat/probes.list). There is no comparison of versions.
 */
#ifndef VMHEAT_COMPAT_QEMU_H
#define VMHEAT_COMPAT_QEMU_H

#include "compat/probes.h" /* generated */
#include "compat/includes.h"
#include "compat/memory.h"
#include "compat/migration.h"
#include "compat/qapi.h"
#include "compat/qom.h"

/* QEMU 7.2 names the Big QEMU Lock "iothread" */
#ifdef VH_BQL_LOCK
#define vh_bql_lock() bql_lock()
#define vh_bql_unlock() bql_unlock()
#else
#define vh_bql_lock() qemu_mutex_lock_iothread()
#define vh_bql_unlock() qemu_mutex_unlock_iothread()
#endif

#endif
