/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the programs of tests/platform found on this host, and which primitives
 * can run because of it.
 */
#ifndef VMHEAT_TOOLS_DOCTOR_H
#define VMHEAT_TOOLS_DOCTOR_H

#include "doctor-table.h"
#include "program.h"

/**
 * enum VhDoctorState - what became of a row
 * @VH_DOCTOR_WORKS: the host does what vmheat relies on
 * @VH_DOCTOR_CANNOT: it cannot be shown here
 * @VH_DOCTOR_DIFFERS: the host does something else
 * @VH_DOCTOR_BROKEN: the program failed: not found, crashed, hung
 */
typedef enum VhDoctorState {
    VH_DOCTOR_WORKS,
    VH_DOCTOR_CANNOT,
    VH_DOCTOR_DIFFERS,
    VH_DOCTOR_BROKEN,
    VH_DOCTOR_STATES,
} VhDoctorState;

/**
 * struct VhDoctorFinding - a row and what became of it
 * @row: static
 * @state: see VhDoctorState
 * @needs_privilege: a user with more rights could see more
 * @seen: what the program saw, or why it saw nothing; one line
 * @fix: how to change that; or NULL
 */
typedef struct VhDoctorFinding {
    const VhDoctorRow *row;
    VhDoctorState state;
    bool needs_privilege;
    char *seen;
    char *fix;
} VhDoctorFinding;

/* Can a primitive run here? The worst comes last. */
typedef enum VhDoctorUsable {
    VH_DOCTOR_YES,
    VH_DOCTOR_WITH_PRIVILEGE,
    VH_DOCTOR_NO,
} VhDoctorUsable;

/**
 * struct VhDoctorVerdict - on one primitive
 * @usable: can it run
 * @why: GPtrArray of char *: why not, or what is lacking
 * @unlock: GPtrArray of char *: what would change that
 */
typedef struct VhDoctorVerdict {
    VhDoctorUsable usable;
    GPtrArray *why;
    GPtrArray *unlock;
} VhDoctorVerdict;

/**
 * vh_doctor_examine() - run all programs
 * @folder: where they are
 * @timeout_us: for each
 *
 * Returns: GPtrArray of VhDoctorFinding, in the order of the rows.
 */
GPtrArray *vh_doctor_examine(const char *folder, gint64 timeout_us);

/**
 * vh_doctor_find() - make a finding of a program's result
 * @row: the program's row
 * @result: how it ended
 *
 * Returns: a finding; free with vh_doctor_finding_free().
 */
VhDoctorFinding *vh_doctor_find(const VhDoctorRow *row,
                                const VhProgramResult *result);

/**
 * vh_doctor_finding_free() - free it
 * @finding: the finding
 */
void vh_doctor_finding_free(VhDoctorFinding *finding);

/**
 * vh_doctor_judge() - can this primitive run?
 * @findings: of vh_doctor_examine(); must outlive the verdict
 * @user: the primitive
 *
 * It can when all it needs works, and all it merely uses works or is not there.
 *
 * Returns: the verdict; free with vh_doctor_verdict_free().
 */
VhDoctorVerdict *vh_doctor_judge(const GPtrArray *findings, VhDoctorUser user);

/**
 * vh_doctor_verdict_free() - free it
 * @verdict: the verdict
 */
void vh_doctor_verdict_free(VhDoctorVerdict *verdict);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhDoctorVerdict, vh_doctor_verdict_free)

/**
 * vh_doctor_state_str() - name of a state
 * @state: the state
 *
 * Returns: such as "works".
 */
const char *vh_doctor_state_str(VhDoctorState state);

/**
 * vh_doctor_usable_str() - name of an answer
 * @usable: the answer
 *
 * Returns: such as "yes".
 */
const char *vh_doctor_usable_str(VhDoctorUsable usable);

/**
 * vh_doctor_folder() - where the programs are when the user does not say
 *
 * Returns: tests/platform beside this executable in a build directory, else
 * where they are installed; free with g_free().
 */
char *vh_doctor_folder(void);

#endif
