/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks of a record as bytes. */
#include <string.h>
#include <zlib.h>

#include "block.h"
#include "record.h"

#define MAGIC "VMHEAT\r\n"
#define BLOCK_MAGIC 0x4b424856u /* "VHBK" */
#define CRC_AT 32               /* where it is in the header */
#define DEFLATE_MOST 1032       /* bytes that deflate makes one of, at most */

static void put(uint8_t *at, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        at[i] = v >> 8 * i;
    }
}

static uint64_t get(const uint8_t *at, unsigned bytes)
{
    uint64_t v = 0;

    for (unsigned i = bytes; i-- > 0;) {
        v = v << 8 | at[i];
    }
    return v;
}

void vh_file_header(uint8_t out[static VH_FILE_HEADER_BYTES])
{
    memcpy(out, MAGIC, 8);
    put(out + 8, VH_RECORD_VERSION, 4);
    put(out + 12, 0, 4);
}

uint32_t vh_file_version(const uint8_t *in, size_t size)
{
    return size >= VH_FILE_HEADER_BYTES && !memcmp(in, MAGIC, 8)
               ? get(in + 8, 4)
               : 0;
}

static uint32_t checksum(const uint8_t *block, size_t stored)
{
    uint32_t crc = crc32(0, block, CRC_AT);

    return crc32(crc, block + VH_BLOCK_HEADER_BYTES, stored);
}

static void put_header(const VhBlock *b, uint8_t *at)
{
    put(at, BLOCK_MAGIC, 4);
    put(at + 4, b->type, 2);
    put(at + 6, 0, 2);
    put(at + 8, b->stored, 4);
    put(at + 12, b->unpacked, 4);
    put(at + 16, b->first_ns, 8);
    put(at + 24, b->last_ns, 8);
    put(at + CRC_AT, b->crc, 4);
    put(at + 36, 0, 4);
}

GByteArray *vh_block_pack(VhBlock *b, const uint8_t *data, size_t size)
{
    uLongf stored = compressBound(size);
    GByteArray *out = g_byte_array_new();
    uint8_t *payload;

    g_byte_array_set_size(out, VH_BLOCK_HEADER_BYTES + stored);
    payload = out->data + VH_BLOCK_HEADER_BYTES;
    if (compress2(payload, &stored, data, size, Z_BEST_SPEED) != Z_OK ||
        stored >= size) {
        stored = size;
        if (size) {
            memcpy(payload, data, size);
        }
    }
    b->stored = stored;
    b->unpacked = size;
    put_header(b, out->data);
    b->crc = checksum(out->data, stored);
    put_header(b, out->data);
    g_byte_array_set_size(out, VH_BLOCK_HEADER_BYTES + stored);
    return out;
}

const char *vh_block_read(VhBlock *b, const uint8_t *in, size_t size)
{
    if (size < VH_BLOCK_HEADER_BYTES) {
        return "it ends within the header of a block";
    }
    *b = (VhBlock){ .type = get(in + 4, 2),
                    .stored = get(in + 8, 4),
                    .unpacked = get(in + 12, 4),
                    .first_ns = get(in + 16, 8),
                    .last_ns = get(in + 24, 8),
                    .crc = get(in + CRC_AT, 4) };
    if (get(in, 4) != BLOCK_MAGIC) {
        return "there is no block where one should begin";
    }
    if (b->unpacked > VH_RECORD_PAYLOAD_MAX || b->stored > b->unpacked ||
        b->unpacked / DEFLATE_MOST > b->stored) {
        return "a block has a size that cannot be";
    }
    return b->stored > size - VH_BLOCK_HEADER_BYTES ? "it ends within a block"
                                                    : NULL;
}

const char *vh_block_unpack(const VhBlock *b, const uint8_t *in, uint8_t *out)
{
    const uint8_t *payload = in + VH_BLOCK_HEADER_BYTES;
    uLongf size = b->unpacked;

    if (checksum(in, b->stored) != b->crc) {
        return "a block's checksum is wrong";
    }
    if (b->stored == b->unpacked) {
        memcpy(out, payload, size);
        return NULL;
    }
    return uncompress(out, &size, payload, b->stored) == Z_OK &&
                   size == b->unpacked
               ? NULL
               : "a block cannot be unpacked";
}
