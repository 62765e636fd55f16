# SPDX-License-Identifier: GPL-2.0-or-later
"""A device that has pinned guest memory, made of an io_uring of our own.

Fixed buffers are pinned as VFIO pins memory (FOLL_LONGTERM): what is written
goes to the page that was there when they were registered, page tables or not.
"""

import ctypes
import mmap
import os
import struct

from swap import mapped_pages

SETUP, ENTER, REGISTER = 425, 426, 427  # system calls
RING_OFF, SQES_OFF = 0, 0x10000000
REGISTER_BUFFERS = 0
READ_FIXED = 4
GETEVENTS = 1
CHUNK = 16 << 20


def _call(number, *args):
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.syscall(*(ctypes.c_long(a) for a in (number, *args)))
    if done < 0:
        e = ctypes.get_errno()
        raise OSError(e, os.strerror(e))
    return done


class Pin:
    """Pins bytes [start, start + size) of an mmap.mmap while it exists.

    Raises OSError where the host refuses.
    """

    def __init__(self, memory, start, size):
        self.base, self.start = mapped_pages(memory)[0], start
        self.source = os.memfd_create("pin")
        params = (ctypes.c_uint8 * 120)()
        try:
            self.fd = _call(SETUP, 4, ctypes.addressof(params))
        except OSError:
            os.close(self.source)
            raise
        p = struct.unpack("<30I", params)
        # struct io_sqring_offsets and io_cqring_offsets
        self.sq_tail, self.sq_array = p[11], p[16]
        self.cq_head, self.cqes = p[20], p[25]
        self.ring = mmap.mmap(self.fd, max(self.cqes + 16 * p[1],
                                           self.sq_array + 4 * p[0]),
                              offset=RING_OFF)
        self.sqes = mmap.mmap(self.fd, 64 * p[0], offset=SQES_OFF)
        self.mask, self.cq_mask = p[0] - 1, p[1] - 1
        self.n = 0
        iovs = b"".join(struct.pack("<QQ", self.base + at,
                                    min(CHUNK, start + size - at))
                        for at in range(start, start + size, CHUNK))
        keep = ctypes.create_string_buffer(iovs)
        try:
            _call(REGISTER, self.fd, REGISTER_BUFFERS,
                  ctypes.addressof(keep), len(iovs) // 16)
        except OSError:
            self.close()
            raise

    def close(self):
        self.ring.close()
        self.sqes.close()
        os.close(self.fd)
        os.close(self.source)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def write(self, at, data):
        """As a device does: into the pinned page, not through a mapping."""
        os.pwrite(self.source, data, 0)
        slot = self.n & self.mask
        sqe = struct.pack("<BBHiQQIIQH", READ_FIXED, 0, 0, self.source, 0,
                          self.base + at, len(data), 0, self.n,
                          (at - self.start) // CHUNK)
        self.sqes[slot * 64:slot * 64 + 64] = sqe.ljust(64, b"\0")
        struct.pack_into("<I", self.ring, self.sq_array + 4 * slot, slot)
        struct.pack_into("<I", self.ring, self.sq_tail, self.n + 1)
        _call(ENTER, self.fd, 1, 1, GETEVENTS, 0, 0)
        done = struct.unpack_from("<Qi", self.ring, self.cqes
                                  + 16 * (self.n & self.cq_mask))[1]
        self.n += 1
        struct.pack_into("<I", self.ring, self.cq_head, self.n)
        if done != len(data):
            raise OSError(-done if done < 0 else 0, "a device's write")
