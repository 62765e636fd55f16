/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Damaged records; see records.h. */
#include <string.h>
#include <zlib.h>

#include "record/block.h"
#include "records.h"

#define CRC_AT 32
#define PAYLOAD_MOST 65536 /* of what is unpacked to be damaged */

/* A number of the sort that breaks things. */
static uint64_t odd_number(Random *r)
{
    const uint64_t odd[] = { 0,
                             1,
                             2,
                             0x7f,
                             0x80,
                             0xffff,
                             1u << 20,
                             (1u << 20) + 1,
                             VH_RECORD_PAYLOAD_MAX,
                             VH_RECORD_PAYLOAD_MAX + 1,
                             INT32_MAX,
                             UINT32_MAX,
                             1ull << 32,
                             1ull << 52,
                             INT64_MAX,
                             1ull << 63,
                             UINT64_MAX - 1,
                             UINT64_MAX };

    return random_one_in(r, 4) ? random_next(r) >> random_below(r, 64)
                               : odd[random_below(r, G_N_ELEMENTS(odd))];
}

/* Puts @data, of @size bytes, in place of @length bytes at @at. */
static void replace(GByteArray *b, size_t at, size_t length,
                    const uint8_t *data, size_t size)
{
    g_autofree uint8_t *tail =
        g_memdup2(b->data + at + length, b->len - at - length);
    size_t rest = b->len - at - length;

    g_byte_array_set_size(b, at);
    g_byte_array_append(b, data, size);
    if (rest) {
        g_byte_array_append(b, tail, rest);
    }
}

static void put_odd_number(Random *r, GByteArray *b, size_t at)
{
    g_autoptr(GByteArray) number = g_byte_array_new();
    size_t over = random_below(r, 3);

    vh_put_number(number, odd_number(r));
    replace(b, at, MIN(over, b->len - at), number->data, number->len);
}

/* One change to bytes from @from on. */
static void damage_bytes(Random *r, GByteArray *b, size_t from)
{
    size_t at = from + random_below(r, MAX(b->len, from + 1) - from);
    size_t length = at < b->len ? 1 + random_below(r, MIN(b->len - at, 9)) : 0;
    uint8_t copy[9];

    if (at >= b->len) {
        return;
    }
    memcpy(copy, b->data + at, length);
    switch (random_below(r, 8)) {
    case 0:
    case 1:
        b->data[at] ^= 1 << random_below(r, 8);
        break;
    case 2:
        b->data[at] = random_next(r);
        break;
    case 3:
        b->data[at] = random_one_in(r, 2) ? 0 : 0xff;
        break;
    case 4: /* gone */
        replace(b, at, length, copy, 0);
        break;
    case 5: /* twice */
        replace(b, at, 0, copy, length);
        break;
    case 6:
        put_odd_number(r, b, at);
        break;
    case 7: /* cut off, or a number that goes on */
        if (random_one_in(r, 4)) {
            g_byte_array_set_size(b, at);
        } else {
            b->data[at] |= 0x80;
        }
        break;
    }
}

static void put(uint8_t *at, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        at[i] = v >> 8 * i;
    }
}

static void make_checksum_right(GByteArray *block)
{
    uint32_t crc = crc32(0, block->data, CRC_AT);

    crc = crc32(crc, block->data + VH_BLOCK_HEADER_BYTES,
                block->len - VH_BLOCK_HEADER_BYTES);
    put(block->data + CRC_AT, crc, 4);
}

/* A field of the header; its length is told right mostly, but not always. */
static void damage_header(Random *r, GByteArray *block)
{
    static const uint8_t fields[][2] = { { 4, 2 },  { 8, 4 },  { 12, 4 },
                                         { 16, 8 }, { 24, 8 }, { 0, 4 } };
    const uint8_t *f = fields[random_below(r, G_N_ELEMENTS(fields))];
    uint64_t v = f[0] == 4 ? random_below(r, 9) : odd_number(r);

    put(block->data + f[0], v, f[1]);
    make_checksum_right(block);
}

static void damage_stored(Random *r, GByteArray *block)
{
    damage_bytes(r, block, VH_BLOCK_HEADER_BYTES);
    if (!random_one_in(r, 4)) {
        put(block->data + 8, block->len - VH_BLOCK_HEADER_BYTES, 4);
    }
    make_checksum_right(block);
}

