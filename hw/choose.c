/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compat/qemu.h"
#include "hw/choose.h"

static char *primitive_names(void)
{
    GString *s = g_string_new("auto");

    for (const VhPrimitiveOps *const *p = vh_primitives(); *p; p++) {
        if (!(*p)->hidden) {
            g_string_append_printf(s, ", %s", (*p)->name);
        }
    }
    return g_string_free(s, false);
}

static const VhPrimitiveOps *choose_best(const VhMap *map, const VhHost *host,
                                         char **choice, Error **errp)
{
    g_autoptr(GString) reasons = g_string_new(NULL);
    VhCaps caps;

    for (const VhPrimitiveOps *const *p = vh_primitives(); *p; p++) {
        g_autofree char *why = NULL;

        if ((*p)->hidden) {
            continue;
        }
        if ((*p)->probe(map, host, &caps, &why)) {
            *choice = g_strdup_printf("auto: %s is the best that runs here",
                                      (*p)->name);
            return *p;
        }
        g_string_append_printf(reasons, "%s%s: %s", reasons->len ? "; " : "",
                               (*p)->name, why);
    }
    error_setg(errp, "no access-check primitive can run here: %s",
               reasons->str);
    return NULL;
}

const VhPrimitiveOps *vmheat_choose_primitive(const char *name,
                                              const VhMap *map,
                                              const VhHost *host,
                                              char **choice, Error **errp)
{
    const VhPrimitiveOps *p;
    g_autofree char *why = NULL;
    VhCaps caps;

    if (g_str_equal(name, "auto")) {
        return choose_best(map, host, choice, errp);
    }
    p = vh_primitive_find(name);
    if (!p) {
        g_autofree char *names = primitive_names();

        error_setg(errp, "unknown primitive '%s': must be one of %s", name,
                   names);
        return NULL;
    }
    if (!p->probe(map, host, &caps, &why)) {
        error_setg(errp, "primitive '%s' cannot run here: %s", name, why);
        return NULL;
    }
    *choice = g_strdup("asked for");
    return p;
}

const VhEstimatorOps *vmheat_choose_estimator(const char *name, Error **errp)
{
    const VhEstimatorOps *e = vh_estimator_find(name);
    g_autoptr(GString) names = g_string_new(NULL);

    if (e) {
        return e;
    }
    for (const VhEstimatorOps *const *p = vh_estimators(); *p; p++) {
        g_string_append_printf(names, "%s%s", names->len ? ", " : "",
                               (*p)->name);
    }
    error_setg(errp, "unknown estimator '%s': must be one of %s", name,
               names->str);
    return NULL;
}
