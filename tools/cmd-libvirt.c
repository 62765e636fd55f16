/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "libvirt enable" and "libvirt disable": the persistent definition of a domain
 * is read, changed as a whole (libvirt/domain-xml.c), asked about, and defined
 * again; then, if the domain runs, the device comes or goes there, too.
 */
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "client/libvirt-domain.h"
#include "libvirt/diff.h"
#include "libvirt/domain-xml.h"
#include "libvirt/live.h"
#include "libvirt/wish.h"

static int fail(int code, const char *sentence)
{
    vh_cli_complain(sentence);
    return code;
}

static VhDomainConfig *read_config(const VhOptions *o, GError **error)
{
    VhDomainConfig *config = vh_domain_config_read(
        o->uri, o->domain, o->dry_run ? 0 : VH_READ_SECRET, o->timeout_us,
        error);

    if (config && !config->xml) {
        g_set_error(error, VH_CLIENT_ERROR, VH_CLIENT_ERROR_QMP,
                    "domain '%s' has no persistent definition: it is gone "
                    "when it ends, so there is nothing to change",
                    config->name);
        g_clear_pointer(&config, vh_domain_config_free);
    }
    return config;
}

/* A page of one paragraph. */
static void say(const VhTerm *term, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

static void say(const VhTerm *term, const char *format, ...)
{
    g_autoptr(VhPage) page = vh_page_new(term);
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    vh_page_wrap(page, VH_STYLE_PLAIN, 0, text);
    vh_page_end(page);
    vh_cli_print_page(page);
}

static bool answered_yes(void)
{
    char line[16];

    fputs("Go on? [y/N] ", stdout);
    fflush(stdout);
    return fgets(line, sizeof(line), stdin) && (*line == 'y' || *line == 'Y');
}

/* Memory backing is the one thing with consequences beyond vmheat. */
static int ask(const VhOptions *o, const VhTerm *term, const char *before,
               const char *after)
{
    g_autoptr(VhDomainXml) x = vh_domain_xml_show(before, NULL);
    g_autoptr(VhDomainXml) y = vh_domain_xml_show(after, NULL);

    if (o->yes || !x->private_reason == !y->private_reason) {
        return VH_EXIT_OK;
    }
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        return fail(VH_EXIT_USAGE,
                    "this changes the domain's memory backing, and there is "
                    "no terminal to ask on: say --yes, or look at it with "
                    "--dry-run");
    }
    if (x->private_reason) {
        say(term,
            "%s. vmheat needs it shared: from its next start the domain has "
            "its memory in a memfd. Such memory is counted as shared in "
            "/proc/meminfo and by memory cgroups, its huge pages are those of "
            "/sys/kernel/mm/transparent_hugepage/shmem_enabled, and KSM does "
            "not merge it.",
            x->private_reason);
    } else {
        say(term, "From its next start the domain has its memory private "
                  "again, as before vmheat was enabled.");
    }
    return answered_yes() ? VH_EXIT_OK
                          : fail(VH_EXIT_USAGE, "nothing was changed");
}

static int show_diff(const VhTerm *term, const char *before, const char *after)
{
    g_autofree char *a = vh_domain_xml_pretty(before, NULL);
    g_autofree char *b = vh_domain_xml_pretty(after, NULL);
    g_autoptr(VhPage) page = vh_page_new(term);

    vh_diff_draw(page, a, b);
    return vh_cli_print_page(page);
}

static VhClient *open_live(const VhOptions *o, const VhDomainConfig *config,
                           VhLive **live)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VhClient) client = NULL;

    if (!config->live_xml) {
        return NULL;
    }
    client = vh_client_open_libvirt(o->uri, o->domain, o->timeout_us, &error);
    *live = client ? vh_live_query(client, &error) : NULL;
    if (!*live) {
        vh_cli_fail(error);
        return NULL;
    }
    return g_steal_pointer(&client);
}

