/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of the live page, which are in the program. */
#ifndef VMHEAT_EXPORTER_ASSETS_H
#define VMHEAT_EXPORTER_ASSETS_H

#include <stdbool.h>

/** vh_asset_exists() - is there a file of that path? @words: of it */
bool vh_asset_exists(char *const *words);

#endif
