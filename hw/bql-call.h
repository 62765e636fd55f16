/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work of the worker thread that needs the Big QEMU Lock.
 */
#ifndef VMHEAT_HW_BQL_CALL_H
#define VMHEAT_HW_BQL_CALL_H

#include "compat/qemu.h"

typedef struct VmheatBqlCaller VmheatBqlCaller;

/** vmheat_bql_caller_new() - an open one */
VmheatBqlCaller *vmheat_bql_caller_new(void);

/** vmheat_bql_caller_free() - nobody may be in vmheat_bql_call() */
void vmheat_bql_caller_free(VmheatBqlCaller *c);

/**
 * vmheat_bql_call() - have the main thread do something, and wait for it
 * @step: called in the main thread, with the BQL held, again and again until
 *        it returns true; other work is done in between. So one step should
 *        take no longer than the BQL may be held.
 * @arg: for @step
 *
 * One thread, without the BQL. Returns false when the main thread does not
 * want to or waits for us: then @step was called some times or not at all, and
 * will not be called again.
 */
bool vmheat_bql_call(VmheatBqlCaller *c, bool (*step)(void *arg), void *arg);

/**
 * vmheat_bql_caller_close() - from now on calls return false, a waiting one too
 *
 * Main thread, BQL held, before it waits for the caller's thread.
 */
void vmheat_bql_caller_close(VmheatBqlCaller *c);

/** vmheat_bql_caller_open() - calls are answered again; main thread */
void vmheat_bql_caller_open(VmheatBqlCaller *c);

#endif
