/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_GRANT_TARGET_H
#define VMHEAT_TOOLS_GRANT_TARGET_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * vh_grant_target() - which process is at the other end of a connection?
 * @fd: a connected unix socket
 * @pid: what the user says; 0: find out
 * @why: a sentence (g_free)
 *
 * What is handed over shows the process's memory layout, so it must not
 * go to another one: the process has to hold the other end, where the kernel
 * can tell, and to be a QEMU.
 *
 * Returns: the process, or 0.
 */
pid_t vh_grant_target(int fd, pid_t pid, char **why);

/**
 * vh_grant_domain() - which process is QEMU of a domain of libvirt?
 * @name: of the domain
 * @uuid: of it
 * @pid: what the user says; 0: what libvirt's daemon of the system noted
 * @why: a sentence (g_free)
 *
 * The monitor's other end is the daemon, and what QEMU itself says is not
 * trusted. The process has to be a QEMU that was started as this domain.
 *
 * Returns: the process, or 0.
 */
pid_t vh_grant_domain(const char *name, const char *uuid, pid_t pid,
                      char **why);

/** vh_grant_sees_pfns() - would the kernel show us page frame numbers? */
bool vh_grant_sees_pfns(void);

#endif
