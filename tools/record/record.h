/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records: files of what vmheat saw, one snapshot after another.
 *
 * Theory of operation
 * -------------------
 * A file is 16 bytes of header and then blocks, each of which stands for
 * itself: what is in it, how long it is, a checksum, and no reference to any
 * block before. So a file can be appended to, a part of it can be read, and
 * when the recorder dies all blocks that were written are good. A block is
 * written by one write(2) when it is VH_RECORD_BLOCK_US old, or what is in it
 * is: that much is lost at most. When the host dies it is more, because only
 * the end is synced: what its kernel had not written yet; and what it had
 * written in part is damage.
 *
 *   header       "VMHEAT\r\n", VH_RECORD_VERSION (u32), 0 (u32)
 *   block        "VHBK" (u32), type (u16), 0 (u16), bytes stored (u32), bytes
 *                when unpacked (u32), time of its first and its last snapshot
 *                (u64, ns; of another block: when it was written, twice),
 *                CRC-32 of all of these and of the payload (u32), 0 (u32)
 *   payload      zlib; when it would not be smaller, as it is
 *
 * All numbers are little-endian. The header's CR LF shows a file that was
 * damaged by a transfer as text. Types, of which a reader passes over those
 * that it does not know:
 *
 *   1  VM         JSON: {"name", "uuid", "qemu", "vmheat", "start": wall clock,
 *                 "realtime", "monotonic": both clocks then, ns}
 *   2  snapshots  as in vmheat/snap-codec.h, after another; the first one is
 *                 predicted from nothing
 *   3  state      JSON: {"time": ns, "vmheat": query-vmheat's answer}
 *   4  schemes    JSON: {"time": ns, "schemes": query-vmheat-schemes' answer}
 *   5  event      JSON: {"time": ns, "event": name, "data": ...}
 *   6  end        nothing: the recorder ended as it should
 *
 * Times are ns of CLOCK_MONOTONIC: of snapshots that of QEMU's host, of all else
 * that of the recorder's.
 */
#ifndef TOOLS_RECORD_RECORD_H
#define TOOLS_RECORD_RECORD_H

#include "packed.h"

#define VH_RECORD_VERSION 1
#define VH_RECORD_BLOCK_US 1000000
#define VH_RECORD_PAYLOAD_MAX (64u << 20)

#define VH_RECORD_ERROR vh_record_error_quark()
GQuark vh_record_error_quark(void);

/**
 * enum VhRecordError - what is wrong with a record
 * @VH_RECORD_ERROR_FOREIGN: it is no record of vmheat
 * @VH_RECORD_ERROR_VERSION: it is of a later vmheat
 * @VH_RECORD_ERROR_WRITE: it cannot be written (any more)
 * @VH_RECORD_ERROR_READ: it cannot be read
 * @VH_RECORD_ERROR_SNAPSHOT: that snapshot cannot be put into a record
 */
typedef enum VhRecordError {
    VH_RECORD_ERROR_FOREIGN,
    VH_RECORD_ERROR_VERSION,
    VH_RECORD_ERROR_WRITE,
    VH_RECORD_ERROR_READ,
    VH_RECORD_ERROR_SNAPSHOT,
} VhRecordError;

/** enum VhRecordType - of a block */
typedef enum VhRecordType {
    VH_RECORD_VM = 1,
    VH_RECORD_SNAPSHOTS = 2,
    VH_RECORD_STATE = 3,
    VH_RECORD_SCHEMES = 4,
    VH_RECORD_EVENT = 5,
    VH_RECORD_END = 6,
} VhRecordType;

typedef struct VhRecordWriter VhRecordWriter;
typedef struct VhRecordReader VhRecordReader;

/**
 * vh_record_create() - begin a file
 * @path: must not exist, unless @append
 * @append: go on behind what is there; what is damaged at its end is cut off,
 *     but nothing that has good blocks behind it
 * @error: reason of failure
 *
 * Returns: a writer, or NULL; then nothing was changed.
 */
VhRecordWriter *vh_record_create(const char *path, bool append, GError **error);

/**
 * vh_record_snapshot() - add a snapshot
 *
 * It is in the file when a block is full, or after vh_record_flush(). On error
 * the file is good as far as it was written.
 */
bool vh_record_snapshot(VhRecordWriter *w, const VhSnapshot *s, GError **error);

/**
 * vh_record_coded() - the same of a snapshot that is coded
 * @from: its head and regions
 */
bool vh_record_coded(VhRecordWriter *w, const VhSnapCodec *from,
                     GError **error);

/**
 * vh_record_json() - add a block of text
 * @type: which; not VH_RECORD_SNAPSHOTS
 * @time_ns: for the block's header
 * @json: NULL: an empty one
 */
bool vh_record_json(VhRecordWriter *w, VhRecordType type, uint64_t time_ns,
                    const char *json, GError **error);

/** vh_record_flush() - write what was added */
bool vh_record_flush(VhRecordWriter *w, GError **error);

/**
 * vh_record_flush_time() - when that has to be done
 *
 * Returns: g_get_monotonic_time(); INT64_MAX while there is nothing to write.
 */
int64_t vh_record_flush_time(const VhRecordWriter *w);

/**
 * vh_record_appended_to() - end of the last snapshot that was there before
 *
 * Returns 0 when there was none.
 */
uint64_t vh_record_appended_to(const VhRecordWriter *w);

/** vh_record_path() - as it was given */
const char *vh_record_path(const VhRecordWriter *w);

/** vh_record_bytes() - size of the file so far */
uint64_t vh_record_bytes(const VhRecordWriter *w);

/**
 * vh_record_close() - flush, say that this was the end, and free @w
 *
 * NULL is fine. Frees also when it fails.
 */
bool vh_record_close(VhRecordWriter *w, GError **error);

/**
 * struct VhRecordItem - what was read
 * @type: of it
 * @time_ns: of the block, or the end of the snapshot
 * @snapshot: VH_RECORD_SNAPSHOTS: one of them; the reader's
 * @json: others: the text; the reader's
 */
typedef struct VhRecordItem {
    VhRecordType type;
    uint64_t time_ns;
    const VhSnapshot *snapshot;
    const char *json;
} VhRecordItem;

/** vh_record_open() - a reader, or NULL */
VhRecordReader *vh_record_open(const char *path, GError **error);

/**
 * vh_record_open_bytes() - a reader of what is in memory, or NULL
 * @name: for messages
 */
VhRecordReader *vh_record_open_bytes(const char *name, GBytes *bytes,
                                     GError **error);

/**
 * vh_record_range() - leave out blocks that end before @from or begin after @to
 *
 * Snapshots are not cut at these; JSON is never left out.
 */
void vh_record_range(VhRecordReader *r, uint64_t from, uint64_t to);

/**
 * vh_record_last() - when the last snapshots of the range begin
 *
 * Those of one block. Looks at no more than the blocks' headers; so what is
 * there may still turn out to be damaged.
 *
 * Returns: a time for vh_record_range(); 0: there are none.
 */
uint64_t vh_record_last(const VhRecordReader *r);

/**
 * vh_record_next() - the next item
 *
 * Returns false at the end, and where the file is damaged.
 */
bool vh_record_next(VhRecordReader *r, VhRecordItem *item);

/**
 * vh_record_damage() - why there is no more; NULL: because it is all
 *
 * A sentence, with the place. The reader's.
 */
const char *vh_record_damage(const VhRecordReader *r);

/**
 * vh_record_is_torn() - are there good blocks behind the damage?
 *
 * Those cannot be read: that they are there tells that it is not the end that
 * is damaged.
 */
bool vh_record_is_torn(const VhRecordReader *r);

/**
 * struct VhRecordBlock - a block, as its header tells
 * @type: of it; may be one that this vmheat does not know
 * @at: where it begins, bytes
 * @end: where the next one does
 * @first_ns: snapshots: the end of the first
 * @last_ns: and of the last
 */
typedef struct VhRecordBlock {
    VhRecordType type;
    size_t at;
    size_t end;
    uint64_t first_ns;
    uint64_t last_ns;
} VhRecordBlock;

/**
 * vh_record_blocks() - all blocks, up to where one has an impossible header
 *
 * Reads headers only, so that it is quick; and nothing is checked: a block may
 * turn out to be damaged when it is read.
 *
 * Returns: VhRecordBlock array, for g_array_unref().
 */
GArray *vh_record_blocks(const VhRecordReader *r);

/**
 * vh_record_span() - of which time it is, by the headers of its blocks
 * @first: set: end of the first snapshot
 * @last: set: end of the last one
 *
 * Returns false when there is no snapshot.
 */
bool vh_record_span(const VhRecordReader *r, uint64_t *first, uint64_t *last);

/**
 * vh_record_part_of() - read only some blocks; such as for a thread, each of
 * which needs a reader of its own
 * @at: where one begins
 * @end: where one ends
 */
void vh_record_part_of(VhRecordReader *r, size_t at, size_t end);

/**
 * vh_record_good() - bytes of the file up to which it is good
 *
 * What vh_record_range() leaves out was not looked at.
 */
uint64_t vh_record_good(const VhRecordReader *r);

/** vh_record_part() - how much of the file is read, 0 .. 1 */
double vh_record_part(const VhRecordReader *r);

/** vh_record_reader_free() - NULL is fine */
void vh_record_reader_free(VhRecordReader *r);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhRecordReader, vh_record_reader_free)

#endif
