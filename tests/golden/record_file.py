# SPDX-License-Identifier: GPL-2.0-or-later
"""Blocks of a record, read as tools/record/record.h tells.

Written anew, so that what the header says is tested. Snapshots are left packed.
"""

import json
import struct
import zlib

VM, SNAPSHOTS, STATE, SCHEMES, EVENT, END = range(1, 7)
HEADER = struct.Struct("<8sII")
BLOCK = struct.Struct("<4sHHIIQQII")


class Block:
    def __init__(self, kind, first, last, data):
        self.type, self.first, self.last, self.data = kind, first, last, data

    def json(self):
        return json.loads(self.data)


def read(path):
    """All blocks; ValueError where the file is damaged."""
    with open(path, "rb") as f:
        data = f.read()
    magic, version, zero = HEADER.unpack_from(data)
    if (magic, version, zero) != (b"VMHEAT\r\n", 1, 0):
        raise ValueError("no record")
    blocks, at = [], HEADER.size
    while at < len(data):
        if at + BLOCK.size > len(data):
            raise ValueError(f"half a block at {at}")
        (magic, kind, _, stored, unpacked, first, last, crc,
         _) = BLOCK.unpack_from(data, at)
        payload = data[at + BLOCK.size:at + BLOCK.size + stored]
        if magic != b"VHBK" or len(payload) != stored:
            raise ValueError(f"half a block at {at}")
        head = data[at:at + BLOCK.size - 8]
        if zlib.crc32(payload, zlib.crc32(head)) != crc:
            raise ValueError(f"wrong checksum at {at}")
        if stored != unpacked:
            payload = zlib.decompress(payload)
        if len(payload) != unpacked:
            raise ValueError(f"wrong length at {at}")
        blocks.append(Block(kind, first, last, payload))
        at += BLOCK.size + stored
    return blocks


def of_type(blocks, kind):
    return [b for b in blocks if b.type == kind]


def number(v):
    out = bytearray()
    while v > 127:
        out.append(v & 127 | 128)
        v >>= 7
    return bytes(out) + bytes([v])


def signed(v):
    """A difference, in 64 bits."""
    v = (v + 2**63) % 2**64 - 2**63
    return number((v << 1 ^ v >> 63) & (2**64 - 1))


def snapshot(sequence, start, end, regions, rates=True):
    """One with no other before it; regions: (start, end, heat) in bytes.

    heat is the code of a rate, or without rates nr-accesses.
    """
    out = number((2 if rates else 0) | 16 | 32)
    out += number(5000) + number(100000) + number(20)
    out += b"".join(map(signed, (sequence, start, end - start, 0, 0)))
    out += number(0) + number(len(regions))
    at = 0
    for lo, hi, heat in regions:
        out += bytes([1 | 2 | (32 if rates else 4)])
        out += signed(lo - at) + signed(hi - lo)
        out += signed(heat) * (3 if rates else 1)
        at = hi
    return Block(SNAPSHOTS, end, end, out)


def write(path, blocks):
    with open(path, "wb") as f:
        f.write(HEADER.pack(b"VMHEAT\r\n", 1, 0))
        for b in blocks:
            head = BLOCK.pack(b"VHBK", b.type, 0, len(b.data), len(b.data),
                              b.first, b.last, 0, 0)[:-8]
            crc = zlib.crc32(b.data, zlib.crc32(head))
            f.write(head + struct.pack("<II", crc, 0) + b.data)
