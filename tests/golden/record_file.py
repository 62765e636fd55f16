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
