/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cli.h"
#include "doctor-report.h"
#include "fields.h"
#include "primitives.h"

static VhStyle state_style(VhDoctorState state)
{
    static const VhStyle styles[] = {
        [VH_DOCTOR_WORKS] = VH_STYLE_GOOD,
        [VH_DOCTOR_CANNOT] = VH_STYLE_WARN,
        [VH_DOCTOR_DIFFERS] = VH_STYLE_BAD,
        [VH_DOCTOR_BROKEN] = VH_STYLE_BAD,
    };

    return styles[state];
}

static const VhColumn columns[] = {
    { "WHAT", false, 3 },
    { "STATE", false, 2 },
    { "NEEDED BY", false, 1 },
};

static void put_finding(VhTable *table, const VhDoctorFinding *f)
{
    unsigned users = f->row->needed_by | f->row->used_by;

    vh_table_put(table, VH_STYLE_PLAIN, g_strdup(f->row->what));
    vh_table_put(table, state_style(f->state),
                 g_strdup(vh_doctor_state_str(f->state)));
    vh_table_put(table, VH_STYLE_PLAIN, vh_doctor_users_str(users));
    if (f->state == VH_DOCTOR_WORKS) {
        return;
    }
    vh_table_note(table, VH_STYLE_PLAIN, g_strdup_printf("why: %s", f->seen));
    if (f->fix) {
        vh_table_note(table, VH_STYLE_PLAIN,
                      g_strdup_printf("fix: %s", f->fix));
    }
}

static void draw_findings(VhPage *page, const VhDoctorReport *r)
{
    g_autoptr(VhTable) table = vh_table_new(columns, G_N_ELEMENTS(columns));

    for (guint i = 0; i < r->findings->len; i++) {
        put_finding(table, g_ptr_array_index(r->findings, i));
    }
    vh_table_draw(table, page);
}

static void draw_lines(VhPage *page, const GPtrArray *lines, const char *key)
{
    for (guint i = 0; i < lines->len; i++) {
        vh_field(page, VH_STYLE_PLAIN, "", "%s: %s", key,
                 (const char *)g_ptr_array_index(lines, i));
    }
}

static void draw_verdict(VhPage *page, VhDoctorUser user,
                         const VhDoctorVerdict *v)
{
    static const VhStyle styles[] = {
        [VH_DOCTOR_YES] = VH_STYLE_GOOD,
        [VH_DOCTOR_WITH_PRIVILEGE] = VH_STYLE_WARN,
        [VH_DOCTOR_NO] = VH_STYLE_BAD,
    };
    const VhDoctorPrimitive *p = vh_doctor_primitive(user);

    vh_field(page, styles[v->usable], p->name, "%s",
             vh_doctor_usable_str(v->usable));
    vh_field(page, VH_STYLE_PLAIN, "", "sees %s", p->sees);
    if (p->asks) {
        vh_field(page, VH_STYLE_PLAIN, "", "asks for %s", p->asks);
    }
    draw_lines(page, v->why, v->usable == VH_DOCTOR_YES ? "but" : "why");
    draw_lines(page, v->unlock, "fix");
}

static int print_text(const VhDoctorReport *r, const VhOptions *options,
                      const VhTerm *term)
{
    g_autoptr(VhPage) page = vh_page_new(term);

    draw_findings(page, r);
    vh_field_heading(page, "Primitives on this host");
    for (unsigned i = 0; i < VH_DOCTOR_PRIMITIVES; i++) {
        draw_verdict(page, i, r->verdict[i]);
    }
    if (r->info) {
        vh_field_heading(page, "Primitives in QEMU");
        vh_field(page, vh_state_style(r->info->state), "State", "%s, %s%s%s",
                 vh_cli_target(options), r->info->state,
                 r->info->reason ? ": " : "",
                 r->info->reason ? r->info->reason : "");
        vh_primitives_draw(page, r->info);
    }
    return vh_cli_print_page(page);
}

static int print_json(const VhDoctorReport *r)
{
    g_autoptr(JsonNode) root = vh_doctor_json(r);

    return vh_cli_print_json(root);
}

/* A QEMU that does not answer is no reason not to look at the host. */
static void ask_qemu(VhDoctorReport *r, const VhOptions *options)
{
    g_autoptr(VhClient) client = NULL;

    if (!vh_cli_target(options)) {
        return;
    }
    client = vh_cli_open(options, &r->error);
    if (client) {
        r->reply = vh_client_command(client, "query-vmheat", NULL, &r->error);
    }
    if (r->reply) {
        r->info = vh_info_parse(r->reply, &r->error);
    }
}

static void examine(VhDoctorReport *r, const VhOptions *options)
{
    r->findings = vh_doctor_examine(r->programs, options->timeout_us);
    for (unsigned i = 0; i < VH_DOCTOR_PRIMITIVES; i++) {
        r->verdict[i] = vh_doctor_judge(r->findings, i);
    }
    ask_qemu(r, options);
}

static bool any_usable(const VhDoctorReport *r)
{
    for (unsigned i = 0; i < VH_DOCTOR_PRIMITIVES; i++) {
        if (r->verdict[i]->usable != VH_DOCTOR_NO) {
            return true;
        }
    }
    return false;
}

static void clear(VhDoctorReport *r)
{
    for (unsigned i = 0; i < VH_DOCTOR_PRIMITIVES; i++) {
        g_clear_pointer(&r->verdict[i], vh_doctor_verdict_free);
    }
    g_ptr_array_free(r->findings, true);
    vh_info_free(r->info);
    g_clear_pointer(&r->reply, json_node_unref);
    g_clear_error(&r->error);
}

static int report(VhDoctorReport *r, const VhOptions *options,
                  const VhTerm *term)
{
    int code;

    examine(r, options);
    code = options->json ? print_json(r) : print_text(r, options, term);
    if (!code && r->error) {
        code = vh_cli_fail(r->error);
    } else if (!code && !any_usable(r)) {
        code = VH_EXIT_NOTHING;
    }
    clear(r);
    return code;
}

int vh_cmd_doctor(const VhOptions *options, const VhTerm *term)
{
    g_autofree char *folder =
        options->programs ? g_strdup(options->programs) : vh_doctor_folder();
    VhDoctorReport r = { .programs = folder };

    if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
        fprintf(stderr,
                "vmheat: there is no directory %s with the programs that try "
                "the host; install vmheat, or name it with --programs DIR\n",
                folder);
        return VH_EXIT_USAGE;
    }
    return report(&r, options, term);
}
