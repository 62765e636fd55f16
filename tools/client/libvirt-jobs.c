/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a worker does with libvirt: connect, find a domain and listen to it, run
 * monitor commands. All of it may block.
 */
#include "libvirt-jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>

/* A daemon that does not answer for half a minute is given up. */
#define KEEP_ALIVE_S 5
#define KEEP_ALIVE_COUNT 5

static const char *last_message(void)
{
    const virError *e = virGetLastError();

    return e && e->message ? e->message : "it did not say why";
}

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool fail(GError **error, const char *format, ...)
{
    va_list args;
    g_autofree char *text = NULL;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, VH_CLIENT_ERROR, VH_CLIENT_ERROR_CONNECT, text);
    return false;
}

/* Why libvirt cannot be reached, from its last error. */
static const char *connect_reason(void)
{
    const virError *e = virGetLastError();
    int err = e && e->code == VIR_ERR_SYSTEM_ERROR ? e->int1 : 0;

    switch (e ? e->code : 0) {
    case VIR_ERR_AUTH_FAILED:
    case VIR_ERR_AUTH_CANCELLED:
    case VIR_ERR_AUTH_UNAVAILABLE:
    case VIR_ERR_ACCESS_DENIED:
    case VIR_ERR_OPERATION_DENIED:
        err = EACCES;
    }
    switch (err) {
    case EACCES:
    case EPERM:
        return "permission denied; be root or a member of the group libvirt: ";
    case ENOENT:
    case ECONNREFUSED:
        return "no libvirt daemon runs there; start libvirtd or virtqemud: ";
    default:
        return "";
    }
}

/* Where @c is or shall be; free it. */
static char *where(VhLvConn *c, const char *uri)
{
    char *real = c->conn ? virConnectGetURI(c->conn) : NULL;
    const char *wanted = uri ? uri : g_getenv("LIBVIRT_DEFAULT_URI");
    char *text = g_strdup(real ? real : wanted ? wanted : "its default URI");

    free(real);
    return text;
}

static bool connect_libvirt(VhLvConn *c, const char *uri, GError **error)
{
    g_autofree char *at = where(c, uri);
    const char *type;

    c->conn = virConnectOpen(uri);
    if (!c->conn) {
        return fail(error, "cannot connect to libvirt at '%s': %s%s", at,
                    connect_reason(), last_message());
    }
    type = virConnectGetType(c->conn);
    if (g_strcmp0(type, "QEMU")) {
        return fail(error,
                    "'%s' is libvirt's driver for %s; vmheat works with "
                    "domains of QEMU, such as those of qemu:///system",
                    at, type ? type : "something unknown");
    }
    /* not all transports can; then only the caller's time-out counts */
    virConnectSetKeepAlive(c->conn, KEEP_ALIVE_S, KEEP_ALIVE_COUNT);
    return true;
}

/* As virsh does: an id, a UUID or a name. */
static virDomainPtr look_up(virConnectPtr conn, const char *domain)
{
    virDomainPtr found = NULL;
    guint64 id;

    if (g_ascii_string_to_unsigned(domain, 10, 0, G_MAXINT, &id, NULL)) {
        found = virDomainLookupByID(conn, id);
    }
    if (!found && strlen(domain) == VIR_UUID_STRING_BUFLEN - 1) {
        found = virDomainLookupByUUIDString(conn, domain);
    }
    return found ? found : virDomainLookupByName(conn, domain);
}

static bool no_domain(VhLvConn *c, const VhLvOpenJob *job, GError **error)
{
    g_autofree char *at = where(c, job->uri);
    const virError *e = virGetLastError();

    if (e && e->code != VIR_ERR_NO_DOMAIN) {
        return vh_lv_take_error(c, error);
    }
    if (*job->found.uuid) {
        return fail(error, "domain '%s' of '%s', with UUID %s, is gone",
                    job->domain, at, job->found.uuid);
    }
    return fail(error,
                "there is no domain '%s' at '%s'; 'virsh -c %s list "
                "--all' lists those there are",
                job->domain, at, at);
}

static bool find_domain(VhLvConn *c, VhLvOpenJob *job, GError **error)
{
    g_autofree char *at = where(c, job->uri);
    char *uuid = job->found.uuid;

    c->domain = *uuid ? virDomainLookupByUUIDString(c->conn, uuid)
                      : look_up(c->conn, job->domain);
    if (!c->domain) {
        return no_domain(c, job, error);
    }
    if (virDomainGetUUIDString(c->domain, uuid)) {
        return vh_lv_take_error(c, error);
    }
    g_free(job->found.name);
    job->found.name = g_strdup(virDomainGetName(c->domain));
    return !job->monitor || virDomainIsActive(c->domain) != 0 ||
           fail(error, "domain '%s' of '%s' is not running", job->domain, at);
}

static void on_close(virConnectPtr conn, int reason, void *worker)
{
    if (reason != VIR_CONNECT_CLOSE_REASON_CLIENT) {
        vh_lv_worker_tell(worker, VH_LV_LOST, NULL, NULL);
    }
}

static void on_monitor(virConnectPtr conn, virDomainPtr domain,
                       const char *event, long long seconds, unsigned micros,
                       const char *details, void *worker)
{
    vh_lv_worker_tell(worker, VH_LV_EVENT, event, details);
}

static const char *end_text(int detail)
{
    switch (detail) {
    case VIR_DOMAIN_EVENT_STOPPED_MIGRATED:
        return "has been migrated to another host";
    case VIR_DOMAIN_EVENT_STOPPED_SAVED:
        return "has been saved";
    case VIR_DOMAIN_EVENT_STOPPED_CRASHED:
    case VIR_DOMAIN_EVENT_STOPPED_FAILED:
        return "has crashed";
    default:
        return "has ended";
    }
}

