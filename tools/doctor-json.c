/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor-report.h"

static void begin_member(JsonBuilder *b, const char *name, const char *value)
{
    json_builder_set_member_name(b, name);
    if (value) {
        json_builder_add_string_value(b, value);
    }
}

static void add_users(JsonBuilder *b, const char *name, unsigned users)
{
    begin_member(b, name, NULL);
    json_builder_begin_array(b);
    for (unsigned i = 0; i < VH_DOCTOR_USERS; i++) {
        if (users & 1u << i) {
            json_builder_add_string_value(b, vh_doctor_primitive(i)->name);
        }
    }
    json_builder_end_array(b);
}

static void add_finding(JsonBuilder *b, const VhDoctorFinding *f)
{
    json_builder_begin_object(b);
    begin_member(b, "program", f->row->program);
    begin_member(b, "what", f->row->what);
    begin_member(b, "state", vh_doctor_state_str(f->state));
    add_users(b, "needed-by", f->row->needed_by);
    add_users(b, "used-by", f->row->used_by);
    begin_member(b, "seen", f->seen);
    if (f->fix) {
        begin_member(b, "fix", f->fix);
    }
    begin_member(b, "needs-privilege", NULL);
    json_builder_add_boolean_value(b, f->needs_privilege);
    json_builder_end_object(b);
}

static void add_lines(JsonBuilder *b, const char *name, const GPtrArray *lines)
{
    begin_member(b, name, NULL);
    json_builder_begin_array(b);
    for (guint i = 0; i < lines->len; i++) {
        json_builder_add_string_value(b, g_ptr_array_index(lines, i));
    }
    json_builder_end_array(b);
}

static void add_verdict(JsonBuilder *b, VhDoctorUser user,
                        const VhDoctorVerdict *v)
{
    const VhDoctorPrimitive *p = vh_doctor_primitive(user);

    json_builder_begin_object(b);
    begin_member(b, "name", p->name);
    begin_member(b, "usable", vh_doctor_usable_str(v->usable));
    begin_member(b, "sees", p->sees);
    if (p->asks) {
        begin_member(b, "asks", p->asks);
    }
    add_lines(b, "why", v->why);
    add_lines(b, "fix", v->unlock);
    json_builder_end_object(b);
}

static void add_checks(JsonBuilder *b, const VhDoctorReport *r)
{
    begin_member(b, "checks", NULL);
    json_builder_begin_array(b);
    for (guint i = 0; i < r->findings->len; i++) {
        add_finding(b, g_ptr_array_index(r->findings, i));
    }
    json_builder_end_array(b);
}

static void add_primitives(JsonBuilder *b, const VhDoctorReport *r)
{
    begin_member(b, "primitives", NULL);
    json_builder_begin_array(b);
    for (unsigned i = 0; i < VH_DOCTOR_PRIMITIVES; i++) {
        add_verdict(b, i, r->verdict[i]);
    }
    json_builder_end_array(b);
}

JsonNode *vh_doctor_json(const VhDoctorReport *r)
{
    g_autoptr(JsonBuilder) b = json_builder_new();

    json_builder_begin_object(b);
    begin_member(b, "programs", r->programs);
    add_checks(b, r);
    add_primitives(b, r);
    if (r->info) {
        begin_member(b, "query-vmheat", NULL);
        json_builder_add_value(b, json_node_copy(r->reply));
    }
    json_builder_end_object(b);
    return json_builder_get_root(b);
}
