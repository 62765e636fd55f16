/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The domains that run. */
#include "libvirt-call.h"
#include "libvirt-jobs.h"

typedef struct ListJob {
    VhLvJob base;
    GPtrArray *domains;
} ListJob;

static int by_name(gconstpointer a, gconstpointer b)
{
    const VhDomain *const *x = a, *const *y = b;

    return g_strcmp0((*x)->name, (*y)->name);
}

static void add_domain(GPtrArray *out, virDomainPtr domain)
{
    VhDomain *d = g_new0(VhDomain, 1);

    G_STATIC_ASSERT(sizeof(d->uuid) == VIR_UUID_STRING_BUFLEN);
    d->name = g_strdup(virDomainGetName(domain));
    if (virDomainGetUUIDString(domain, d->uuid) || !d->name) {
        vh_domain_free(d);
        return;
    }
    g_ptr_array_add(out, d);
}

static bool run_list(VhLvJob *base, VhLvConn *c, GError **error)
{
    ListJob *job = (ListJob *)base;
    virDomainPtr *domains = NULL;
    int n = virConnectListAllDomains(c->conn, &domains,
                                     VIR_CONNECT_LIST_DOMAINS_ACTIVE);

    if (n < 0) {
        return vh_lv_take_error(c, error);
    }
    job->domains =
        g_ptr_array_new_with_free_func((GDestroyNotify)vh_domain_free);
    for (int i = 0; i < n; i++) {
        add_domain(job->domains, domains[i]);
        virDomainFree(domains[i]);
    }
    free(domains);
    g_ptr_array_sort(job->domains, by_name);
    return true;
}

static void clear_list(VhLvJob *base)
{
    ListJob *job = (ListJob *)base;

    g_clear_pointer(&job->domains, g_ptr_array_unref);
}

GPtrArray *vh_libvirt_list(const char *uri, gint64 timeout_us, GError **error)
{
    ListJob *job = vh_lv_job_new(sizeof(*job), run_list, clear_list);
    GPtrArray *out = NULL;

    if (vh_lv_run(uri, NULL, job, timeout_us, error)) {
        out = g_steal_pointer(&job->domains);
    }
    vh_lv_job_unref(job);
    return out;
}
