/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of top. */
#include "options-table.h"

static const char *take_sockets(VhOptions *o, const char *arg)
{
    o->sockets = arg;
    return *arg ? NULL : "a folder";
}

static const char *take_sort(VhOptions *o, const char *arg)
{
    for (unsigned i = 0; i < VH_FLEET_SORTS; i++) {
        if (g_str_equal(arg, vh_fleet_sort_name(i))) {
            o->by = i;
            return NULL;
        }
    }
    return "cold, name, size, wss, saved or cost";
}

const VhOption vh_options_top[] = {
    { 0, "all", NULL, "all running domains of libvirt that have vmheat", NULL,
      VH_FLAG(all) },
    { 0, "sockets", "DIR", "with --all: the QMP sockets in DIR instead",
      take_sockets },
    { 0, "sort", "BY",
      "with --all: by cold (default), name, size, wss, saved or cost",
      take_sort, 0, "top" },
    {},
};
