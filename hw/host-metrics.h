/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the host's kernel tells of its memory, for goals and watermarks.
 */
#ifndef VMHEAT_HW_HOST_METRICS_H
#define VMHEAT_HW_HOST_METRICS_H

#include <stdbool.h>
#include <stdint.h>

/** vmheat_host_free_permille() - MemFree of MemTotal in thousandths, as DAMON's
 * free_mem_rate; false when /proc/meminfo does not tell */
bool vmheat_host_free_permille(uint64_t *value);

/** vmheat_host_psi_total_us() - "some" of /proc/pressure/memory, running total
 * in microseconds; false when there is no PSI */
bool vmheat_host_psi_total_us(uint64_t *value);

/** vmheat_host_psi_avg10() - "some avg10" in 1/10000; false likewise */
bool vmheat_host_psi_avg10(uint64_t *value);

#endif
