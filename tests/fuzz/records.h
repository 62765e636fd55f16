/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records for the fuzzer: valid ones, and how they are damaged. */
#ifndef TESTS_FUZZ_RECORDS_H
#define TESTS_FUZZ_RECORDS_H

#include "random.h"
#include "record/record.h"

/**
 * record_make() - a valid record, by the real writer
 *
 * Small: some blocks of all types, with some snapshots of up to 24 regions of
 * a guest with a hole in its memory.
 */
GByteArray *record_make(Random *r);

/**
 * record_blocks() - its blocks, each a GByteArray
 * @record: a valid one
 */
GPtrArray *record_blocks(const GByteArray *record);

/**
 * record_damage() - a file, damaged in one to four ways
 * @blocks: of the record it is made of
 * @others: of another one, from which blocks are taken
 *
 * Bits, bytes, lengths, order of blocks; with wrong checksums, and with right
 * ones, so that what is behind them is reached.
 */
GByteArray *record_damage(Random *r, const GPtrArray *blocks,
                          const GPtrArray *others);

#endif
