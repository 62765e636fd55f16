/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "log.h"
#include "targets.h"

/* Many sockets that appear at once are looked at once. */
#define CALM_MS 50

struct VhTargets {
    const VhTargetsConfig *config;
    VhVms *vms;
    int stop; /* eventfd */
    int inotify, watch;
    bool troubled; /* it was told already */
    GThread *folder_thread, *libvirt_thread;
};

typedef struct Found {
    GPtrArray *addresses, *names;
} Found;

static Found found_new(void)
{
    return (Found){ g_ptr_array_new_with_free_func(g_free),
                    g_ptr_array_new_with_free_func(g_free) };
}

static void found_add(Found *f, const char *address, char *name)
{
    g_ptr_array_add(f->addresses, g_strdup(address));
    g_ptr_array_add(f->names, name);
}

static void found_give(Found *f, VhVms *vms, const char *source, bool libvirt)
{
    vh_vms_set(vms, source, f->addresses, f->names, libvirt);
    g_ptr_array_unref(f->addresses);
    g_ptr_array_unref(f->names);
}

char *vh_targets_name(const char *path)
{
    static const char *const ends[] = { ".qmp", ".sock", ".socket",
                                        ".monitor" };
    char *name = g_path_get_basename(path);

    for (unsigned i = 0; i < G_N_ELEMENTS(ends); i++) {
        size_t n = strlen(name), m = strlen(ends[i]);

        if (n > m && g_str_has_suffix(name, ends[i])) {
            name[n - m] = 0;
            break;
        }
    }
    return name;
}

static void give_sockets(VhTargets *t)
{
    Found f = found_new();

    for (char **s = t->config->sockets; s && *s; s++) {
        found_add(&f, *s, vh_targets_name(*s));
    }
    found_give(&f, t->vms, "socket", false);
}

/* ---- a folder ---- */

static bool look_at_folder(VhTargets *t, GError **error)
{
    g_autoptr(GPtrArray) sockets = vh_socket_list(t->config->folder, error);
    Found f;

    if (!sockets) {
        return false;
    }
    f = found_new();
    for (guint i = 0; i < sockets->len; i++) {
        const char *path = g_ptr_array_index(sockets, i);

        found_add(&f, path, vh_targets_name(path));
    }
    found_give(&f, t->vms, "folder", false);
    return true;
}

/* What is wrong is told once, until it works again. */
static void tell(VhTargets *t, const GError *error)
{
    if (error && !t->troubled) {
        vh_log("%s; trying again", error->message);
    }
    t->troubled = error != NULL;
}

static void watch_folder(VhTargets *t)
{
    if (t->inotify >= 0) {
        /* the same one again when it was not replaced */
        t->watch = inotify_add_watch(t->inotify, t->config->folder,
                                     IN_CREATE | IN_DELETE | IN_MOVE |
                                         IN_ATTRIB | IN_ONLYDIR);
    }
}

/* False: it is time to end. */
static bool wait_for_news(VhTargets *t)
{
    struct pollfd fds[] = { { t->stop, POLLIN, 0 }, { t->inotify, POLLIN, 0 } };
    char buf[4096];

    poll(fds, 2, VH_TARGETS_US / 1000);
    if (!fds[0].revents && fds[1].revents) {
        poll(fds, 1, CALM_MS);
        while (read(t->inotify, buf, sizeof(buf)) > 0) {
        }
    }
    return !fds[0].revents;
}

static gpointer run_folder(gpointer opaque)
{
    VhTargets *t = opaque;

    while (wait_for_news(t)) {
        g_autoptr(GError) e = NULL;

        watch_folder(t);
        look_at_folder(t, &e);
        tell(t, e);
    }
    return NULL;
}

static bool start_folder(VhTargets *t, GError **error)
{
    t->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    watch_folder(t);
    if (!look_at_folder(t, error)) {
        return false;
    }
    t->folder_thread = g_thread_new("folder", run_folder, t);
    return true;
}

/* ---- libvirt ---- */

static bool ask_libvirt(VhTargets *t, GError **error)
{
    g_autoptr(GPtrArray) domains =
        vh_libvirt_list(t->config->uri, t->config->timeout_us, error);
    Found f;

    if (!domains) {
        return false;
    }
    f = found_new();
    for (guint i = 0; i < domains->len; i++) {
        const VhDomain *d = g_ptr_array_index(domains, i);

        found_add(&f, d->uuid, g_strdup(d->name));
    }
    found_give(&f, t->vms, "libvirt", true);
    return true;
}

static gpointer run_libvirt(gpointer opaque)
{
    VhTargets *t = opaque;
    struct pollfd stop = { t->stop, POLLIN, 0 };
    bool troubled = false;

    while (!poll(&stop, 1, VH_TARGETS_US / 1000)) {
        g_autoptr(GError) e = NULL;

        if (!ask_libvirt(t, &e) && !troubled) {
            vh_log("%s; trying again", e->message);
        }
        troubled = e != NULL;
    }
    return NULL;
}

static bool start_libvirt(VhTargets *t, GError **error)
{
    if (!ask_libvirt(t, error)) {
        return false;
    }
    t->libvirt_thread = g_thread_new("libvirt", run_libvirt, t);
    return true;
}

VhTargets *vh_targets_new(const VhTargetsConfig *config, VhVms *vms,
                          GError **error)
{
    VhTargets *t = g_new0(VhTargets, 1);

    *t = (VhTargets){ .config = config, .vms = vms, .inotify = -1 };
    t->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    give_sockets(t);
    if ((config->folder && !start_folder(t, error)) ||
        (config->libvirt && !start_libvirt(t, error))) {
        vh_targets_free(t);
        return NULL;
    }
    return t;
}

void vh_targets_free(VhTargets *targets)
{
    uint64_t one = 1;

    if (write(targets->stop, &one, sizeof(one)) < 0) {
        /* cannot be: it is 0 */
    }
    g_clear_pointer(&targets->folder_thread, g_thread_join);
    g_clear_pointer(&targets->libvirt_thread, g_thread_join);
    if (targets->inotify >= 0) {
        close(targets->inotify);
    }
    close(targets->stop);
    g_free(targets);
}
