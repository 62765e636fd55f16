/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's headers by what they hold, wherever this QEMU keeps them: 10.0 renamed
 * sysemu/ to system/ and qapi/qmp/ to qobject/; later versions moved more.
 */
#ifndef VMHEAT_COMPAT_INCLUDES_H
#define VMHEAT_COMPAT_INCLUDES_H

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/module.h"
#include "qemu/thread.h"
#include "qemu/main-loop.h"
#include "qemu/error-report.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "monitor/qdev.h"
#include "qom/object.h"
#if __has_include("hw/core/boards.h")
#include "hw/core/qdev.h"
#include "hw/core/qdev-properties.h"
#include "hw/core/hotplug.h"
#include "hw/core/boards.h"
#else
#include "hw/qdev-core.h"
#include "hw/qdev-properties.h"
#include "hw/hotplug.h"
#include "hw/boards.h"
#endif
#if __has_include("system/memory.h")
#include "system/memory.h"
#include "system/ramblock.h"
#else
#include "exec/memory.h"
#include "exec/ramblock.h"
#endif
#if __has_include("system/ramlist.h")
#include "system/ramlist.h"
#else
#include "exec/ramlist.h"
#endif
#include "exec/cpu-common.h"
#include "exec/target_page.h"
#if __has_include("system/address-spaces.h")
#include "system/address-spaces.h"
#else
#include "exec/address-spaces.h"
#endif
#include "hw/core/cpu.h"
#if __has_include("system/system.h")
#include "system/hostmem.h"
#include "system/kvm.h"
#include "system/numa.h"
#include "system/runstate.h"
#include "system/system.h"
#include "system/tcg.h"
#else
#include "sysemu/hostmem.h"
#include "sysemu/kvm.h"
#include "sysemu/numa.h"
#include "sysemu/runstate.h"
#include "sysemu/sysemu.h"
#include "sysemu/tcg.h"
#endif
#include "migration/misc.h"
#if __has_include("qemu/aio.h")
#include "qemu/aio.h"
#else
#include "block/aio.h"
#endif
#include "hw/mem/memory-device.h"
#include "hw/virtio/virtio.h"
#include "hw/virtio/virtio-balloon.h"
#include "qapi/qapi-commands-machine.h"
#if __has_include("qobject/qdict.h")
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "qobject/qlist.h"
#include "qobject/qlit.h"
#include "qobject/qnum.h"
#else
#include "qapi/qmp/qdict.h"
#include "qapi/qmp/qjson.h"
#include "qapi/qmp/qlist.h"
#include "qapi/qmp/qlit.h"
#include "qapi/qmp/qnum.h"
#endif
#if __has_include("qapi/qmp-registry.h")
#include "qapi/qmp-registry.h"
#else
#include "qapi/qmp/dispatch.h"
#endif
#include "qom/qom-qobject.h"
#include <linux/kvm.h>

#endif
