/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one header through which vmheat includes QEMU, and the only place that
 * knows how QEMU versions differ. Where a difference can be seen from the
 * headers themselves it is probed (__has_include), not compared by version.
 */
#ifndef VMHEAT_COMPAT_QEMU_H
#define VMHEAT_COMPAT_QEMU_H

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/module.h"
#include "qemu/thread.h"
#include "qemu/main-loop.h"
#include "qemu/error-report.h"
#include "qemu/timer.h"
#include "monitor/qdev.h"
#include "qom/object.h"
#include "hw/qdev-core.h"
#include "hw/qdev-properties.h"
#include "hw/hotplug.h"
#include "hw/boards.h"
#include "exec/memory.h"
#include "exec/ramblock.h"
#include "exec/cpu-common.h"
#include "exec/address-spaces.h"
#include "hw/core/cpu.h"
#include "sysemu/hostmem.h"
#include "sysemu/kvm.h"
#include "sysemu/runstate.h"
#include "sysemu/sysemu.h"
#include "sysemu/tcg.h"
#include "migration/misc.h"
#include "block/aio.h"

/* QEMU 7.2 names the Big QEMU Lock "iothread" */
#define vh_bql_lock() qemu_mutex_lock_iothread()
#define vh_bql_unlock() qemu_mutex_unlock_iothread()

/* QEMU 10 made these const; kept as names so that a later port is one line */
typedef void VhClassData;

#endif
