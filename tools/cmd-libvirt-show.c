/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "libvirt show": what a domain has of vmheat, and what stands in its way. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "client/libvirt-domain.h"
#include "fields.h"
#include "libvirt/domain-xml.h"
#include "libvirt/live.h"

/* Of the time-out: libvirt may have to try each emulator of the host. */
#define CAPABILITIES_TIMES 12

static const char *const state_texts[] = {
    [VH_HEAT_NONE] = "not enabled",
    [VH_HEAT_ENABLED] = "enabled",
    [VH_HEAT_BY_HAND] = "added by hand",
    [VH_HEAT_BROKEN] = "enabled, then changed by hand: disable it, enable it "
                       "anew",
};

static void draw_xml(VhPage *page, const char *heading, const char *xml)
{
    g_autoptr(VhDomainXml) x = vh_domain_xml_show(xml, NULL);

    vh_field_heading(page, heading);
    if (!x) {
        return;
    }
    vh_field(page, VH_STYLE_PLAIN, "vmheat", "%s", state_texts[x->state]);
    if (x->plugin) {
        vh_field(page, VH_STYLE_PLAIN, "Plugin", "%s", x->plugin);
    }
    if (x->device) {
        vh_field(page, VH_STYLE_PLAIN, "Device", "%s", x->device);
    }
    vh_field(page, x->private_reason ? VH_STYLE_WARN : VH_STYLE_PLAIN, "Memory",
             "%s", x->private_reason ? x->private_reason : "shared");
}

static void draw_live(VhPage *page, const VhOptions *o)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VhLive) live = NULL;
    g_autoptr(VhClient) client =
        vh_client_open_libvirt(o->uri, o->domain, o->timeout_us, &error);

    live = client ? vh_live_query(client, &error) : NULL;
    if (!live) {
        vh_field(page, VH_STYLE_WARN, "Monitor", "%s", error->message);
    } else if (!live->plugin) {
        vh_field(page, VH_STYLE_WARN, "Monitor", "the plugin is not loaded");
    } else if (!live->id) {
        vh_field(page, VH_STYLE_WARN, "Monitor",
                 "the plugin is loaded, there is no device");
    } else {
        vh_field(page, vh_state_style(live->state), "Monitor",
                 "%s, %s, primitive %s%s%s", live->id, live->state,
                 live->primitive ? live->primitive : "none",
                 live->reason ? ": " : "", live->reason ? live->reason : "");
    }
}

/* Can every user read @path? The first part that stands in the way, or NULL. */
static char *unreadable(const char *path)
{
    g_autofree char *part = g_strdup(path);
    struct stat st;

    if (stat(path, &st)) {
        return g_strdup_printf("'%s' is not there", path);
    }
    if (!(st.st_mode & S_IROTH)) {
        return g_strdup_printf("'%s' cannot be read by every user", path);
    }
    for (char *end; (end = strrchr(part, '/')) && end != part;) {
        *end = 0;
        if (!stat(part, &st) && !(st.st_mode & S_IXOTH)) {
            return g_strdup_printf("the folder '%s' is closed to other users",
                                   part);
        }
    }
    return NULL;
}

static bool has_model(const VhDomainConfig *config, const char *model)
{
    g_autofree char *text = g_strconcat("<model>", model, "</model>", NULL);

    return config->capabilities && strstr(config->capabilities, text);
}

/* libvirt's profile lets QEMU load its own modules, from these folders. */
static bool is_module_folder(const char *path)
{
    return g_str_has_prefix(path, "/usr/lib/x86_64-linux-gnu/qemu/") ||
           g_str_has_prefix(path, "/usr/lib/qemu/");
}

static unsigned draw_file(VhPage *page, const VhDomainConfig *config,
                          const char *path)
{
    bool session = strstr(config->uri, "/session");
    g_autofree char *why = session ? NULL : unreadable(path);
    unsigned n = 0;

    if (session && access(path, R_OK)) {
        why = g_strdup_printf("'%s' cannot be read", path);
    }
    if (why) {
        vh_field(page, VH_STYLE_WARN, n++ ? "" : "File",
                 "%s: QEMU will not start", why);
    }
    if (!session && has_model(config, "apparmor") && !is_module_folder(path)) {
        vh_field(page, VH_STYLE_WARN, "AppArmor",
                 "confines QEMU, and '%s' is not in a folder of QEMU's "
                 "modules: add '%s rm,' to "
                 "/etc/apparmor.d/local/abstractions/libvirt-qemu",
                 path, path);
        n++;
    }
    if (!session && has_model(config, "selinux") && !is_module_folder(path) &&
        !g_str_has_prefix(path, "/usr/lib64/qemu")) {
        vh_field(page, VH_STYLE_WARN, "SELinux",
                 "confines QEMU: '%s' needs a label it may read, such as "
                 "lib_t (chcon -t lib_t, or semanage fcontext)",
                 path);
        n++;
    }
    return n;
}

static void draw_problems(VhPage *page, const VhDomainConfig *config)
{
    const char *xml = config->xml ? config->xml : config->live_xml;
    g_autoptr(VhDomainXml) x = vh_domain_xml_show(xml, NULL);
    unsigned n = 0;

    vh_field_heading(page, "What stands in the way");
    if (x && x->state != VH_HEAT_NONE && x->private_reason) {
        vh_field(page, VH_STYLE_WARN, "Memory",
                 "%s: primitives that need it shared cannot run; 'vmheat "
                 "libvirt enable' makes it so",
                 x->private_reason);
        n++;
    }
    if (x && x->plugin && *x->plugin == '/' && strstr(config->uri, ":///")) {
        n += draw_file(page, config, x->plugin);
    }
    if (config->saved) {
        vh_field(page, VH_STYLE_WARN, "Saved",
                 "the domain goes on from its saved state, with what it had "
                 "then ('virsh managedsave-remove' discards it)");
        n++;
    }
    if (!n) {
        vh_page_wrap(page, VH_STYLE_DIM, 0, "nothing that can be seen here");
        vh_page_end(page);
    }
}

int vh_cmd_libvirt_show(const VhOptions *o, const VhTerm *term)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VhDomainConfig) config =
        vh_domain_config_read(o->uri, o->domain, VH_READ_CAPABILITIES,
                              CAPABILITIES_TIMES * o->timeout_us, &error);
    g_autoptr(VhPage) page = vh_page_new(term);

    if (!config) {
        return vh_cli_fail(error);
    }
    vh_field(page, VH_STYLE_BOLD, "Domain", "%s", config->name);
    vh_field(page, VH_STYLE_PLAIN, "libvirt", "%s", config->uri);
    vh_field(page, VH_STYLE_PLAIN, "State", "%s%s",
             config->live_xml ? "running" : "not running",
             config->xml ? "" : ", not persistent");
    if (config->xml) {
        draw_xml(page, "From its next start", config->xml);
    }
    if (config->live_xml) {
        draw_xml(page, "Now", config->live_xml);
        draw_live(page, o);
    }
    draw_problems(page, config);
    return vh_cli_print_page(page);
}
