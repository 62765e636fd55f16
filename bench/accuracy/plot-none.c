/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for plot.c in a build without cairo. */
#include <glib.h>

#include "plot.h"

bool plot_write(const char *path, const PlotPanel *panels, size_t n, char **why)
{
    *why = g_strdup("--plot: this program was built without cairo; install "
                    "libcairo2-dev (scripts/setup does) and build it anew");
    return false;
}
