/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * QEMU stays without privilege: this command, run by root, opens files and
 * passes the descriptors over the monitor ("getfd"; libvirt's, too), then tells
 * vmheat which is which ("vmheat-grant"). When DAMON is asked for it stays, as
 * the helper at the other end of a socket (damon-helper.c); the monitor is free
 * again by then.
 *
 * Signals are blocked from the beginning and read from a descriptor, so that
 * there is no moment at which one could end the helper without giving DAMON
 * back.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli.h"
#include "damon-helper.h"
#include "damon-owner.h"
#include "fields.h"
#include "grant-files.h"
#include "grant-target.h"
#include "query.h"

#define DAMON_CPU_PERCENT 2

typedef struct Grant {
    const VhOptions *options;
    const VhTerm *term;
    VhClient *client;
    pid_t pid;
    VhGrantFiles files;
    bool idle_page; /* handed over, with pagemap */
    VhDamonFiles damon;
    VhDamonHelper helper;
} Grant;

/* Takes @why. */
static int host_fail(char *why)
{
    vh_cli_complain(why);
    g_free(why);
    return VH_EXIT_HOST;
}

static void hold_signals(Grant *g)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    g->helper.signals = signalfd(-1, &set, SFD_CLOEXEC);
}

static bool prepare_damon(Grant *g, char **why)
{
    const VhOptions *o = g->options;

    g->damon.root = o->damon_root ? o->damon_root : VH_DAMON_SYSFS_ROOT;
    g->damon.owner = o->damon_owner ? o->damon_owner : VH_DAMON_OWNER_PATH;
    g->helper.percent = o->damon_cpu ? o->damon_cpu : DAMON_CPU_PERCENT;
    g->helper.sysfs = vh_damon_sysfs_new(&g->damon, g->pid);
    if (!vh_damon_sysfs_check(g->helper.sysfs, why)) {
        return false;
    }
    hold_signals(g);
    g->helper.process = syscall(SYS_pidfd_open, g->pid, 0);
    if (g->helper.process < 0 || g->helper.signals < 0) {
        *why = g_strdup_printf("cannot watch process %d: %s", g->pid,
                               g_strerror(errno));
        return false;
    }
    return vh_grant_files_damon(&g->files, &g->helper.socket, why);
}

/* Opens all there is to hand over. */
static bool prepare(Grant *g, char **why)
{
    const VhOptions *o = g->options;
    const VhDomain *domain = vh_client_domain(g->client);
    const char *bitmap = o->page_idle ? o->page_idle : VH_PAGE_IDLE_PATH;

    g->pid = domain ? vh_grant_domain(domain->name, domain->uuid, o->pid, why)
                    : vh_grant_target(vh_client_socket(g->client), o->pid, why);
    if (!g->pid) {
        return false;
    }
    /* with DAMON there is something to hand over also without the bitmap */
    if (!o->no_idle_page && (!o->damon || !access(bitmap, F_OK))) {
        if (!vh_grant_files_idle_page(&g->files, bitmap, g->pid, why)) {
            return false;
        }
        g->idle_page = true;
    }
    return !o->damon || prepare_damon(g, why);
}

/* What QEMU did not take over it shall not keep. */
static void take_back(Grant *g, unsigned nr)
{
    for (unsigned i = 0; i < nr; i++) {
        JsonObject *arguments = json_object_new();
        g_autoptr(JsonNode) reply = NULL;

        json_object_set_string_member(arguments, "fdname",
                                      g->files.v[i].fdname);
        reply = vh_client_command(g->client, "closefd", arguments, NULL);
    }
}

static bool hand_over(Grant *g, GError **error)
{
    JsonObject *arguments = json_object_new();
    g_autoptr(JsonNode) reply = NULL;
    unsigned i;

    for (i = 0; i < g->files.nr; i++) {
        const VhGrantFile *f = &g->files.v[i];

        if (!vh_client_pass(g->client, f->fdname, f->fd, error)) {
            take_back(g, i);
            json_object_unref(arguments);
            return false;
        }
        json_object_set_string_member(arguments, f->what, f->fdname);
    }
    reply = vh_client_command(g->client, "vmheat-grant", arguments, error);
    if (!reply) {
        take_back(g, i);
    }
    return reply != NULL;
}