/* A block that is not packed, whatever vh_block_pack() would do. */
static GByteArray *unpacked_block(VhBlock *b, const GByteArray *data)
{
    g_autoptr(GByteArray) empty = vh_block_pack(b, data->data, 0);
    GByteArray *block = g_byte_array_new();

    g_byte_array_append(block, empty->data, VH_BLOCK_HEADER_BYTES);
    g_byte_array_append(block, data->data, data->len);
    put(block->data + 8, data->len, 4);
    put(block->data + 12, data->len, 4);
    make_checksum_right(block);
    return block;
}

/* What is in the block is changed, and all around it is right. */
static GByteArray *damage_payload(Random *r, GByteArray *block)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    VhBlock b;

    if (vh_block_read(&b, block->data, block->len) ||
        b.unpacked > PAYLOAD_MOST) {
        return block;
    }
    g_byte_array_set_size(data, b.unpacked + 1); /* never no memory at all */
    g_byte_array_set_size(data, b.unpacked);
    if (vh_block_unpack(&b, block->data, data->data)) {
        return block;
    }
    for (uint64_t n = 1 + random_below(r, 3); n; n--) {
        damage_bytes(r, data, 0);
    }
    g_byte_array_unref(block);
    return random_one_in(r, 4) ? vh_block_pack(&b, data->data, data->len)
                               : unpacked_block(&b, data);
}

static void damage_block(Random *r, GPtrArray *v, size_t i)
{
    GByteArray *block = v->pdata[i];

    switch (block->len < VH_BLOCK_HEADER_BYTES ? 2 : random_below(r, 8)) {
    case 0:
        damage_header(r, block);
        break;
    case 1:
        damage_stored(r, block);
        break;
    case 2:
        damage_bytes(r, block, 0);
        break;
    default:
        v->pdata[i] = damage_payload(r, block);
    }
}

static GByteArray *copy_of(const GByteArray *b)
{
    return g_byte_array_append(g_byte_array_new(), b->data, b->len);
}

static void damage_order(Random *r, GPtrArray *v, const GPtrArray *others)
{
    size_t i = random_below(r, v->len), j = random_below(r, v->len);
    GByteArray *one = v->pdata[i];

    switch (random_below(r, 4)) {
    case 0:
        v->pdata[i] = v->pdata[j];
        v->pdata[j] = one;
        break;
    case 1:
        g_ptr_array_insert(v, j, copy_of(one));
        break;
    case 2:
        if (v->len > 1) {
            g_ptr_array_remove_index(v, i);
        }
        break;
    case 3:
        g_ptr_array_insert(
            v, j, copy_of(others->pdata[random_below(r, others->len)]));
        break;
    }
}

static void damage_file(Random *r, GByteArray *file)
{
    switch (random_below(r, 16)) {
    case 0:
        g_byte_array_set_size(file, random_below(r, file->len + 1));
        break;
    case 1:
        damage_bytes(r, file, 0);
        break;
    case 2:
        g_byte_array_append(file, (const uint8_t *)"VHBK\2\0\0\0\377", 9);
        break;
    case 3: /* the header of the file */
        file->data[random_below(r, VH_FILE_HEADER_BYTES)] ^=
            1 << random_below(r, 8);
        break;
    }
}

GByteArray *record_damage(Random *r, const GPtrArray *blocks,
                          const GPtrArray *others)
{
    g_autoptr(GPtrArray) v =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
    GByteArray *file = g_byte_array_new();

    for (guint i = 0; i < blocks->len; i++) {
        g_ptr_array_add(v, copy_of(blocks->pdata[i]));
    }
    for (uint64_t n = 1 + random_below(r, 4); n; n--) {
        if (random_one_in(r, 4)) {
            damage_order(r, v, others);
        } else {
            damage_block(r, v, random_below(r, v->len));
        }
    }
    g_byte_array_set_size(file, VH_FILE_HEADER_BYTES);
    vh_file_header(file->data);
    for (guint i = 0; i < v->len; i++) {
        GByteArray *block = v->pdata[i];

        g_byte_array_append(file, block->data, block->len);
    }
    damage_file(r, file);
    return file;
}
