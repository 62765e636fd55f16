#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What monitoring costs a guest, and what it sees for that.

Boots the payload guest (tests/payload) on the installed QEMU, lets it touch a
hot range as fast as it can, and measures its touches per second in windows
that alternate between monitored and paused (vmheat-pause, vmheat-resume). One
pair (see pairs.py) gives one slowdown; the median of all is the result.
slowdown_se_pct is the standard error of the median, from the quartiles.
Precision and recall are those of the last snapshots before the pairs begin,
against the payload's own record. bql_hold_max_us is the longest that vmheat
held the Big QEMU Lock, which includes being preempted meanwhile. At the end
all guest memory is verified by guest and host.
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


def parse_args():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    p.add_argument("--accel", choices=["kvm", "tcg"],
                   help="default: kvm when /dev/kvm can be opened")
    p.add_argument("--machine", default="microvm", choices=["microvm", "q35"])
    p.add_argument("--pairs", type=int, default=200)
    p.add_argument("--window", type=float, default=0.1,
                   help="seconds of each half of a pair")
    p.add_argument("--size", type=ab.mebibytes, default=1024,
                   help="RAM: MiB, or with suffix M or G")
    p.add_argument("--share", type=float, default=0.05, help="hot share")
    p.add_argument("--write-percent", type=int, default=25)
    p.add_argument("--settle", type=float, default=5.0,
                   help="seconds of monitoring before the pairs")
    p.add_argument("--properties", default="",
                   help="more properties of the device, a=b,c=d")
    p.add_argument("--json", action="store_true")
    args = p.parse_args()
    if args.pairs < 1 or args.window <= 0 or args.size < 64:
        p.error("needs --pairs >= 1, --window > 0, --size >= 64")
    return args


def worker_percent(guest, seconds):
    """CPU of the worker thread while monitoring, percent of one core."""
    guest.qmp("vmheat-resume")
    before = guest.qmp("query-vmheat")["stats"]["worker-time"]
    begin = time.monotonic()
    time.sleep(seconds)
    after = guest.qmp("query-vmheat")["stats"]["worker-time"]
    return (after - before) / (time.monotonic() - begin) / 1e9 * 100


def run(args):
    from guest import have_kvm
    from payload_guest import MB, PayloadGuest, one_hot_range
    accel = args.accel or ("kvm" if have_kvm() else "tcg")
    size = args.size * MB
    with PayloadGuest(size=size, accel=accel, machine=args.machine) as guest:
        guest.payload.start([one_hot_range(
            size, args.share, write_percent=args.write_percent)])
        time.sleep(1)
        guest.qmp("device_add", driver="vmheat", id="heat0",
                  **ab.properties(args.properties))
        seen = guest.watch(args.settle)
        if not seen:
            sys.exit("overhead: no snapshot within --settle "
                     f"{args.settle} s")
        last = seen[-max(1, len(seen) // 2):]
        cpu = worker_percent(guest, 3)
        slowdowns = ab.slowdowns(ab.measure(
            guest, lambda: guest.payload.get("TOTAL_TOUCHES"), args.pairs,
            args.window))
        info = guest.qmp("query-vmheat")
        return {
            "accel": accel,
            "pairs": args.pairs,
            "slowdown_pct": round(statistics.median(slowdowns), 2),
            "slowdown_se_pct": ab.standard_error(slowdowns),
            "host_cpu_pct": round(cpu, 3),
            "precision": round(statistics.median(s[1] for s in last), 4),
            "recall": round(statistics.median(s[2] for s in last), 4),
            "first_good_s": next((round(s[0], 2) for s in seen
                                  if min(s[1], s[2]) >= 0.95), None),
            "bql_hold_max_us": info["stats"]["bql-hold-max"] / 1000,
            "detail": info["stats"]["detail"],
            "checksum_ok": guest.intact(),
        }


def main():
    args = parse_args()
    result = run(args)
    if args.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:16} {value}")
    return 0 if result["checksum_ok"] else 1


sys.path.insert(0, os.path.join(HERE, "..", "tests", "qemu"))
if __name__ == "__main__":
    sys.exit(main())