static const char *choice(const VhInfo *info)
{
    return json_object_get_string_member_with_default(
        json_node_get_object(info->json), "choice", "");
}

static void show_unused(VhPage *page, const VhInfo *info, const char *name)
{
    for (size_t i = 0; i < info->nr_primitives; i++) {
        const VhPrimitiveInfo *p = &info->primitives[i];

        if (g_str_equal(p->name, name) && !p->chosen) {
            vh_field(page, p->available ? VH_STYLE_PLAIN : VH_STYLE_WARN, name,
                     "%s: %s", p->available ? "not in use" : "not available",
                     p->reason ? p->reason : "no reason given");
        }
    }
}

/* What QEMU makes of it. */
static int show(Grant *g, GError **error)
{
    g_autoptr(VhInfo) info = vh_query_info(g->client, error);
    g_autoptr(VhPage) page = vh_page_new(g->term);

    if (!info) {
        return vh_cli_fail(*error);
    }
    for (unsigned i = 0; i < g->files.nr; i++) {
        vh_field(page, VH_STYLE_PLAIN, i ? "" : "Handed over", "%s",
                 g->files.v[i].path);
    }
    vh_field(page, VH_STYLE_GOOD, "Primitive", "%s%s%s", info->primitive,
             *choice(info) ? ": " : "", choice(info));
    if (g->idle_page) {
        show_unused(page, info, "idle-page");
    }
    if (g->helper.sysfs) {
        show_unused(page, info, "damon");
    }
    return vh_cli_print_page(page);
}

/* The parent ends here, with success. */
static bool go_to_background(char **why)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    pid_t child = null < 0 ? -1 : fork();

    if (child < 0) {
        *why = g_strdup_printf("cannot go to the background: %s",
                               g_strerror(errno));
        return false;
    }
    if (child > 0) {
        _exit(VH_EXIT_OK); /* the rest is the child's */
    }
    setsid();
    for (int fd = 0; fd <= 2; fd++) {
        dup2(null, fd);
    }
    close(null);
    /* where that fails, a folder stays in use; that is all */
    return chdir("/") == 0 || true;
}

static int serve(Grant *g)
{
    g_autofree char *why = NULL, *text = NULL;

    /* both belong to QEMU now, and its end must be the only one */
    g_clear_pointer(&g->client, vh_client_close);
    vh_grant_files_close(&g->files);
    if (g->options->background && !go_to_background(&why)) {
        return host_fail(g_steal_pointer(&why));
    }
    if (!vh_damon_helper_run(&g->helper, &why)) {
        return host_fail(g_steal_pointer(&why));
    }
    text = g_strdup_printf("%s; DAMON is given back\n", why);
    return vh_cli_print(text);
}

static int grant(Grant *g)
{
    g_autoptr(GError) error = NULL;
    char *why = NULL;
    int code;

    g->client = vh_cli_open(g->options, &error);
    if (!g->client) {
        return vh_cli_fail(error);
    }
    if (!prepare(g, &why)) {
        return host_fail(why);
    }
    if (!hand_over(g, &error)) {
        return vh_cli_fail(error);
    }
    code = show(g, &error);
    return code || !g->helper.sysfs ? code : serve(g);
}

static void clear(Grant *g)
{
    int fds[] = { g->helper.socket, g->helper.process, g->helper.signals };

    vh_damon_sysfs_free(g->helper.sysfs);
    vh_grant_files_close(&g->files);
    vh_client_close(g->client);
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
}

static int revoke_all(Grant *g)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) reply = NULL;

    g->client = vh_cli_open(g->options, &error);
    if (g->client) {
        reply = vh_client_command(g->client, "vmheat-revoke", NULL, &error);
    }
    return reply ? show(g, &error) : vh_cli_fail(error);
}

int vh_cmd_grant(const VhOptions *options, const VhTerm *term)
{
    Grant g = { .options = options,
                .term = term,
                .helper = { .socket = -1, .process = -1, .signals = -1 } };
    int code = options->revoke ? revoke_all(&g) : grant(&g);

    clear(&g);
    return code;
}
