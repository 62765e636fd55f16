/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names: id and domain of a machine are unique among those that are watched, so
 * that no two have the same labels. The first to come has its name; one that
 * comes later with the same (a copy that was given the same UUID, two sockets
 * of one name) gets a part made of its address behind it.
 */
#include <string.h>

#include "log.h"
#include "vms.h"

#define HASH_DIGITS 8

typedef struct Entry {
    VhVm *vm;
    char *source;
    char *id, *domain; /* NULL: it has none yet */
    bool found;
} Entry;

struct VhVms {
    VhVmsConfig config;
    VhVmHooks hooks;
    GMutex lock; /* of what follows */
    GCond ended;
    GPtrArray *entries;
    unsigned threads, refused;
    bool stopped;
};

static void free_entry(Entry *e)
{
    vh_vm_stop(e->vm);
    vh_vm_unref(e->vm);
    g_free(e->source);
    g_free(e->id);
    g_free(e->domain);
    g_free(e);
}

static Entry *find_entry(VhVms *vms, const VhVm *vm)
{
    for (guint i = 0; i < vms->entries->len; i++) {
        Entry *e = g_ptr_array_index(vms->entries, i);

        if (e->vm == vm) {
            return e;
        }
    }
    return NULL;
}

/* ---- names ---- */

/* What can be in a URL, of a name that can be anything. */
static char *id_of(const char *name)
{
    GString *id = g_string_new(NULL);

    for (const char *p = name; *p && id->len < 64; p++) {
        g_string_append_c(id,
                          g_ascii_isalnum(*p) || strchr("-_.", *p) ? *p : '_');
    }
    if (!id->len || id->str[0] == '.') {
        g_string_prepend_c(id, '_');
    }
    return g_string_free(id, false);
}

/* @domain: compared is this name, else the id */
static bool is_taken(VhVms *vms, const Entry *self, const char *name,
                     bool domain)
{
    for (guint i = 0; i < vms->entries->len; i++) {
        const Entry *e = g_ptr_array_index(vms->entries, i);
        const char *has = domain ? e->domain : e->id;

        if (e != self && has && g_str_equal(has, name)) {
            return true;
        }
    }
    return false;
}

static char *unique(VhVms *vms, const Entry *self, char *name, bool domain)
{
    g_autofree char *sum = NULL;
    char *longer;

    if (!is_taken(vms, self, name, domain)) {
        return name;
    }
    sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256,
                                        vh_vm_address(self->vm), -1);
    longer = g_strdup_printf("%s-%.*s", name, HASH_DIGITS, sum);
    g_free(name);
    return longer;
}

/* Once given, names stay while the machine says the same. */
static void name_vm(void *opaque, VhVm *vm, const char *name, const char *uuid,
                    char **id, char **domain)
{
    VhVms *vms = opaque;
    g_autofree char *new_id = uuid ? g_ascii_strdown(uuid, -1) : id_of(name);
    char *new_domain = g_strdup(name);
    Entry *e;

    g_mutex_lock(&vms->lock);
    e = find_entry(vms, vm);
    if (e) {
        g_clear_pointer(&e->id, g_free);
        g_clear_pointer(&e->domain, g_free);
        e->id = unique(vms, e, g_steal_pointer(&new_id), false);
        e->domain = unique(vms, e, g_strdup(name), true);
        new_id = g_strdup(e->id);
        g_free(new_domain);
        new_domain = g_strdup(e->domain);
    }
    g_mutex_unlock(&vms->lock);
    g_free(*id);
    g_free(*domain);
    *id = g_steal_pointer(&new_id);
    *domain = new_domain;
}

/* ---- what machines tell ---- */

static void take_view(void *opaque, VhVm *vm, VhView *view)
{
    VhVms *vms = opaque;

    if (vms->config.hooks.view) {
        vms->config.hooks.view(vms->config.hooks.opaque, vm, view);
    }
}

static void take_event(void *opaque, VhVm *vm, const char *name,
                       JsonObject *data)
{
    VhVms *vms = opaque;
    g_autoptr(VhView) view = vh_vm_view(vm);

    if (view && vms->config.hooks.event) {
        vms->config.hooks.event(vms->config.hooks.opaque, view->id, name, data);
    }
}

static void take_end(void *opaque, VhVm *vm)
{
    VhVms *vms = opaque;

    g_mutex_lock(&vms->lock);
    vms->threads--;
    g_cond_signal(&vms->ended);
    g_mutex_unlock(&vms->lock);
}

VhVms *vh_vms_new(const VhVmsConfig *config)
{
    VhVms *vms = g_new0(VhVms, 1);

    vms->config = *config;
    vms->hooks = (VhVmHooks){ take_view, take_event, name_vm, take_end, vms };
    vms->entries = g_ptr_array_new_with_free_func((GDestroyNotify)free_entry);
    g_mutex_init(&vms->lock);
    g_cond_init(&vms->ended);
    return vms;
}

