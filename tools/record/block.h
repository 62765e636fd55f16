/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks of a record as bytes; the format is in record.h. */
#ifndef TOOLS_RECORD_BLOCK_H
#define TOOLS_RECORD_BLOCK_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define VH_FILE_HEADER_BYTES 16
#define VH_BLOCK_HEADER_BYTES 40
#define VH_BLOCK_MARK "VHBK" /* each begins with that */

/**
 * struct VhBlock - a block's header
 * @type: VhRecordType
 * @stored: bytes of the payload in the file
 * @unpacked: bytes of what it holds; @stored when it is not packed
 * @first_ns: time of its first snapshot
 * @last_ns: and of its last
 * @crc: of the header up to here, and of the payload
 */
typedef struct VhBlock {
    uint16_t type;
    uint32_t stored;
    uint32_t unpacked;
    uint64_t first_ns;
    uint64_t last_ns;
    uint32_t crc;
} VhBlock;

/** vh_file_header() - as at the begin of each file */
void vh_file_header(uint8_t out[static VH_FILE_HEADER_BYTES]);

/**
 * vh_file_version() - of a file with this begin
 *
 * Returns 0 for a file that is no record.
 */
uint32_t vh_file_version(const uint8_t *in, size_t size);

/**
 * vh_block_pack() - a whole block, for g_byte_array_unref()
 * @b: type and times; the rest is set
 */
GByteArray *vh_block_pack(VhBlock *b, const uint8_t *data, size_t size);

/**
 * vh_block_read() - a block's header
 *
 * Returns NULL, or what is wrong.
 */
const char *vh_block_read(VhBlock *b, const uint8_t *in, size_t size);

/**
 * vh_block_unpack() - its payload into @out, of b->unpacked bytes
 * @in: the whole block
 *
 * Returns NULL, or what is wrong.
 */
const char *vh_block_unpack(const VhBlock *b, const uint8_t *in, uint8_t *out);

#endif
