# SPDX-License-Identifier: GPL-2.0-or-later
"""Swap in compressed memory, and what is in memory and what is not."""

import ctypes
import os
import subprocess
import unittest

CONTROL = "/sys/class/zram-control"


def _write(path, value):
    with open(path, "w", encoding="ascii") as f:
        f.write(str(value))


class Zram:
    """A zram device of its own that is swapped to; gone afterwards.

    Raises unittest.SkipTest where that cannot be made.
    """

    def __init__(self, size=1 << 30):
        self.size = size
        self.number = None
        self.on = False

    def __enter__(self):
        # making one is a read, which a /sys that is read-only allows
        if not os.access(CONTROL + "/hot_remove", os.W_OK):
            raise unittest.SkipTest("no zram device can be made and removed")
        try:
            with open(CONTROL + "/hot_add", encoding="ascii") as f:
                self.number = int(f.read())
        except OSError as e:
            raise unittest.SkipTest(f"no zram device can be made: {e}") from e
        self.device = f"/dev/zram{self.number}"
        self.folder = f"/sys/block/zram{self.number}"
        try:
            self.start()
        except (OSError, subprocess.CalledProcessError) as e:
            self.close()
            raise unittest.SkipTest(f"cannot swap to zram: {e}") from e
        return self

    def start(self):
        _write(self.folder + "/disksize", self.size)
        for command in (["mkswap", self.device],
                        ["swapon", "-p", "100", self.device]):
            subprocess.run(command, check=True, capture_output=True)
            self.on = command[0] == "swapon"

    def compressed(self):
        """Bytes of host memory that it takes."""
        with open(self.folder + "/mm_stat", encoding="ascii") as f:
            return int(f.read().split()[2])

    def close(self):
        if self.on:
            subprocess.run(["swapoff", self.device], check=False)
        if self.number is not None:
            _write(CONTROL + "/hot_remove", self.number)

    def __exit__(self, *exc):
        self.close()


def mapped_pages(memory):
    """Address and length of an mmap.mmap, for ctypes."""
    return ctypes.addressof(ctypes.c_char.from_buffer(memory)), len(memory)


# Pages that the host may take by itself meanwhile: its own DAMON, kswapd
FEW = 64


def _mincore(memory, start, size):
    """One byte for each page; bit 0: it is in host memory (mincore(2))."""
    address, length = mapped_pages(memory)
    size = size or length - start
    pages = (size + 4095) // 4096
    vec = (ctypes.c_ubyte * pages)()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mincore(ctypes.c_void_p(address + start), ctypes.c_size_t(size),
                    vec):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return bytes(vec)


def resident(memory, start=0, size=None):
    """Bytes of a shared mapping that are in host memory."""
    return 4096 * sum(v & 1 for v in _mincore(memory, start, size))


def resident_pages(memory):
    """Offsets of all its pages that are in host memory."""
    return {4096 * i for i, v in enumerate(_mincore(memory, 0, None)) if v & 1}
