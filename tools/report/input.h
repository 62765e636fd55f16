/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a report is about: a record, or the latest snapshot of a machine. */
#ifndef VMHEAT_TOOLS_INPUT_H
#define VMHEAT_TOOLS_INPUT_H

#include "../cli.h"
#include "about.h"

#define VH_INPUT_DEFAULT "vmheat.data"

typedef struct VhInput VhInput;

/** vh_input_file() - the record that the options name, or VH_INPUT_DEFAULT */
const char *vh_input_file(const VhOptions *options);

/**
 * vh_input_after() - a time so long after another
 * @ns: the other one
 * @us: as of --from and --to
 *
 * Returns: ns; UINT64_MAX when that is too late.
 */
uint64_t vh_input_after(uint64_t ns, uint64_t us);

/**
 * vh_input_open() - open the record that the options name
 * @options: input (NULL: VH_INPUT_DEFAULT), from_us, to_us
 * @exit_code: set when NULL is returned; the user was told why
 *
 * Returns: an input, or NULL.
 */
VhInput *vh_input_open(const VhOptions *options, int *exit_code);

/**
 * vh_input_next() - the next item, of any type, of the time asked for
 * @in: the input
 * @item: set; what it points to is @in's, until the next call
 *
 * Shows progress when it takes long.
 *
 * Returns: false at the end.
 */
bool vh_input_next(VhInput *in, VhRecordItem *item);

/**
 * vh_input_snapshot() - the next snapshot; other items are passed over
 * @in: the input
 *
 * Returns: a snapshot, @in's until the next call; NULL at the end.
 */
const VhSnapshot *vh_input_snapshot(VhInput *in);

/**
 * vh_input_skip() - leave out all but the last snapshots
 * @in: an input of which nothing was read yet
 *
 * What is left are few, the last one among them. When that turns out to be
 * damaged nothing is left out.
 */
void vh_input_skip(VhInput *in);

/** vh_input_quiet() - show no progress any more */
void vh_input_quiet(VhInput *in);

/** vh_input_path() - of the record */
const char *vh_input_path(const VhInput *in);

/** vh_input_begin() - end of the first snapshot in the record, ns; 0: none */
uint64_t vh_input_begin(const VhInput *in);

/**
 * vh_input_close() - end; tells the user when the record is damaged
 * @in: the input; freed
 *
 * Returns: VH_EXIT_OK or VH_EXIT_DAMAGED.
 */
int vh_input_close(VhInput *in);

/**
 * typedef VhItemFunc - take an item of a record
 * @opaque: as given to vh_input_read()
 * @item: of any type
 */
typedef void (*VhItemFunc)(void *opaque, const VhRecordItem *item);

/**
 * vh_input_read() - read all of the record that the options name
 * @options: as of vh_input_open()
 * @about: takes each item first; all zero before
 * @take: takes it then
 * @opaque: handed to @take
 *
 * Returns: the exit code; the user was told what is wrong. With VH_EXIT_DAMAGED
 * all before the damage was read.
 */
int vh_input_read(const VhOptions *options, VhAbout *about, VhItemFunc take,
                  void *opaque);

#endif
