#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What does recording cost, and how long do reports on an hour take?

Boots the payload guest (tests/payload) with --regions regions and ten snapshots
a second, a quarter of its memory touched as fast as it goes, and runs
"vmheat record" for --seconds, --rounds times. cpu_pct is the recorder's CPU
time, of one core, with its start and its end; region_bytes are those of the
file for each region of a snapshot.

Then a record of --hours with as many regions and snapshots is made by
tests/golden/make-record, and each report runs on it: seconds, the median.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "tests", "golden"),
                os.path.join(HERE, "..", "tests", "qemu")]

MB = 1 << 20
SIZE = 1024 * MB
DEVICE = ("id=heat0,sampling-interval=50000,aggregation-interval=100000,"
          "update-interval=1000000,overhead-budget=10000,"
          "min-regions={0},max-regions={1}")
REPORTS = {
    "access": ["access"],
    "heatmap": ["heatmap", "--color"],
    "wss": ["wss"],
    "times": ["times", "--rate", "1-"],
    "profile": ["profile"],
    "schemes": ["schemes"],
}


def number(kind, least):
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = least - 1
        if not value >= least:
            raise argparse.ArgumentTypeError(
                f"'{text}' must be {least} or more")
        return value
    return parse


def parse_args():
    p = argparse.ArgumentParser(prog="record",
                                description=__doc__.split("\n\n", 1)[0])
    p.add_argument("--regions", type=number(int, 10), default=1000)
    p.add_argument("--seconds", type=number(float, 1), default=60)
    p.add_argument("--rounds", type=number(int, 1), default=3)
    p.add_argument("--hours", type=number(float, 0), default=1,
                   help="of the record for the reports; 0: none")
    p.add_argument("--json", action="store_true")
    return p.parse_args()


def cpu_of(command):
    """(CPU time in seconds, what it wrote to standard error)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, check=False, text=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"record: {' '.join(command)}: {done.stderr}")
    return (after.ru_utime + after.ru_stime - before.ru_utime -
            before.ru_stime, done.stderr)


def record(socket, path, seconds):
    cpu, said = cpu_of([os.environ["VMHEAT_CLI"], "record", "-s", socket, "-o",
                        path, "--force", "--duration", f"{seconds}s"])
    snapshots = int(said.split(": ")[1].split()[0])
    return cpu, snapshots, os.path.getsize(path)


def cost_of_recording(args, folder):
    from guest import have_kvm
    from payload_guest import PayloadGuest, one_hot_range
    accel = ({"accel": "kvm", "machine": "microvm"} if have_kvm()
             else {"accel": "tcg"})
    socket = os.path.join(folder, "vm.qmp")
    rounds = []
    with PayloadGuest(size=SIZE, **accel,
                      device=DEVICE.format(args.regions, args.regions * 2),
                      args=["-qmp", f"unix:{socket},server=on,wait=off"]) as g:
        g.payload.start([one_hot_range(SIZE, share=0.25)])
        g.qmp.wait_until("regions", lambda: g.qmp(
            "query-vmheat-regions", limit=1)["nr-regions"] >= args.regions)
        for _ in range(args.rounds):
            cpu, n, size = record(socket, os.path.join(folder, "r"),
                                  args.seconds)
            regions = g.qmp("query-vmheat-regions", limit=1)["nr-regions"]
            rounds.append({"cpu_pct": 100 * cpu / args.seconds,
                           "per_second": n / args.seconds, "regions": regions,
                           "region_bytes": size / n / regions})
    return {"accel": accel["accel"], **{
        name: round(statistics.median(r[name] for r in rounds), 3)
        for name in rounds[0]}}


def time_of_reports(args, folder):
    path = os.path.join(folder, "hour")
    subprocess.run([os.environ["VMHEAT_MAKE_RECORD"], path,
                    str(int(args.hours * 3600)), "10", str(args.regions)],
                   check=True)
    out = {"record_mib": round(os.path.getsize(path) / MB, 1)}
    for name, words in REPORTS.items():
        took = []
        for _ in range(args.rounds):
            begin = time.monotonic()
            cpu_of([os.environ["VMHEAT_CLI"], "report", *words, "-i", path])
            took.append(time.monotonic() - begin)
        out[name + "_s"] = round(statistics.median(took), 2)
    return out


def main():
    args = parse_args()
    with tempfile.TemporaryDirectory(prefix="vmheat-bench-") as folder:
        result = cost_of_recording(args, folder)
        if args.hours:
            result.update(time_of_reports(args, folder))
    if args.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:>14}  {value}")


if __name__ == "__main__":
    main()
