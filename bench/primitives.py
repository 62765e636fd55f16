#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What each access-check primitive sees here, and what it costs.

For every primitive that this QEMU, guest and host can run, with KVM and with TCG:
boots the payload guest, lets it touch a hot range as fast as it can (only writing
for primitives that see no reads), and measures

  precision, recall   medians of the later half of --settle seconds
  slowdown_pct        1 - touches while monitored / touches while paused, over
                      --pairs pairs of windows; slowdown_median_pct is the median
                      of the pairs, which leaves rare events out (a picture of
                      dirty-ring is one)
  arm_us, collect_us  measured by the primitive, for a page
  fire_us             what it charges the guest for a check that fires: an
                      estimate, see docs/user/primitives.md
  scan_ms_per_gib     to ask about every page of a GiB once: 262144 times
                      collect_us; for dirty-log and dirty-ring the measured time
                      of fetching the log

--json prints a list of such records, else a table. Slowdowns of single runs are
noisy on a shared machine; run it several times.
"""

import argparse
import json
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import pairs as ab  # noqa: E402

PAGES_PER_GIB = 262144
RING = ",dirty-ring-size=65536"
RING_PATIENCE = 10  # times --settle: pictures are rare


def parse_args():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    p.add_argument("--accel", choices=["kvm", "tcg"], action="append",
                   help="default: both, where /dev/kvm can be opened")
    p.add_argument("--primitive", action="append",
                   help="default: all that can run")
    p.add_argument("--size", type=ab.mebibytes, default=1024,
                   help="RAM: MiB, or with suffix M or G")
    p.add_argument("--share", type=float, default=0.05, help="hot share")
    p.add_argument("--pairs", type=int, default=100)
    p.add_argument("--window", type=float, default=0.1,
                   help="seconds of each half of a pair")
    p.add_argument("--settle", type=float, default=8.0,
                   help="seconds of monitoring before the pairs")
    p.add_argument("--json", action="store_true")
    args = p.parse_args()
    if args.pairs < 1 or args.window <= 0 or args.size < 64:
        p.error("needs --pairs >= 1, --window > 0, --size >= 64")
    return args


def candidates(accel, size):
    """Primitive name -> does it see reads; of those that can run."""
    from guest import Guest
    with Guest(size=size, accel=accel, machine="microvm") as g:
        return {p["name"]: p["sees-reads"]
                for p in g.qmp("query-vmheat")["primitives"]
                if p["available"]}


def scan_ms(name, stats, size):
    if name in ("dirty-log", "dirty-ring"):
        per_sample = stats["main-time"] / max(stats["samples"], 1) / 1e6
        return per_sample / (size / 2**30)
    return stats["collect-cost"] * PAGES_PER_GIB / 1e6


def measure(args, accel, name, sees_reads):
    from payload_guest import MB, PayloadGuest, one_hot_range
    size = args.size * MB
    with PayloadGuest(size=size, accel=accel, machine="microvm") as guest:
        guest.payload.start([one_hot_range(
            size, args.share, write_percent=25 if sees_reads else 100)])
        time.sleep(1)
        guest.qmp("device_add", driver="vmheat", id="heat0", primitive=name)
        patience = RING_PATIENCE if name == "dirty-ring" else 1
        seen = guest.watch(args.settle * patience)
        last = seen[len(seen) // 2:]
        stats = guest.qmp("query-vmheat")["stats"]
        pairs = ab.measure(
            guest, lambda: guest.payload.get("TOTAL_TOUCHES"), args.pairs,
            args.window)
        return {
            "primitive": name, "accel": accel.split(",")[0],
            "backing": "shmem",
            "precision": round(statistics.median(s[1] for s in last), 4),
            "recall": round(statistics.median(s[2] for s in last), 4),
            "slowdown_pct": round(ab.overall(pairs), 2),
            "slowdown_median_pct": round(
                statistics.median(ab.slowdowns(pairs)), 2),
            "arm_us": round(stats["arm-cost"] / 1000, 2),
            "fire_us": round(stats["trap-cost"] / 1000, 2),
            "collect_us": round(stats["collect-cost"] / 1000, 2),
            "scan_ms_per_gib": round(scan_ms(name, stats, size), 2),
            "intact": guest.intact(),
        }


def run(args):
    from guest import have_kvm
    accels = args.accel or (["kvm", "tcg"] if have_kvm() else ["tcg"])
    for accel in accels:
        for options in ("", RING) if accel == "kvm" else ("",):
            for name, reads in candidates(accel + options, 64 << 20).items():
                if options and name != "dirty-ring":
                    continue
                if not args.primitive or name in args.primitive:
                    yield measure(args, accel + options, name, reads)


def print_table(record, first):
    if first:
        print(" ".join(f"{k[:12]:>12}" for k in record))
    print(" ".join(f"{v!s:>12}" for v in record.values()), flush=True)


def main():
    args = parse_args()
    records = []
    for record in run(args):
        if not args.json:
            print_table(record, not records)
        records.append(record)
    if args.json:
        print(json.dumps(records, indent=1))
    return 0 if records and all(r["intact"] for r in records) else 1


sys.path.insert(0, os.path.join(HERE, "..", "tests", "qemu"))
if __name__ == "__main__":
    sys.exit(main())
