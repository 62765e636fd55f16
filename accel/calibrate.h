/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measuring what a trap costs.
 */
#ifndef VMHEAT_ACCEL_CALIBRATE_H
#define VMHEAT_ACCEL_CALIBRATE_H

#include <stdbool.h>
#include <stdint.h>

struct VhUffd;

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

/** vh_calibrate_fault() - what a minor fault costs this host, measured, ns */
uint64_t vh_calibrate_fault(void);

/** vh_estimate_fire() - as vh_calibrate_fire(), given vh_calibrate_fault() */
uint64_t vh_estimate_fire(bool kvm, bool nested, uint64_t fault_ns);

/**
 * vh_calibrate_protect() - what a write to a page costs that @uffd protects
 * @uffd: with WP_ASYNC
 *
 * As vh_calibrate_fire(): KVM goes the same way, through a fault of the host.
 */
uint64_t vh_calibrate_protect(bool kvm, bool nested, struct VhUffd *uffd);

/**
 * vh_calibrate_write_fault() - what a write to a logged page costs the guest
 * @kvm: the guest reaches its memory through KVM
 * @nested: this host is a virtual machine itself
 *
 * An estimate in ns: KVM lifts the write protection without asking the host's
 * memory management: 2 us on bare metal, 30 us when nested; TCG's slow path:
 * 0.3 us.
 */
uint64_t vh_calibrate_write_fault(bool kvm, bool nested);

#endif
