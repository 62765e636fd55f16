/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "assets.h"
#include "route.h"

#define VM "api/v1/vms/*"
#define LATER VH_ROUTE_LATER
#define CONTROL (VH_ROUTE_LATER | VH_ROUTE_CONTROL)

static const VhRoute routes[] = {
    { "GET", "metrics", VH_ROUTE_SCRAPE, vh_get_metrics },
    { "GET", "healthz", 0, vh_get_health },
    { "GET", "api/v1/host", 0, vh_get_host },
    { "GET", "api/v1/vms", 0, vh_get_vms },
    { "GET", "api/v1/events", 0, vh_get_events },
    { "GET", VM, 0, vh_get_vm },
    { "GET", VM "/history", LATER, vh_get_history },
    { "GET", VM "/heatmap", LATER, vh_get_heatmap },
    { "GET", VM "/region", LATER, vh_get_region },
    { "GET", VM "/actions", LATER, vh_get_actions },
    { "GET", VM "/events", 0, vh_get_vm_events },
    { "POST", VM "/pause", CONTROL, vh_post_pause },
    { "POST", VM "/resume", CONTROL, vh_post_resume },
    { "POST", VM "/attrs", CONTROL, vh_post_attrs },
    { "PUT", VM "/schemes", CONTROL, vh_put_schemes },
};

/* All else is a file of the page, or nothing. */
static const VhRoute asset = { "GET", "", 0, vh_get_asset };

/* Word by word. */
static bool fits(const char *pattern, char *const *path)
{
    for (; *path; path++) {
        size_t n = strcspn(pattern, "/");
        bool any = n == 1 && *pattern == '*' && **path;

        if (!any && (strlen(*path) != n || strncmp(pattern, *path, n))) {
            return false;
        }
        pattern += n;
        if (!*pattern) {
            return !path[1];
        }
        pattern++;
    }
    return false;
}

static const VhRoute *not_allowed(VhRequest *r, const char *allow)
{
    vh_request_answer(r, vh_response_error(405,
                                           "that method is not for this "
                                           "path; see Allow",
                                           "Allow", g_strdup(allow)));
    return NULL;
}

const VhRoute *vh_route_find(VhRequest *r, const char *method)
{
    const char *wanted = g_str_equal(method, "HEAD") ? "GET" : method;
    const VhRoute *found = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(routes) && !found; i++) {
        found = fits(routes[i].path, r->path) ? &routes[i] : NULL;
    }
    if (!found && vh_asset_exists(r->path)) {
        found = &asset;
    }
    if (!found) {
        vh_request_fail(r, 404, "there is nothing at this path");
        return NULL;
    }
    if (!g_str_equal(found->method, wanted)) {
        return not_allowed(
            r, g_str_equal(found->method, "GET") ? "GET, HEAD" : found->method);
    }
    return found;
}
