/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What actions are given by the device (VhActionEnv::opaque).
 */
#ifndef VMHEAT_HW_ACTIONS_H
#define VMHEAT_HW_ACTIONS_H

#include "compat/qemu.h"
#include "hw/bql-call.h"
#include "hw/vcpu.h"
#include "vmheat/action.h"

/**
 * struct VmheatActionHost - see above; outlives the actions
 * @bql: how the worker reaches the main thread
 * @busy: how busy the vCPUs are; worker thread
 * @balloon_mover: the action that moves the balloon, or NULL; worker thread
 * @guest_free: what vmheat_guest_free_permille() said last; worker thread
 * @guest_free_ns: when
 */
typedef struct VmheatActionHost {
    VmheatBqlCaller *bql;
    VmheatVcpuBusy busy;
    const void *balloon_mover;
    uint64_t guest_free;
    int64_t guest_free_ns;
} VmheatActionHost;

/**
 * vmheat_guest_free_permille() - what the guest says is available, in
 * thousandths
 *
 * Worker thread. False when it does not tell (no balloon, no driver).
 */
bool vmheat_guest_free_permille(VmheatActionHost *h, uint64_t *value);

/** vmheat_hw_actions() - the actions that need QEMU, NULL terminated */
const VhActionOps *const *vmheat_hw_actions(void);

extern const VhActionOps vmheat_action_balloon;
extern const VhActionOps vmheat_action_discard_free;

#endif
