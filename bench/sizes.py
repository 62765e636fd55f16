#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Does monitoring cost more when the guest is larger?

Boots the payload guest (tests/payload) with each of --sizes as a sparse memfd,
of which it uses the lowest 512 MiB only, so that a host far smaller than the
guest will do. A quarter of that is touched as fast as it goes. tick_us is the
CPU time of vmheat's worker for each sampling interval, over --seconds after
--settle; guests are started in turn, --rounds times, and the median is shown.
ratio is the median over the rounds of tick_us to that of the first size, in the
same round. rss_mib is what vmheat adds to the size of QEMU without its RAM.
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

MB = 1 << 20
USED = 512 * MB


def size_of(text):
    """Bytes: 4096 and 4096M are 4 GiB, as are 4G and 0.00390625T."""
    whole, unit = (text[:-1], text[-1:].upper())
    try:
        size = (int(float(whole) * (MB << 20)) if unit == "T"
                else ab.mebibytes(text) * MB)
    except (ValueError, OverflowError):
        size = 0
    if not USED <= size <= 32 * (MB << 20):
        raise argparse.ArgumentTypeError(
            f"'{text}' must be from 512M to 32T, as 4G or 1T")
    return size


def positive(kind):
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = 0
        if value <= 0:
            raise argparse.ArgumentTypeError(f"'{text}' must be above 0")
        return value
    return parse


def parse_args():
    p = argparse.ArgumentParser(prog="sizes",
                                description=__doc__.split("\n\n", 1)[0])
    p.add_argument("--accel", choices=["kvm", "tcg"],
                   help="default: kvm when /dev/kvm can be opened")
    p.add_argument("--sizes", default="4G,1T",
                   type=lambda text: [size_of(t) for t in text.split(",")],
                   help="of the guests, the first is compared with; "
                   "default 4G,1T")
    p.add_argument("--rounds", type=positive(int), default=3)
    p.add_argument("--seconds", type=positive(float), default=20)
    p.add_argument("--settle", type=positive(float), default=15,
                   help="seconds of monitoring before that")
    p.add_argument("--properties", default="",
                   help="more properties of the device, a=b,c=d")
    p.add_argument("--json", action="store_true")
    return p.parse_args()


def own_kib(guest):
    """Memory of QEMU that is no guest RAM."""
    with open(f"/proc/{guest.process.pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f
                    if line.startswith("RssAnon"))


def measure(guest, args):
    from payload_guest import one_hot_range
    guest.payload.start([one_hot_range(USED, 0.25)])
    before = own_kib(guest)
    guest.qmp("device_add", driver="vmheat", id="heat0",
              **ab.properties(args.properties))
    guest.watch(args.settle)
    first = guest.qmp("query-vmheat")["stats"]
    time.sleep(args.seconds)
    info = guest.qmp("query-vmheat")
    last = info["stats"]
    ticks = last["samples"] - first["samples"]
    if not ticks:
        sys.exit("sizes: no sampling interval passed within --seconds "
                 f"{args.seconds}")
    seen = guest.watch(2)
    return {"tick_us": (last["worker-time"] - first["worker-time"]) / ticks
            / 1000, "checks_per_s": (last["checks"] - first["checks"])
            / args.seconds, "rss_mib": (own_kib(guest) - before) / 1024,
            "regions": guest.qmp("query-vmheat-regions")["nr-regions"],
            "recall": statistics.median(s[2] for s in seen) if seen else 0,
            "estimator": info["estimator"], "primitive": info["primitive"]}


def boot(size, accel):
    from payload_guest import PayloadGuest
    return PayloadGuest(
        size=size, ram=USED, accel=accel, shared=False,
        machine="microvm,memory-backend=mem0", args=[
            "-object", f"memory-backend-memfd,id=mem0,share=on,size={size}"])


def run(args, accel):
    rounds = []
    for _ in range(args.rounds):
        rounds.append([])
        for size in args.sizes:
            with boot(size, accel) as guest:
                rounds[-1].append(measure(guest, args))
    return rounds


def summary(args, accel, rounds):
    for i, size in enumerate(args.sizes):
        def median(name, i=i):
            return statistics.median(r[i][name] for r in rounds)
        ratio = statistics.median(r[i]["tick_us"] / r[0]["tick_us"]
                                  for r in rounds)
        yield {"size": size, "accel": accel,
               "estimator": rounds[0][i]["estimator"],
               "primitive": rounds[0][i]["primitive"],
               "tick_us": round(median("tick_us"), 1),
               "ratio": round(ratio, 2),
               "checks_per_s": round(median("checks_per_s")),
               "regions": round(median("regions")),
               "recall": round(median("recall"), 3),
               "rss_mib": round(median("rss_mib"), 1)}


def main():
    from guest import have_kvm
    args = parse_args()
    accel = args.accel or ("kvm" if have_kvm() else "tcg")
    records = list(summary(args, accel, run(args, accel)))
    if args.json:
        print(json.dumps(records))
        return
    print("  ".join(f"{name:>12}" for name in records[0]))
    for r in records:
        r["size"] = f"{r['size'] / (1 << 30):g}G"
        print("  ".join(f"{value:>12}" for value in r.values()))


sys.path.insert(0, os.path.join(HERE, "..", "tests", "qemu"))
if __name__ == "__main__":
    main()