static int on_lifecycle(virConnectPtr conn, virDomainPtr domain, int event,
                        int detail, void *worker)
{
    if (event == VIR_DOMAIN_EVENT_STOPPED) {
        vh_lv_worker_tell(worker, VH_LV_ENDED, end_text(detail), NULL);
    }
    return 0;
}

/* References are the callbacks', from before they can be called. */
static bool listen_to(VhLvConn *c, GError **error)
{
    VhLvWorker *w = vh_lv_worker_ref(c->worker);

    if (virConnectRegisterCloseCallback(c->conn, on_close, w,
                                        vh_lv_worker_unref)) {
        vh_lv_worker_unref(w); /* a transport that cannot tell */
    }
    w = vh_lv_worker_ref(c->worker);
    c->monitor_callback = virConnectDomainQemuMonitorEventRegister(
        c->conn, c->domain, "^VMHEAT_", on_monitor, w, vh_lv_worker_unref,
        VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_REGEX);
    if (c->monitor_callback < 0) {
        vh_lv_worker_unref(w);
        return vh_lv_take_error(c, error);
    }
    w = vh_lv_worker_ref(c->worker);
    c->life_callback = virConnectDomainEventRegisterAny(
        c->conn, c->domain, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
        VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), w, vh_lv_worker_unref);
    if (c->life_callback < 0) {
        vh_lv_worker_unref(w);
        return vh_lv_take_error(c, error);
    }
    return true;
}

void vh_lv_disconnect(VhLvConn *c)
{
    if (c->monitor_callback >= 0) {
        virConnectDomainQemuMonitorEventDeregister(c->conn,
                                                   c->monitor_callback);
    }
    if (c->life_callback >= 0) {
        virConnectDomainEventDeregisterAny(c->conn, c->life_callback);
    }
    if (c->domain) {
        virDomainFree(c->domain);
    }
    if (c->conn) {
        virConnectUnregisterCloseCallback(c->conn, on_close);
        virConnectClose(c->conn);
    }
}

bool vh_lv_take_error(VhLvConn *c, GError **error)
{
    g_autofree char *message = g_strdup(last_message());
    const virError *e = virGetLastError();
    int code = e ? e->code : 0;
    g_autofree char *at = where(c, NULL);
    const char *name = c->domain ? virDomainGetName(c->domain) : NULL;

    if (code == VIR_ERR_OPERATION_DENIED || code == VIR_ERR_ACCESS_DENIED) {
        return fail(error, "libvirt at '%s' does not allow it: %s", at,
                    message);
    }
    if (c->conn && virConnectIsAlive(c->conn) == 0) {
        vh_lv_worker_tell(c->worker, VH_LV_LOST, NULL, NULL);
        return fail(error, "the connection to libvirt at '%s' was lost", at);
    }
    if (name && virDomainIsActive(c->domain) != 1) {
        return fail(error, "domain '%s' of '%s' has ended", name, at);
    }
    return fail(error, "libvirt at '%s': %s", at, message);
}

static bool run_open(VhLvJob *base, VhLvConn *c, GError **error)
{
    VhLvOpenJob *job = (VhLvOpenJob *)base;

    return connect_libvirt(c, job->uri, error) &&
           (!job->domain || find_domain(c, job, error)) &&
           (!job->monitor || listen_to(c, error));
}

static void clear_open(VhLvJob *base)
{
    VhLvOpenJob *job = (VhLvOpenJob *)base;

    g_free(job->uri);
    g_free(job->domain);
    g_free(job->found.name);
}

VhLvOpenJob *vh_lv_open_job(const char *uri, const char *domain,
                            const char *uuid, bool monitor)
{
    VhLvOpenJob *job = vh_lv_job_new(sizeof(*job), run_open, clear_open);

    job->uri = g_strdup(uri);
    job->domain = g_strdup(domain);
    g_strlcpy(job->found.uuid, uuid, sizeof(job->found.uuid));
    job->monitor = monitor;
    return job;
}

static int send_command(VhLvCommandJob *job, virDomainPtr domain, char **reply)
{
    if (job->fd < 0) {
        return virDomainQemuMonitorCommand(domain, job->request, reply, 0);
    }
#if LIBVIR_CHECK_VERSION(8, 2, 0)
    return virDomainQemuMonitorCommandWithFiles(domain, job->request, 1,
                                                &job->fd, NULL, NULL, reply, 0);
#else
    return -1;
#endif
}

static bool run_command(VhLvJob *base, VhLvConn *c, GError **error)
{
    VhLvCommandJob *job = (VhLvCommandJob *)base;
    char *reply = NULL;

    virResetLastError();
    if (send_command(job, c->domain, &reply) < 0) {
        if (job->fd >= 0 && !virGetLastError()) {
            return fail(error, "libvirt before 8.2 passes no descriptors");
        }
        return vh_lv_take_error(c, error);
    }
    job->reply = g_strdup(reply);
    free(reply);
    return true;
}

static void clear_command(VhLvJob *base)
{
    VhLvCommandJob *job = (VhLvCommandJob *)base;

    if (job->fd >= 0) {
        close(job->fd);
    }
    g_free(job->request);
    g_free(job->reply);
}

VhLvCommandJob *vh_lv_command_job(char *request, int fd)
{
    VhLvCommandJob *job =
        vh_lv_job_new(sizeof(*job), run_command, clear_command);

    job->request = request;
    job->fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return job;
}
