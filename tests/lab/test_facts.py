# SPDX-License-Identifier: GPL-2.0-or-later
"""What the outer kernels offer, so that the other tests mean what they say."""

import ctypes
import errno
import fcntl
import mmap
import os
import struct
import time

import lab

KERNELS = ("cloud", "idle")

IDLE = "/sys/kernel/mm/page_idle/bitmap"
KDAMONDS = "/sys/kernel/mm/damon/admin/kdamonds"
PAGE = mmap.PAGESIZE
PAGES = 64

# linux/fs.h: PAGEMAP_SCAN, struct pm_scan_arg, struct page_region
PAGEMAP_SCAN = 0xc0606610
SCAN_ARG = struct.Struct("<12Q")
REGION = struct.Struct("<3Q")
PAGE_IS_WRITTEN = 2
PAGE_IS_PRESENT = 8
# linux/userfaultfd.h
SYS_USERFAULTFD = 323
UFFD_USER_MODE_ONLY = 1
UFFD_API = 0xaa
UFFDIO_API = 0xc018aa3f
UFFDIO_REGISTER = 0xc020aa00
UFFDIO_WRITEPROTECT = 0xc018aa06
REGISTER_MODE_WP = 2
WRITEPROTECT_MODE_WP = 1
FEATURE_WP_UNPOPULATED = 1 << 13
FEATURE_WP_ASYNC = 1 << 15


class Memory:
    """Shared memory of PAGES pages, and where it is."""

    def __init__(self):
        self.map = mmap.mmap(-1, PAGES * PAGE)
        self.start = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        self.end = self.start + PAGES * PAGE

    def touch(self, page):
        self.map[page * PAGE] = 1


def pagemap_scan(memory, category):
    """Numbers of the pages of this category."""
    out = ctypes.create_string_buffer(REGION.size * PAGES)
    arg = bytearray(SCAN_ARG.pack(
        SCAN_ARG.size, 0, memory.start, memory.end, 0, ctypes.addressof(out),
        PAGES, 0, 0, category, 0, category))
    with open("/proc/self/pagemap", "rb") as f:
        n = fcntl.ioctl(f, PAGEMAP_SCAN, arg)
    found = []
    for start, end, _ in (REGION.unpack_from(out.raw, i * REGION.size)
                          for i in range(n)):
        found += range((start - memory.start) // PAGE,
                       (end - memory.start) // PAGE)
    return found


def frame_of(memory, page):
    with open("/proc/self/pagemap", "rb", buffering=0) as f:
        entry = os.pread(f.fileno(), 8, (memory.start // PAGE + page) * 8)
    return int.from_bytes(entry, "little") & ((1 << 55) - 1)


def drain_lru_caches():
    """The bitmap tells only of pages that have arrived on an LRU list."""
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as f:
        f.write("1")


def idle_pages(bitmap, frames):
    """Indices of the frames that the bitmap calls idle."""
    words = [os.pread(bitmap.fileno(), 8, f // 64 * 8) for f in frames]
    return [i for i, (f, w) in enumerate(zip(frames, words))
            if int.from_bytes(w, "little") >> f % 64 & 1]


def flush_tlb():
    """Unmapping much makes the kernel flush all of it."""
    with mmap.mmap(-1, PAGES * PAGE) as m:
        m.write(b"1" * len(m))


class Facts(lab.Case):
    def is_idle_kernel(self):
        return os.environ["lab_kernel"] == "idle"

    def test_npt(self):
        self.assertEqual(lab.read("/sys/module/kvm_amd/parameters/npt"), "Y")
        self.assertEqual(lab.read("/sys/module/kvm/parameters/tdp_mmu"), "Y")
        self.assertTrue(os.access("/dev/kvm", os.R_OK | os.W_OK))

    def test_page_idle(self):
        """Only in the kernel that was built for it."""
        self.assertEqual(os.path.exists(IDLE), self.is_idle_kernel())
        if not self.is_idle_kernel():
            return
        memory = Memory()
        for page in range(PAGES):
            memory.touch(page)
        drain_lru_caches()
        frames = [frame_of(memory, page) for page in range(PAGES)]
        with open(IDLE, "r+b", buffering=0) as f:
            for frame in frames:
                word = (1 << frame % 64).to_bytes(8, "little")
                os.pwrite(f.fileno(), word, frame // 64 * 8)
            self.assertEqual(idle_pages(f, frames), list(range(PAGES)))
            # the kernel does not flush the TLB when it clears accessed bits,
            # so a touch may go unnoticed
            end = time.monotonic() + 30
            while 5 in idle_pages(f, frames) and time.monotonic() < end:
                flush_tlb()
                memory.touch(5)
            self.assertEqual(idle_pages(f, frames),
                             [p for p in range(PAGES) if p != 5])

    def test_damon(self):
        """There, with the operations for the memory of a process, and free."""
        def put(name, value):
            with open(f"{KDAMONDS}/{name}", "w", encoding="ascii") as f:
                f.write(value)

        self.assertEqual(lab.read(f"{KDAMONDS}/nr_kdamonds"), "0")
        put("nr_kdamonds", "1")
        try:
            put("0/contexts/nr_contexts", "1")
            operations = lab.read(f"{KDAMONDS}/0/contexts/0/avail_operations")
        finally:
            put("nr_kdamonds", "0")
        self.assertIn("vaddr", operations.split())

    def test_pagemap_scan(self):
        memory = Memory()
        for page in (3, 4, 40):
            memory.touch(page)
        self.assertEqual(pagemap_scan(memory, PAGE_IS_PRESENT), [3, 4, 40])

    def test_uffd_wp_async(self):
        """Writes are noted without anybody having to answer for them."""
        libc = ctypes.CDLL(None, use_errno=True)
        uffd = libc.syscall(SYS_USERFAULTFD, UFFD_USER_MODE_ONLY)
        self.assertGreaterEqual(uffd, 0, errno.errorcode.get(
            ctypes.get_errno()))
        memory = Memory()
        length = memory.end - memory.start
        fcntl.ioctl(uffd, UFFDIO_API, bytearray(struct.pack(
            "<3Q", UFFD_API, FEATURE_WP_ASYNC | FEATURE_WP_UNPOPULATED, 0)))
        fcntl.ioctl(uffd, UFFDIO_REGISTER, bytearray(struct.pack(
            "<4Q", memory.start, length, REGISTER_MODE_WP, 0)))
        fcntl.ioctl(uffd, UFFDIO_WRITEPROTECT, bytearray(struct.pack(
            "<3Q", memory.start, length, WRITEPROTECT_MODE_WP)))
        memory.touch(7)
        self.assertEqual(pagemap_scan(memory, PAGE_IS_WRITTEN), [7])
        os.close(uffd)
