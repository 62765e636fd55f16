/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of doctor and grant. */
#include "options-table.h"

static const char *take_programs(VhOptions *o, const char *arg)
{
    o->programs = arg;
    return *arg ? NULL : "a directory";
}

static const char *take_pid(VhOptions *o, const char *arg)
{
    uint64_t v = 0;
    bool ok = vh_take_count(arg, 1, INT32_MAX, &v);

    o->pid = v;
    return ok ? NULL : "the number of a process";
}

static const char *take_damon_cpu(VhOptions *o, const char *arg)
{
    uint64_t v = 0;
    bool ok = vh_take_count(arg, 1, 100, &v);

    o->damon_cpu = v;
    return ok ? NULL : "a number, 1 .. 100";
}

static const char *take_page_idle(VhOptions *o, const char *arg)
{
    o->page_idle = arg;
    return NULL;
}

static const char *take_damon_root(VhOptions *o, const char *arg)
{
    o->damon_root = arg;
    return NULL;
}

static const char *take_damon_owner(VhOptions *o, const char *arg)
{
    o->damon_owner = arg;
    return NULL;
}

/* Options of recipes, and --apply, find out themselves what is wrong. */

const VhOption vh_options_grant[] = {
    { 0, "programs", "DIR", "where the programs that try the host are",
      take_programs },
    { 0, "pid", "PID", "process of QEMU; default: found out", take_pid },
    { 0, "damon", NULL,
      "drive the kernel's DAMON for QEMU, until "
      "it ends",
      NULL, VH_FLAG(damon) },
    { 0, "damon-cpu", "PERCENT",
      "CPU for reading DAMON's "
      "regions; default: 2",
      take_damon_cpu },
    { 0, "background", NULL,
      "with --damon: go on in the "
      "background",
      NULL, VH_FLAG(background) },
    { 0, "no-idle-page", NULL,
      "with --damon: hand over "
      "nothing else",
      NULL, VH_FLAG(no_idle_page) },
    { 0, "revoke", NULL, "make QEMU close what was handed over", NULL,
      VH_FLAG(revoke) },
    { 0, "page-idle", "FILE", NULL, take_page_idle },
    { 0, "damon-root", "DIR", NULL, take_damon_root },
    { 0, "damon-owner", "FILE", NULL, take_damon_owner },
    {},
};
