/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine that is watched.
 *
 * Theory of operation
 * -------------------
 * Each machine has a thread that asks it and does nothing else. One that hangs
 * costs the time of its own thread only: there is no pool that a few of them
 * could fill, so none ever waits for another. A thread sleeps in poll(2) nearly
 * always, which is cheap for hundreds.
 *
 * What it learns becomes a VhView (view.h); who wants to know takes a reference
 * to the latest one. So HTTP never waits for a machine either, but for commands
 * that change something: these are jobs, done by the thread between questions.
 *
 * How often it asks depends on who looks: VhPace::fast when somebody looks at
 * this machine, VhPace::list when somebody looks at a list of all, VhPace::slow
 * when nobody does but a scraper. One that does not answer is asked again after
 * a time that grows to BACK_OFF_MAX_US.
 *
 * Between questions the thread takes events of QMP, so these are told at once.
 */
#ifndef VMHEAT_EXPORTER_VM_H
#define VMHEAT_EXPORTER_VM_H

#include "client/client.h"
#include "past.h"
#include "view.h"

typedef struct VhVm VhVm;

/**
 * struct VhVmHooks - who wants to know; called in the machine's thread
 * @view: there is a new view of it
 * @event: QMP told something
 * @named: it has (another) name; sets *id and *domain, for g_free(), to what it
 *         shall be called
 * @ended: its thread is about to end
 * @opaque: handed to each
 */
typedef struct VhVmHooks {
    void (*view)(void *opaque, VhVm *vm, VhView *view);
    void (*event)(void *opaque, VhVm *vm, const char *name, JsonObject *data);
    void (*named)(void *opaque, VhVm *vm, const char *name, const char *uuid,
                  char **id, char **domain);
    void (*ended)(void *opaque, VhVm *vm);
    void *opaque;
} VhVmHooks;

/* How often to ask, us; see above. */
typedef struct VhPace {
    gint64 fast, list, slow;
} VhPace;

/**
 * struct VhVmConfig - how a machine is reached; outlives it, but for @address
 *                     and @name
 * @address: of its QMP socket; or UUID, with @libvirt
 * @name: what it is called until it says
 * @libvirt: it is a domain
 * @uri: of libvirt; NULL: its default
 * @timeout_us: for each question
 * @pace: how often to ask
 * @history: how much to keep
 * @records: folder of records; NULL: none
 * @hooks: who wants to know
 */
typedef struct VhVmConfig {
    const char *address, *name;
    bool libvirt;
    const char *uri;
    gint64 timeout_us;
    VhPace pace;
    VhHistoryLimits history;
    const char *records;
    const VhVmHooks *hooks;
} VhVmConfig;

/**
 * typedef VhVmDone - a job was done, or will not be
 * @opaque: as given to vh_vm_command()
 * @reply: NULL: see @error
 * @error: of VH_CLIENT_ERROR
 */
typedef void (*VhVmDone)(void *opaque, JsonNode *reply, const GError *error);

/** vh_vm_new() - begin to watch a machine; a reference is the caller's */
VhVm *vh_vm_new(const VhVmConfig *config);

/** vh_vm_ref() - one more reference; any thread */
VhVm *vh_vm_ref(VhVm *vm);

/** vh_vm_unref() - drop one; any thread; NULL is fine */
void vh_vm_unref(VhVm *vm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhVm, vh_vm_unref)

/** vh_vm_stop() - let its thread end, soon; jobs that wait fail */
void vh_vm_stop(VhVm *vm);

/** vh_vm_address() - as configured */
const char *vh_vm_address(const VhVm *vm);

/**
 * vh_vm_view() - what is known of it
 * @vm: the machine
 *
 * Returns: a reference to the latest view; NULL: it was not asked yet.
 */
VhView *vh_vm_view(VhVm *vm);

/** vh_vm_past() - what it was like; NULL: nothing is kept */
VhPast *vh_vm_past(VhVm *vm);

/**
 * vh_vm_look() - somebody looks at it, now and for a little while
 * @vm: the machine
 * @list: only as one of all
 */
void vh_vm_look(VhVm *vm, bool list);

/**
 * vh_vm_command() - run a QMP command, and ask anew then
 * @vm: the machine
 * @name: of the command
 * @arguments: or NULL; taken
 * @done: called once, in another thread, or in this one when the machine is
 *        stopped
 * @opaque: handed to @done
 */
void vh_vm_command(VhVm *vm, const char *name, JsonObject *arguments,
                   VhVmDone done, void *opaque);

#endif
