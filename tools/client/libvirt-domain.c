/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Definitions of domains, read and changed. */
#include "libvirt-domain.h"

#include "libvirt-call.h"
#include "libvirt-jobs.h"

typedef struct ReadJob {
    VhLvJob base;
    unsigned what;
    VhDomainConfig *config;
} ReadJob;

typedef struct DefineJob {
    VhLvJob base;
    char *xml;
} DefineJob;

void vh_domain_config_free(VhDomainConfig *config)
{
    g_free(config->name);
    g_free(config->uri);
    g_free(config->xml);
    g_free(config->live_xml);
    g_free(config->capabilities);
    g_free(config);
}

/* As GLib's; libvirt's is freed with free(). */
static char *take_text(char *text)
{
    char *copy = g_strdup(text);

    free(text);
    return copy;
}

static bool run_read(VhLvJob *base, VhLvConn *c, GError **error)
{
    ReadJob *job = (ReadJob *)base;
    unsigned secret = job->what & VH_READ_SECRET ? VIR_DOMAIN_XML_SECURE : 0;
    int active = virDomainIsActive(c->domain);
    int persistent = virDomainIsPersistent(c->domain);
    VhDomainConfig *config = g_new0(VhDomainConfig, 1);

    job->config = config;
    config->name = g_strdup(virDomainGetName(c->domain));
    config->uri = take_text(virConnectGetURI(c->conn));
    config->saved = virDomainHasManagedSaveImage(c->domain, 0) == 1;
    config->ram = (uint64_t)virDomainGetMaxMemory(c->domain) * 1024;
    if (job->what & VH_READ_CAPABILITIES) {
        config->capabilities = take_text(virConnectGetCapabilities(c->conn));
    }
    if (persistent > 0) {
        config->xml = take_text(
            virDomainGetXMLDesc(c->domain, VIR_DOMAIN_XML_INACTIVE | secret));
    }
    if (active > 0) {
        config->live_xml = take_text(virDomainGetXMLDesc(c->domain, 0));
    }
    return (active >= 0 && persistent >= 0 && (!persistent || config->xml)) ||
           vh_lv_take_error(c, error);
}

static void clear_read(VhLvJob *base)
{
    g_clear_pointer(&((ReadJob *)base)->config, vh_domain_config_free);
}

VhDomainConfig *vh_domain_config_read(const char *uri, const char *domain,
                                      unsigned what, gint64 timeout_us,
                                      GError **error)
{
    ReadJob *job = vh_lv_job_new(sizeof(*job), run_read, clear_read);
    VhDomainConfig *config = NULL;

    job->what = what;
    if (vh_lv_run(uri, domain, job, timeout_us, error)) {
        config = g_steal_pointer(&job->config);
    }
    vh_lv_job_unref(job);
    return config;
}

static bool run_define(VhLvJob *base, VhLvConn *c, GError **error)
{
    virDomainPtr domain = virDomainDefineXML(c->conn, ((DefineJob *)base)->xml);

    if (!domain) {
        return vh_lv_take_error(c, error);
    }
    virDomainFree(domain);
    return true;
}

static void clear_define(VhLvJob *base)
{
    g_free(((DefineJob *)base)->xml);
}

bool vh_domain_config_define(const char *uri, const char *xml,
                             gint64 timeout_us, GError **error)
{
    DefineJob *job = vh_lv_job_new(sizeof(*job), run_define, clear_define);
    bool ok;

    job->xml = g_strdup(xml);
    ok = vh_lv_run(uri, NULL, job, timeout_us, error);
    vh_lv_job_unref(job);
    return ok;
}
