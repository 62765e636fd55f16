/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The schemes of a device: the engine (vmheat/scheme.h) and what surrounds it
 * in QEMU.
 */
#ifndef VMHEAT_HW_SCHEMES_H
#define VMHEAT_HW_SCHEMES_H

#include "compat/qemu.h"
#include "hw/actions.h"
#include "hw/worker.h"
#include "vmheat/scheme.h"
#include "vmheat-qapi-types.h"

typedef struct VmheatSchemes VmheatSchemes;

/**
 * vmheat_schemes_new() - no schemes yet; main thread
 * @id: id of the device, for events; copied; may be NULL
 * @bql: how actions reach the main thread; outlives it
 * @host: what primitives are given too; outlives it
 */
VmheatSchemes *vmheat_schemes_new(const char *id, VmheatBqlCaller *bql,
                                  const VhHost *host);

/** vmheat_schemes_free() - when the worker has ended; main thread */
void vmheat_schemes_free(VmheatSchemes *s);

/** vmheat_schemes_actor() - for the worker */
VmheatActor vmheat_schemes_actor(VmheatSchemes *s);

/**
 * vmheat_schemes_attach() - schemes run on this worker from now on
 *
 * Schemes that were set before begin now. Main thread.
 */
void vmheat_schemes_attach(VmheatSchemes *s, VmheatWorker *w);

/**
 * vmheat_schemes_set() - replace all schemes, or on an error none
 * @map: guest memory
 *
 * Main thread, BQL.
 */
bool vmheat_schemes_set(VmheatSchemes *s, const VmheatSchemeList *list,
                        const VhMap *map, Error **errp);

/**
 * vmheat_schemes_regrant() - files were granted or revoked
 *
 * What was revoked is let go of, soon. Main thread, BQL.
 */
void vmheat_schemes_regrant(VmheatSchemes *s);

/** vmheat_schemes_query() - query-vmheat-schemes; main thread, BQL */
VmheatSchemeInfoList *vmheat_schemes_query(VmheatSchemes *s, bool tried);

/** vmheat_schemes_actions() - query-vmheat-actions; main thread, BQL */
VmheatActionInfoList *vmheat_schemes_actions(VmheatSchemes *s,
                                             const VhMap *map);

/** vmheat_schemes_any() - are there any? main thread */
bool vmheat_schemes_any(const VmheatSchemes *s);

#endif
