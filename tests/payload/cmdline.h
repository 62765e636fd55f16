/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The payload's configuration: reading it from the command line, and saying in
 * one sentence what is wrong with it.  Freestanding.
 *
 *   ram=END                    where guest RAM ends: VHP_BASE and its size, if
 *                              there is no hole
 *   hole=START                 no RAM in [START, 4G); needed if RAM goes on at
 *                              4G, as in microvm from 3 GiB, q35 from 2 GiB
 *   fill=END                   fill [VHP_RAM_START, END) at start; without it: to ram
 *   range=START+SIZE:RATE:PCT  up to 8 times; RATE touches a second (0: as
 *                              fast as possible), PCT % of them writes
 *   tsc_khz=N                  needed if a RATE is not 0
 *   seed=N                     of the random numbers and the pattern
 *   go                         start at once
 *
 * Numbers are decimal or 0x hexadecimal, with an optional suffix K, M or G
 * (powers of 1024).
 */
#ifndef VHP_CMDLINE_H
#define VHP_CMDLINE_H

#include <stdbool.h>

#include "layout.h"

/** struct VhpConfig - all that the host may ask for */
typedef struct VhpConfig {
    uint64_t ram;
    uint64_t hole; /* 0: none */
    uint64_t fill_end;
    uint64_t seed;
    uint64_t tsc_khz;
    bool go;
    unsigned int nr_ranges;
    VhpRange ranges[VHP_MAX_RANGES];
} VhpConfig;

/**
 * vhp_config_parse() - read a command line
 * @config: is set as a whole; undefined on failure
 * @why: receives the error sentence, always terminated
 *
 * Does not look at ranges or tsc_khz: vhp_config_check_run() does.
 *
 * Return: false if a word is bad, or ram or fill is.
 */
bool vhp_config_parse(const char *cmdline, VhpConfig *config, char *why,
                      size_t why_size);

/**
 * vhp_config_check_run() - can these ranges be run?
 *
 * tsc_khz matters only with @config->go: before, the host may still give it.
 *
 * Return: false, with a sentence in @why, if any range or tsc_khz is bad.
 */
bool vhp_config_check_run(const VhpConfig *config, char *why, size_t why_size);

/** vhp_config_next_page() - the page after the one at @at, past the hole */
uint64_t vhp_config_next_page(const VhpConfig *config, uint64_t at);

#endif