/* What was defined is done; what cannot be done live is told. */
static int enable_live(const VhOptions *o, const VhTerm *term,
                       const VhDomainConfig *config, const VhWish *wish)
{
    g_autoptr(VhLive) live = NULL;
    g_autoptr(VhClient) client = open_live(o, config, &live);
    g_autoptr(GError) error = NULL;

    if (!config->live_xml) {
        say(term, "Domain '%s' has vmheat from its next start.%s", config->name,
            config->saved ? " Its saved state is without: discard that with "
                            "'virsh managedsave-remove'."
                          : "");
        return VH_EXIT_OK;
    }
    if (!client) {
        return VH_EXIT_CONNECT;
    }
    if (!live->plugin) {
        say(term,
            "Domain '%s' runs without the plugin: it has vmheat from its next "
            "start ('virsh shutdown', then 'virsh start').",
            config->name);
        return VH_EXIT_OK;
    }
    if (live->id) {
        say(term,
            "Domain '%s' runs with vmheat already; what was changed counts "
            "from its next start.",
            config->name);
        return VH_EXIT_OK;
    }
    if (!vh_live_attach(client, wish->properties, &error)) {
        return vh_cli_fail(error);
    }
    say(term, "Domain '%s' has vmheat from now on.", config->name);
    return VH_EXIT_OK;
}

int vh_cmd_libvirt_enable(const VhOptions *o, const VhTerm *term)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *why = NULL;
    g_autofree char *xml = NULL;
    g_autoptr(VhDomainConfig) config = read_config(o, &error);
    g_autoptr(VhWish) wish = NULL;
    int code;

    if (!config) {
        return vh_cli_fail(error);
    }
    wish = vh_wish_new(o, config, &why);
    if (!wish) {
        return fail(VH_EXIT_USAGE, why);
    }
    xml = vh_domain_xml_enable(config->xml, wish->plugin, wish->device, &error);
    if (!xml) {
        return fail(VH_EXIT_HOST, error->message);
    }
    if (o->dry_run) {
        return show_diff(term, config->xml, xml);
    }
    code = ask(o, term, config->xml, xml);
    if (code) {
        return code;
    }
    if (!vh_wish_write(wish, &why)) {
        return fail(VH_EXIT_FILE, why);
    }
    if (!vh_domain_config_define(o->uri, xml, o->timeout_us, &error)) {
        return vh_cli_fail(error);
    }
    return enable_live(o, term, config, wish);
}

static int disable_live(const VhOptions *o, const VhTerm *term,
                        const VhDomainConfig *config)
{
    g_autoptr(VhLive) live = NULL;
    g_autoptr(VhClient) client = open_live(o, config, &live);
    g_autoptr(GError) error = NULL;

    if (config->live_xml && !client) {
        return VH_EXIT_CONNECT;
    }
    if (client && live->id && !vh_live_detach(client, live->id, &error)) {
        return vh_cli_fail(error);
    }
    say(term, "Domain '%s' has no vmheat any more.%s%s", config->name,
        client && live->plugin ? " The plugin stays loaded, and does nothing, "
                                 "until the domain ends."
                               : "",
        config->saved ? " Its saved state still has it." : "");
    return VH_EXIT_OK;
}

/* Only the file that "enable" wrote, and only if the domain used it. */
static void remove_file(const VhDomainConfig *config, const VhDomainXml *x)
{
    g_autofree char *path = vh_wish_file(config);
    g_autofree char *text = g_strconcat("schemes=", path, NULL);

    if (x->device && strstr(x->device, text)) {
        g_unlink(path);
    }
}

int vh_cmd_libvirt_disable(const VhOptions *o, const VhTerm *term)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = NULL;
    g_autoptr(VhDomainConfig) config = read_config(o, &error);
    g_autoptr(VhDomainXml) x = NULL;
    int code;

    if (!config) {
        return vh_cli_fail(error);
    }
    xml = vh_domain_xml_disable(config->xml, &error);
    if (!xml) {
        return fail(VH_EXIT_HOST, error->message);
    }
    if (o->dry_run) {
        return show_diff(term, config->xml, xml);
    }
    x = vh_domain_xml_show(config->xml, NULL);
    if (x->state == VH_HEAT_NONE) {
        say(term, "Domain '%s' has no vmheat.", config->name);
        return VH_EXIT_OK;
    }
    code = ask(o, term, config->xml, xml);
    if (code) {
        return code;
    }
    if (!vh_domain_config_define(o->uri, xml, o->timeout_us, &error)) {
        return vh_cli_fail(error);
    }
    remove_file(config, x);
    return disable_live(o, term, config);
}
