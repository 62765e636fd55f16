#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What recipes save and what they cost, on the payload guest (tests/payload).

prcl: eight ranges make up the working set, an eighth of the guest in all; each
30 s (--phase) one of them moves elsewhere. Rounds with the recipe alternate with rounds in
which vmheat is paused and all memory was brought back. rss_saved_pct is what is
less in host memory (mincore), slowdown_pct what the guest touches less per
second, medians of neighbouring rounds; what moving costs, pages that come back
included, is in it.

ethp: a heap of which some 2 MiB pieces are hot, and of all others one page was
used. Three guests after each other in each round: memory without huge pages, with
huge pages wherever they can be (tmpfs huge=always), and the latter with the
recipe. bloat_removed_pct is what of the additional memory of the second the third
gives back, benefit_kept_pct what of its additional speed it keeps.

Both check all guest memory at the end. Need root: for zram and tmpfs of their own.
"""

import argparse
import contextlib
import ctypes
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
MIB = 1 << 20
ETHP_SECONDS = 60
PUNCH_HOLE = 3  # FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE


def parse_args():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    p.add_argument("--scheme", choices=["prcl", "ethp", "all"], default="all")
    p.add_argument("--accel", choices=["kvm", "tcg"],
                   help="default: kvm when /dev/kvm can be opened")
    p.add_argument("--size", type=int, default=1024, help="MiB of RAM")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--phase", type=float, default=30,
                   help="seconds until a range of prcl moves")
    p.add_argument("--phases", type=int, default=3,
                   help="phases measured in a round of prcl")
    p.add_argument("--warm-up", type=int, default=1,
                   help="phases before that")
    p.add_argument("--min-age", default="5s", help="of prcl")
    p.add_argument("--json", action="store_true")
    return p.parse_args()


def recipe(name, *options):
    """The schemes that `vmheat schemes --apply` would set."""
    done = subprocess.run(
        [os.environ["VMHEAT_CLI"], "schemes", "--apply", name, *options,
         "--dry-run"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


class Mover:
    """A working set of eight ranges, of which one moves at a time."""

    def __init__(self, guest, size, share):
        from payload_guest import Range
        self.guest, self.range = guest, Range
        self.each = size // MIB // 8 * share // 100 * MIB
        # where a range can be: 1/8 of its own part of the guest at a time
        self.part = (size - 64 * MIB) // 8 // MIB * MIB
        self.at = [0] * 8
        self.turn = 0

    def ranges(self):
        return [self.range(64 * MIB + i * self.part + at, self.each, 0, 25)
                for i, at in enumerate(self.at)]

    def move(self):
        i = self.turn % 8
        self.turn += 1
        self.at[i] = (self.at[i] + self.each) % (
            self.part // self.each * self.each)
        self.guest.payload.start(self.ranges())


class Prcl:
    def __init__(self, guest, args, zram):
        self.guest, self.args, self.zram = guest, args, zram
        self.mover = Mover(guest, args.size * MIB, 12)
        self.file = os.open(guest.ram, os.O_RDONLY)
        self.compressed = []

    def resident(self):
        from swap import resident
        return resident(self.guest.payload.memory)

    def bring_back(self):
        for at in range(0, self.args.size * MIB, MIB):
            os.pread(self.file, MIB, at)

    def phases(self, count):
        """Touches a second, and mean of what is in memory."""
        touches = self.guest.payload.get("TOTAL_TOUCHES")
        begin, seen = time.monotonic(), []
        for _ in range(count):
            self.mover.move()
            end = time.monotonic() + self.args.phase
            while time.monotonic() < end:
                seen.append(self.resident())
                time.sleep(0.5)
        seconds = time.monotonic() - begin
        return ((self.guest.payload.get("TOTAL_TOUCHES") - touches) / seconds,
                statistics.mean(seen))

    def with_recipe(self):
        self.guest.qmp("vmheat-resume")
        self.guest.qmp("vmheat-set-schemes", schemes=recipe(
            "prcl", "--min-age", self.args.min_age))
        self.phases(self.args.warm_up)
        result = self.phases(self.args.phases)
        self.compressed.append(self.zram.compressed())
        self.stats = self.guest.qmp("query-vmheat-schemes")[0]["stats"]
        return result

    def without(self):
        self.guest.qmp("vmheat-set-schemes", schemes=[])
        self.guest.qmp("vmheat-pause")
        self.bring_back()
        self.phases(1)
        return self.phases(self.args.phases)

    def run(self):
        saved, slower, refaults = [], [], 0
        before = self.without()
        for _ in range(self.args.rounds):
            now = self.with_recipe()
            refaults += self.stats["refaulted"]
            after = self.without()
            rate = (before[0] + after[0]) / 2
            slower.append((1 - now[0] / rate) * 100)
            saved.append((1 - now[1] / ((before[1] + after[1]) / 2)) * 100)
            before = after
        return saved, slower, refaults


def prcl(args, accel):
    from payload_guest import PayloadGuest
    from swap import Zram
    size = args.size * MIB
    with Zram(2 * size) as zram, PayloadGuest(
            size=size, accel=accel, machine="microvm",
            device="id=heat0") as guest:
        bench = Prcl(guest, args, zram)
        saved, slower, refaults = bench.run()
        ok = guest.intact()
    return {"scheme": "prcl", "guest": "payload", "accel": accel,
            "rss_saved_pct": round(statistics.median(saved), 2),
            "slowdown_pct": round(statistics.median(slower), 2),
            "slowdowns": [round(s, 2) for s in slower],
            "bloat_removed_pct": None, "benefit_kept_pct": None,
            "refaults": refaults // 4096,
            "compressed_bytes": round(statistics.median(bench.compressed)),
            "checksum_ok": ok}


@contextlib.contextmanager
def tmpfs(huge):
    with tempfile.TemporaryDirectory(prefix="vmheat-tmpfs-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"huge={huge},size=4G",
                        "tmpfs", folder], check=True)
        try:
            yield folder
        finally:
            subprocess.run(["umount", folder], check=True)


class Heap:
    """From START on: pieces of 2 MiB, hot ones and hardly used ones."""

    START = 128 * MIB
    HOT = 8          # ranges
    HOT_SIZE = 8 * MIB
    PIECE = 2 * MIB

    def __init__(self, args):
        self.end = args.size * MIB
        self.step = ((self.end - self.START) // self.HOT
                     // self.PIECE * self.PIECE)

    def hot(self):
        from payload_guest import Range
        return [Range(self.START + i * self.step, self.HOT_SIZE, 0, 25)
                for i in range(self.HOT)]

    def hardly_used(self):
        """Starts of pieces of which one page is used."""
        hot = self.hot()
        return [at for at in range(self.START, self.end, self.PIECE)
                if not any(r.start <= at < r.end for r in hot)]

    def make_sparse(self, path):
        """Empties these pieces, then uses a page of each."""
        libc = ctypes.CDLL(None, use_errno=True)
        fd = os.open(path, os.O_RDWR)
        for at in self.hardly_used():
            if libc.fallocate(fd, PUNCH_HOLE, ctypes.c_long(at),
                              ctypes.c_long(self.PIECE)):
                raise OSError(ctypes.get_errno(), "fallocate")
            os.pwrite(fd, b"used", at + 4096)
        os.close(fd)

    def intact(self, guest):
        """What was emptied reads as zeroes, but for "used"; all else is ok."""
        from vmheat_payload import L
        guest.payload.stop()
        emptied = len(self.hardly_used()) * self.PIECE // 4096
        found = guest.payload.check_memory()
        return found.bad_words == emptied * L["LINE_WORDS"]


def ethp_guest(args, accel, huge, with_recipe):
    """Touches a second, bytes of the heap in memory, memory is intact."""
    from payload_guest import PayloadGuest
    from swap import resident
    heap = Heap(args)
    with tmpfs(huge) as folder, PayloadGuest(
            size=heap.end, accel=accel, machine="microvm",
            device="id=heat0", ram_dir=folder, align="2M") as g:
        heap.make_sparse(g.ram)
        g.payload.start(heap.hot())
        time.sleep(3)
        if with_recipe:
            g.qmp("vmheat-set-schemes", schemes=recipe("ethp"))
            time.sleep(ETHP_SECONDS)
            details = [s.get("detail") for s in g.qmp("query-vmheat-schemes")]
            print(*filter(None, details), file=sys.stderr)
        before, begin = g.payload.get("TOTAL_TOUCHES"), time.monotonic()
        time.sleep(10)
        rate = ((g.payload.get("TOTAL_TOUCHES") - before)
                / (time.monotonic() - begin))
        used = resident(g.payload.memory, heap.START, heap.end - heap.START)
        return rate, used, heap.intact(g)


def ethp(args, accel):
    from swap import Zram
    removed, kept, ok = [], [], True
    detail = []
    with Zram(2 << 30) as zram:
        for _ in range(args.rounds):
            small = ethp_guest(args, accel, "never", False)
            large = ethp_guest(args, accel, "always", False)
            ours = ethp_guest(args, accel, "always", True)
            removed.append((large[1] - ours[1]) / (large[1] - small[1]) * 100)
            kept.append((ours[0] - small[0]) / (large[0] - small[0]) * 100)
            ok = ok and small[2] and large[2] and ours[2]
            detail.append([[round(r / 1e6, 2), u >> 20]
                           for r, u, _ in (small, large, ours)])
        compressed = zram.compressed()
    return {"scheme": "ethp", "guest": "payload", "accel": accel,
            "rss_saved_pct": None, "slowdown_pct": None,
            "bloat_removed_pct": round(statistics.median(removed), 2),
            "benefit_kept_pct": round(statistics.median(kept), 2),
            "refaults": None, "compressed_bytes": compressed,
            "mops_and_mib": detail, "checksum_ok": ok}


def main():
    args = parse_args()
    from guest import have_kvm
    accel = args.accel or ("kvm" if have_kvm() else "tcg")
    rows = [what(args, accel) for name, what in (("prcl", prcl),
                                                 ("ethp", ethp))
            if args.scheme in (name, "all")]
    if args.json:
        print(json.dumps(rows))
    else:
        for row in rows:
            for name, value in row.items():
                print(f"{name:18} {value}")
            print()
    return 0 if all(r["checksum_ok"] for r in rows) else 1


sys.path.insert(0, os.path.join(HERE, "..", "tests", "qemu"))
if __name__ == "__main__":
    sys.exit(main())
