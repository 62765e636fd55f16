#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What actions of schemes do, how fast, and what the guest loses by it.

Boots the payload guest (tests/payload) on the installed QEMU. Each round has its
cold range paged out while it touches a hot range as fast as it can: once by a
scheme, once by one plain process_madvise(MADV_PAGEOUT); in between it is brought
back. The losses compare the touches per second meanwhile with those right before
and after, monitoring on in all; medians of all rounds. At the end all guest
memory is verified by guest and host. Needs root, and makes a zram swap device of
its own.

The rows with "guest": "touch" are of bench/actions-guest.c: shared and private
memory of a guest that stands still for gib_per_s and plain_gib_per_s, and losses
that leave out the time in which others had the CPU. Those with "guest": "none"
are of bench/actions-idle.c: more actions, on memory that nobody uses.
"""

import argparse
import ctypes
import json
import os
import re
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SYS_PROCESS_MADVISE = 440
MADV_PAGEOUT = 21
DONE = 0.05  # share of the range that may be left in memory


def parse_args():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    p.add_argument("--accel", choices=["kvm", "tcg"],
                   help="default: kvm when /dev/kvm can be opened")
    p.add_argument("--size", type=int, default=2048, help="MiB of RAM")
    p.add_argument("--cold", type=int, default=1024, help="MiB to page out")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--only", choices=["qemu", "touch", "idle"],
                   help="only the payload guest in QEMU, the small guest, or "
                        "memory without a guest")
    p.add_argument("--json", action="store_true")
    return p.parse_args()


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


def address_of_ram(guest):
    with open(f"/proc/{guest.process.pid}/maps", encoding="ascii") as f:
        found = re.search(rf"^([0-9a-f]+)-\S+ .*{re.escape(guest.ram)}$",
                          f.read(), re.M)
    return int(found[1], 16)


def plain_pageout(guest, start, size):
    """process_madvise(MADV_PAGEOUT) of guest memory."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = os.pidfd_open(guest.process.pid)
    vec = Iovec(address_of_ram(guest) + start, size)
    try:
        done = libc.syscall(SYS_PROCESS_MADVISE, pidfd, ctypes.byref(vec),
                            ctypes.c_ulong(1), MADV_PAGEOUT, 0)
        if done != size:
            raise OSError(ctypes.get_errno(), "process_madvise")
    finally:
        os.close(pidfd)


class Bench:
    """A guest with a hot range below and a cold one above."""

    def __init__(self, guest, args, mb):
        self.guest = guest
        self.start = (args.size - args.cold) * mb
        self.size = args.cold * mb
        self.hot = None
        self.file = os.open(guest.ram, os.O_RDONLY)

    def bring_back(self):
        """Into the page cache, and mapped into nobody."""
        step = 1 << 20
        for at in range(self.start, self.start + self.size, step):
            os.pread(self.file, step, at)

    def left(self):
        from swap import resident
        return resident(self.guest.payload.memory, self.start, self.size)

    def touches(self):
        return self.guest.payload.get("TOTAL_TOUCHES")

    def rate(self, seconds):
        before, begin = self.touches(), time.monotonic()
        time.sleep(seconds)
        return (self.touches() - before) / (time.monotonic() - begin)

    def scheme(self):
        """Pages the range out; seconds, GiB/s, touches a second meanwhile."""
        full, before, begin = self.left(), self.touches(), time.monotonic()
        self.guest.qmp("vmheat-set-schemes", schemes=[{
            "name": "bench", "action": "pageout",
            "back-off": {"refault": 0, "psi": 0},
            "pattern": {"nr-accesses": {"max": 0}},
            "filters": [{"type": "address", "start": self.start,
                         "end": self.start + self.size, "allow": True}]}])
        applied = 0
        while applied < full * (1 - DONE):
            time.sleep(0.02)
            info = self.guest.qmp("query-vmheat-schemes")[0]
            applied = info["stats"]["sz-applied"]
            if time.monotonic() - begin > 120:
                sys.exit(f"actions: the scheme does not get on: {info}")
        seconds = time.monotonic() - begin
        rate = (self.touches() - before) / seconds
        self.guest.qmp("vmheat-set-schemes", schemes=[])
        return applied / seconds / 2**30, rate

    def plain(self):
        full, begin, before = self.left(), time.monotonic(), self.touches()
        plain_pageout(self.guest, self.start, self.size)
        seconds = time.monotonic() - begin
        rate = (self.touches() - before) / seconds
        return (full - self.left()) / seconds / 2**30, rate

    def loss(self, act):
        """Percent of the touches a second that are lost while act() runs."""
        before = self.rate(1)
        result = act()
        after = self.rate(1)
        return result, (1 - result[-1] / ((before + after) / 2)) * 100

    def map_all(self):
        """The guest touches its cold range once, so that it is mapped."""
        from payload_guest import Range
        self.guest.payload.start([Range(self.start, self.size, 0, 0)])
        time.sleep(3)
        self.guest.payload.stop()

    def round(self):
        rows = {}
        for how, act in (("scheme", self.scheme), ("plain", self.plain)):
            self.bring_back()
            self.map_all()
            self.guest.payload.start([self.hot])
            time.sleep(1)
            rows[how] = self.loss(act)
            self.guest.payload.stop()
        return rows


def run(args):
    from guest import have_kvm
    from payload_guest import MB, PayloadGuest, one_hot_range
    from swap import Zram
    accel = args.accel or ("kvm" if have_kvm() else "tcg")
    size = args.size * MB
    with Zram(2 * size), PayloadGuest(size=size, accel=accel,
                                      machine="microvm",
                                      device="id=heat0") as guest:
        bench = Bench(guest, args, MB)
        bench.hot = one_hot_range(size, 0.05, at=0.2)
        rounds = [bench.round() for _ in range(args.rounds)]
        ok = guest.intact()

    def median(values):
        return round(statistics.median(values), 3)
    return [{
        "action": "pageout", "backing": "shared", "guest": "payload",
        "accel": accel,
        "gib_per_s": median(r["scheme"][0][0] for r in rounds),
        "plain_gib_per_s": median(r["plain"][0][0] for r in rounds),
        "guest_loss_pct": median(r["scheme"][1] for r in rounds),
        "plain_loss_pct": median(r["plain"][1] for r in rounds),
        "losses_pct": [round(r["scheme"][1], 2) for r in rounds],
        "checksum_ok": ok}]


def run_program(variable, *args):
    """The rows that one of the programs beside this prints."""
    path = os.environ[variable]
    done = subprocess.run([path, *map(str, args)], stdout=subprocess.PIPE,
                          check=False)
    if done.returncode == 77:
        return []  # it said why
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    if not rows:
        sys.exit(f"actions: {os.path.basename(path)} ends with "
                 f"{done.returncode}")
    return rows


def main():
    args = parse_args()
    rows = run(args) if args.only in (None, "qemu") else []
    if args.only in (None, "touch") and args.accel != "tcg":
        rows += run_program("VMHEAT_ACTIONS_GUEST", args.rounds,
                            min(args.cold, 1024), 8)
    if args.only in (None, "idle"):
        rows += run_program("VMHEAT_ACTIONS_IDLE", args.rounds)
    if args.json:
        print(json.dumps(rows))
    else:
        for row in rows:
            for name, value in row.items():
                print(f"{name:22} {value}")
            print()
    return 0 if rows and all(r["checksum_ok"] for r in rows) else 1


sys.path.insert(0, os.path.join(HERE, "..", "tests", "qemu"))
if __name__ == "__main__":
    sys.exit(main())
