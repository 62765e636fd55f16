# SPDX-License-Identifier: GPL-2.0-or-later
"""Schemes on a machine with two NUMA nodes and a real nested page table."""

import ctypes
import mmap

import lab

KERNELS = ("cloud",)

SYS_MOVE_PAGES = 279
PAGE = 4096
PLACED = 0.95

HOT = {"name": "hot", "action": "migrate-hot", "nodes": [{"node": 0}],
       "pattern": {"rate": {"min": 1}}}
COLD = {"name": "cold", "action": "migrate-cold", "nodes": [{"node": 1}],
        "pattern": {"nr-accesses": {"max": 0}, "age": {"min": 3}}}


def nodes_of(guest, start, end):
    """Node of each page of a range that is in memory.

    Pages that QEMU has not mapped just now count, too: this process maps them
    for a moment.
    """
    memory = guest.payload.memory
    base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    n = (end - start) // PAGE
    pages = (ctypes.c_void_p * n)(*range(base + start, base + end, PAGE))
    status = (ctypes.c_int * n)()
    libc = ctypes.CDLL(None, use_errno=True)
    sum(memory[start:end:PAGE])
    failed = libc.syscall(SYS_MOVE_PAGES, 0, ctypes.c_ulong(n), pages, None,
                          status, 0)
    memory.madvise(mmap.MADV_DONTNEED, start, end - start)
    if failed:
        raise OSError(ctypes.get_errno(), "move_pages")
    return [s for s in status if s >= 0]


def share_on(guest, node, start, end):
    nodes = nodes_of(guest, start, end)
    return nodes.count(node) / len(nodes) if nodes else 0.0


class Tiering(lab.Case):
    """Hot memory ends on node 0, cold memory on node 1."""

    def monitor(self, g):
        g.qmp("device_add", **{"driver": "vmheat", "id": "heat0",
                               **lab.PROPERTIES})

    def spread(self, g):
        """Every other 2 MiB is on node 1."""
        g.qmp("vmheat-set-schemes", schemes=[
            {"name": "spread", "action": "migrate-cold",
             "nodes": [{"node": 0}, {"node": 1}]}])
        g.qmp.wait_until("memory on both nodes", lambda: 0.3 < share_on(
            g, 1, 0, lab.SIZE) < 0.7, timeout=lab.PATIENCE, step=1)

    def test_hot_and_cold(self):
        hot = lab.one_hot_range(lab.SIZE, 0.125)
        with lab.PayloadGuest(size=lab.SIZE, accel="kvm",
                              machine="microvm") as g:
            self.monitor(g)
            self.spread(g)
            before = share_on(g, 0, hot.start, hot.end)
            g.payload.start([hot])
            g.qmp("vmheat-set-schemes", schemes=[HOT, COLD])
            g.qmp.wait_until("hot memory on node 0", lambda: share_on(
                g, 0, hot.start, hot.end) >= PLACED, timeout=lab.PATIENCE,
                step=1)
            g.qmp.wait_until("cold memory on node 1", lambda: share_on(
                g, 1, hot.end, lab.SIZE) >= PLACED, timeout=lab.PATIENCE,
                step=1)
            after = share_on(g, 0, hot.start, hot.end)
            cold = share_on(g, 1, hot.end, lab.SIZE)
            self.note(f"hot on node 0: {before:.3f} before, {after:.3f} "
                      f"after; cold on node 1: {cold:.3f}")
            self.assertGreaterEqual(min(after, cold), PLACED)
            self.assertTrue(g.intact(), "guest memory was changed")
