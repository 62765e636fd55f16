/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vmheat relies on, one row a program of tests/platform, and what each
 * primitive makes of it. The only place that knows.
 */
#ifndef VMHEAT_TOOLS_DOCTOR_TABLE_H
#define VMHEAT_TOOLS_DOCTOR_TABLE_H

#include <stdbool.h>
#include <glib.h>

/* Who needs a behaviour; all but the last are primitives. */
typedef enum VhDoctorUser {
    VH_DOCTOR_TRAP,
    VH_DOCTOR_UFFD_WP,
    VH_DOCTOR_DIRTY_LOG,
    VH_DOCTOR_DIRTY_RING,
    VH_DOCTOR_IDLE_PAGE,
    VH_DOCTOR_DAMON,
    VH_DOCTOR_ACTIONS,
    VH_DOCTOR_USERS,
} VhDoctorUser;

#define VH_DOCTOR_PRIMITIVES VH_DOCTOR_ACTIONS

/**
 * struct VhDoctorRow - a behaviour of the host's kernel
 * @program: name of the program that shows it
 * @what: the behaviour, a few words
 * @needed_by: bits of VhDoctorUser that cannot do without it
 * @used_by: bits of those that work without it but rely on it where it is
 * @without: what those in @used_by lose when the host cannot do it; or NULL
 * @privilege: QEMU itself may not do it; who can do it instead; or NULL
 * @fix: when the program itself says nothing of how to get it; or NULL
 */
typedef struct VhDoctorRow {
    const char *program;
    const char *what;
    unsigned needed_by;
    unsigned used_by;
    const char *without;
    const char *privilege;
    const char *fix;
} VhDoctorRow;

/**
 * struct VhDoctorPrimitive - a user of behaviours
 * @name: as in the device's primitive property; "actions"
 * @sees: what it can see
 * @asks: what it asks of QEMU's command line; or NULL
 */
typedef struct VhDoctorPrimitive {
    const char *name;
    const char *sees;
    const char *asks;
} VhDoctorPrimitive;

/**
 * vh_doctor_rows() - all rows
 *
 * Returns: an array that ends with a NULL program; static.
 */
const VhDoctorRow *vh_doctor_rows(void);

/**
 * vh_doctor_primitive() - a primitive, or actions
 * @user: which
 *
 * Returns: static.
 */
const VhDoctorPrimitive *vh_doctor_primitive(VhDoctorUser user);

/**
 * vh_doctor_users_str() - names of users
 * @users: bits
 *
 * Returns: such as "trap, actions"; free with g_free().
 */
char *vh_doctor_users_str(unsigned users);

#endif
