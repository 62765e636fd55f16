/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "hw/host-metrics.h"

/* The number after @key in /proc/meminfo. */
static bool meminfo(const char *text, const char *key, uint64_t *value)
{
    const char *line = strstr(text, key);

    return line &&
           sscanf(line + strlen(key), " %" G_GUINT64_FORMAT, value) == 1;
}

bool vmheat_host_free_permille(uint64_t *value)
{
    g_autofree char *text = NULL;
    uint64_t total, free;

    if (!g_file_get_contents("/proc/meminfo", &text, NULL, NULL) ||
        !meminfo(text, "MemTotal:", &total) ||
        !meminfo(text, "MemFree:", &free) || !total) {
        return false;
    }
    *value = free * 1000 / total;
    return true;
}

static bool psi_some(double *avg10, uint64_t *total_us)
{
    g_autofree char *text = NULL;

    return g_file_get_contents("/proc/pressure/memory", &text, NULL, NULL) &&
           sscanf(
               text,
               "some avg10=%lf avg60=%*f avg300=%*f total=%" G_GUINT64_FORMAT,
               avg10, total_us) == 2;
}

bool vmheat_host_psi_total_us(uint64_t *value)
{
    double avg10;

    return psi_some(&avg10, value);
}

bool vmheat_host_psi_avg10(uint64_t *value)
{
    double avg10;
    uint64_t total;

    if (!psi_some(&avg10, &total)) {
        return false;
    }
    *value = avg10 * 100 + 0.5;
    return true;
}
