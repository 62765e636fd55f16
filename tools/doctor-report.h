/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_DOCTOR_REPORT_H
#define VMHEAT_TOOLS_DOCTOR_REPORT_H

#include "doctor.h"
#include "model.h"

/**
 * struct VhDoctorReport - all that is shown
 * @programs: folder of the programs
 * @findings: of VhDoctorFinding
 * @verdict: on each primitive
 * @reply: of query-vmheat; NULL: not asked, or @error
 * @info: the same, read
 * @error: why QEMU did not answer
 */
typedef struct VhDoctorReport {
    char *programs;
    GPtrArray *findings;
    VhDoctorVerdict *verdict[VH_DOCTOR_PRIMITIVES];
    JsonNode *reply;
    VhInfo *info;
    GError *error;
} VhDoctorReport;

/**
 * vh_doctor_json() - a report for programs, as vmheat(1) describes it
 * @report: the report
 *
 * Returns: free with json_node_unref().
 */
JsonNode *vh_doctor_json(const VhDoctorReport *report);

#endif
