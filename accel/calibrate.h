/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measuring what a trap costs.
 */
#ifndef VMHEAT_ACCEL_CALIBRATE_H
#define VMHEAT_ACCEL_CALIBRATE_H

#include <stdbool.h>
#include <stdint.h>

/** vh_calibrate_now() - CLOCK_MONOTONIC in nanoseconds */
uint64_t vh_calibrate_now(void);

/**
 * vh_calibrate_fire() - what a fault on an armed page costs the guest, in ns
 * @kvm: the guest reaches its memory through KVM
 * @nested: this host is a virtual machine itself
 *
 * The host's part, a minor fault, is measured on a scratch page. What KVM adds
 * (exit, walk, mapping, entry) cannot be measured from outside without a
 * guest; it is an estimate: 4 us on bare metal, 35 us when nested.
 */
uint64_t vh_calibrate_fire(bool kvm, bool nested);

#endif