bool vh_vms_stop(VhVms *vms, gint64 wait_us)
{
    gint64 until = g_get_monotonic_time() + wait_us;
    bool all;

    g_mutex_lock(&vms->lock);
    vms->stopped = true;
    g_ptr_array_set_size(vms->entries, 0);
    while (vms->threads && g_cond_wait_until(&vms->ended, &vms->lock, until)) {
    }
    all = !vms->threads;
    g_mutex_unlock(&vms->lock);
    return all;
}

void vh_vms_free(VhVms *vms)
{
    /* the last thread may still be about to unlock */
    g_mutex_lock(&vms->lock);
    g_mutex_unlock(&vms->lock);
    g_ptr_array_unref(vms->entries);
    g_mutex_clear(&vms->lock);
    g_cond_clear(&vms->ended);
    g_free(vms);
}

/* ---- which there are ---- */

static bool keep(VhVms *vms, const char *source, const char *address)
{
    for (guint i = 0; i < vms->entries->len; i++) {
        Entry *e = g_ptr_array_index(vms->entries, i);

        if (g_str_equal(e->source, source) &&
            g_str_equal(vh_vm_address(e->vm), address)) {
            e->found = true;
            return true;
        }
    }
    return false;
}

static void add(VhVms *vms, const char *source, const char *address,
                const char *name, bool libvirt)
{
    VhVmConfig config = { .address = address,
                          .name = name,
                          .libvirt = libvirt,
                          .uri = vms->config.uri,
                          .timeout_us = vms->config.timeout_us,
                          .pace = vms->config.pace,
                          .history = vms->config.history,
                          .records = vms->config.records,
                          .hooks = &vms->hooks };
    Entry *e = g_new0(Entry, 1);

    e->source = g_strdup(source);
    e->found = true;
    vms->threads++;
    e->vm = vh_vm_new(&config);
    g_ptr_array_add(vms->entries, e);
}

static void forget(VhVms *vms, const char *source)
{
    for (guint i = vms->entries->len; i-- > 0;) {
        Entry *e = g_ptr_array_index(vms->entries, i);

        if (g_str_equal(e->source, source) && !e->found) {
            g_ptr_array_remove_index(vms->entries, i);
        }
    }
}

static void unmark(VhVms *vms, const char *source)
{
    for (guint i = 0; i < vms->entries->len; i++) {
        Entry *e = g_ptr_array_index(vms->entries, i);

        e->found = e->found && !g_str_equal(e->source, source);
    }
}

static bool add_all(VhVms *vms, const char *source, const GPtrArray *addresses,
                    const GPtrArray *names, bool libvirt)
{
    unsigned refused = 0;
    bool news;

    unmark(vms, source);
    for (guint i = 0; i < addresses->len; i++) {
        const char *address = g_ptr_array_index(addresses, i);

        if (keep(vms, source, address)) {
            continue;
        }
        if (vms->entries->len == VH_VMS_MAX) {
            refused++;
        } else {
            add(vms, source, address, g_ptr_array_index(names, i), libvirt);
        }
    }
    news = refused && !vms->refused;
    vms->refused = refused;
    forget(vms, source);
    return news;
}

void vh_vms_set(VhVms *vms, const char *source, const GPtrArray *addresses,
                const GPtrArray *names, bool libvirt)
{
    bool too_many = false;

    g_mutex_lock(&vms->lock);
    if (!vms->stopped) {
        too_many = add_all(vms, source, addresses, names, libvirt);
    }
    g_mutex_unlock(&vms->lock);
    if (too_many) {
        vh_log("there are more than %d machines; the others are not watched",
               VH_VMS_MAX);
    }
}

/* ---- for readers ---- */

static int by_domain(const void *a, const void *b)
{
    const VhView *x = *(VhView *const *)a;
    const VhView *y = *(VhView *const *)b;

    return strcmp(x->domain, y->domain);
}

GPtrArray *vh_vms_views(VhVms *vms)
{
    GPtrArray *out =
        g_ptr_array_new_with_free_func((GDestroyNotify)vh_view_unref);

    g_mutex_lock(&vms->lock);
    for (guint i = 0; i < vms->entries->len; i++) {
        Entry *e = g_ptr_array_index(vms->entries, i);
        VhView *view = vh_vm_view(e->vm);

        if (view) {
            g_ptr_array_add(out, view);
        }
    }
    g_mutex_unlock(&vms->lock);
    g_ptr_array_sort(out, by_domain);
    return out;
}

VhVm *vh_vms_find(VhVms *vms, const char *id)
{
    VhVm *found = NULL;

    g_mutex_lock(&vms->lock);
    for (guint i = 0; i < vms->entries->len && !found; i++) {
        Entry *e = g_ptr_array_index(vms->entries, i);

        found = e->id && g_str_equal(e->id, id) ? vh_vm_ref(e->vm) : NULL;
    }
    g_mutex_unlock(&vms->lock);
    return found;
}

void vh_vms_look(VhVms *vms)
{
    g_mutex_lock(&vms->lock);
    for (guint i = 0; i < vms->entries->len; i++) {
        vh_vm_look(((Entry *)g_ptr_array_index(vms->entries, i))->vm, true);
    }
    g_mutex_unlock(&vms->lock);
}
