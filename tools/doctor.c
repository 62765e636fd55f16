/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "doctor.h"

#define SKIPPED 77
#define SKIPPED_PREFIX "skipped: "

static const char *first_line(char **lines)
{
    for (; lines[0]; lines++) {
        if (g_strstrip(lines[0])[0]) {
            return lines[0];
        }
    }
    return "";
}

/* The rest of the line that begins so, or NULL. */
static const char *line_after(char **lines, const char *prefix)
{
    for (; *lines; lines++) {
        if (g_str_has_prefix(*lines, prefix)) {
            return *lines + strlen(prefix);
        }
    }
    return NULL;
}

static char *without_prefix(const char *line)
{
    bool has = g_str_has_prefix(line, SKIPPED_PREFIX);

    return g_strdup(line + (has ? strlen(SKIPPED_PREFIX) : 0));
}

static void find_broken(VhDoctorFinding *f, const VhProgramResult *result)
{
    g_auto(GStrv) err = g_strsplit(result->err ? result->err : "", "\n", -1);
    const char *said = first_line(err);

    f->state = VH_DOCTOR_BROKEN;
    f->fix = result->timed_out ? g_strdup("try a longer --timeout") : NULL;
    f->seen = result->problem
                  ? g_strdup_printf("%s%s%s", result->problem,
                                    *said ? ": " : "", said)
                  : g_strdup_printf("exit status %d%s%s", result->status,
                                    *said ? ": " : "", said);
}

static void find_answer(VhDoctorFinding *f, const VhProgramResult *result)
{
    g_auto(GStrv) out = g_strsplit(result->out, "\n", -1);
    g_auto(GStrv) err = g_strsplit(result->err, "\n", -1);
    const char *fix = line_after(out, "fix: ");

    f->needs_privilege = line_after(out, "needs: privilege") != NULL;
    if (result->status == 0) {
        f->state = VH_DOCTOR_WORKS;
        f->seen = g_strdup(first_line(out));
        return;
    }
    f->state = result->status == 1 ? VH_DOCTOR_DIFFERS : VH_DOCTOR_CANNOT;
    f->seen = f->state == VH_DOCTOR_DIFFERS ? g_strdup(first_line(err))
                                            : without_prefix(first_line(out));
    f->fix = g_strdup(fix || f->state == VH_DOCTOR_CANNOT ? fix : f->row->fix);
}

VhDoctorFinding *vh_doctor_find(const VhDoctorRow *row,
                                const VhProgramResult *result)
{
    VhDoctorFinding *f = g_new0(VhDoctorFinding, 1);

    f->row = row;
    if (result->problem || (result->status > 1 && result->status != SKIPPED)) {
        find_broken(f, result);
    } else {
        find_answer(f, result);
    }
    return f;
}

void vh_doctor_finding_free(VhDoctorFinding *finding)
{
    g_free(finding->seen);
    g_free(finding->fix);
    g_free(finding);
}

GPtrArray *vh_doctor_examine(const char *folder, gint64 timeout_us)
{
    GPtrArray *out =
        g_ptr_array_new_with_free_func((GDestroyNotify)vh_doctor_finding_free);

    for (const VhDoctorRow *row = vh_doctor_rows(); row->program; row++) {
        g_autofree char *path = g_build_filename(folder, row->program, NULL);
        VhProgramResult result;

        vh_program_run(path, timeout_us, &result);
        g_ptr_array_add(out, vh_doctor_find(row, &result));
        vh_program_result_clear(&result);
    }
    return out;
}

static void add_line(GPtrArray *lines, char *line)
{
    if (g_ptr_array_find_with_equal_func(lines, line, g_str_equal, NULL)) {
        g_free(line);
    } else {
        g_ptr_array_add(lines, line);
    }
}

static void add_unlock(VhDoctorVerdict *v, const char *how)
{
    if (how) {
        add_line(v->unlock, g_strdup(how));
    }
}

static void add_why(VhDoctorVerdict *v, const VhDoctorFinding *f)
{
    if (f->state == VH_DOCTOR_CANNOT) {
        add_line(v->why, g_strdup(f->seen));
    } else {
        add_line(v->why,
                 g_strdup_printf("%s %s: %s", f->row->program,
                                 vh_doctor_state_str(f->state), f->seen));
    }
}

/* What one finding means for a primitive that cannot do without it. */
static VhDoctorUsable weigh_need(VhDoctorVerdict *v, const VhDoctorFinding *f)
{
    bool missing = f->state != VH_DOCTOR_WORKS;

    if (missing) {
        add_why(v, f);
    }
    if (f->row->privilege && (!missing || f->needs_privilege)) {
        add_unlock(v, f->row->privilege);
        return VH_DOCTOR_WITH_PRIVILEGE;
    }
    if (missing) {
        add_unlock(v, f->fix);
    }
    return missing ? VH_DOCTOR_NO : VH_DOCTOR_YES;
}

/* And for one that works without it, but relies on it where it is. */
static VhDoctorUsable weigh_use(VhDoctorVerdict *v, const VhDoctorFinding *f)
{
    if (f->state == VH_DOCTOR_DIFFERS || f->state == VH_DOCTOR_BROKEN) {
        add_why(v, f);
        add_unlock(v, f->fix);
        return VH_DOCTOR_NO;
    }
    if (f->state == VH_DOCTOR_CANNOT && f->row->without) {
        add_line(v->why, g_strdup_printf("%s: %s", f->row->without, f->seen));
        add_unlock(v, f->fix);
    }
    return VH_DOCTOR_YES;
}

VhDoctorVerdict *vh_doctor_judge(const GPtrArray *findings, VhDoctorUser user)
{
    VhDoctorVerdict *v = g_new0(VhDoctorVerdict, 1);

    v->why = g_ptr_array_new_with_free_func(g_free);
    v->unlock = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < findings->len; i++) {
        const VhDoctorFinding *f = g_ptr_array_index(findings, i);
        VhDoctorUsable usable = VH_DOCTOR_YES;

        if (f->row->needed_by & 1u << user) {
            usable = weigh_need(v, f);
        } else if (f->row->used_by & 1u << user) {
            usable = weigh_use(v, f);
        }
        v->usable = MAX(v->usable, usable);
    }
    return v;
}

void vh_doctor_verdict_free(VhDoctorVerdict *verdict)
{
    g_ptr_array_free(verdict->why, true);
    g_ptr_array_free(verdict->unlock, true);
    g_free(verdict);
}

const char *vh_doctor_state_str(VhDoctorState state)
{
    static const char *const names[VH_DOCTOR_STATES] = {
        [VH_DOCTOR_WORKS] = "works",
        [VH_DOCTOR_CANNOT] = "cannot",
        [VH_DOCTOR_DIFFERS] = "differs",
        [VH_DOCTOR_BROKEN] = "broken",
    };

    return names[state];
}

const char *vh_doctor_usable_str(VhDoctorUsable usable)
{
    static const char *const names[] = {
        [VH_DOCTOR_YES] = "yes",
        [VH_DOCTOR_WITH_PRIVILEGE] = "with privilege",
        [VH_DOCTOR_NO] = "no",
    };

    return names[usable];
}

char *vh_doctor_folder(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = self ? g_path_get_dirname(self) : g_strdup(".");
    char *built = g_build_filename(folder, "tests", "platform", NULL);

    if (self && g_file_test(built, G_FILE_TEST_IS_DIR)) {
        return built;
    }
    g_free(built);
    return g_strdup(VMHEAT_PROGRAMS_DIR);
}
