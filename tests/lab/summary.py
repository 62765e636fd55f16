#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sum up the lab's results: counts per kernel, skips and their reasons.

usage: summary.py [--left-out=TEST]... RESULTS.json...

RESULTS are of boot.py. Exit status 0 when all passed, 77 when nothing ran, 1
when anything failed or results are missing.
"""

import argparse
import json
import sys

SKIP = 77
NOT_BUILT = "run scripts/lab --build-kernel"


def load(path):
    """Results; a run that left none is a failed one."""
    try:
        with open(path, encoding="utf-8") as f:
            return json.load(f)
    except (FileNotFoundError, ValueError):
        return {"kernel": path, "passed": 0, "failed": 0, "skipped": [],
                "crashes": 0, "resets": 0, "seconds": 0,
                "problem": "there are no results"}


def show(result):
    print(f"lab, kernel {result['kernel']:6} {result['passed']:4} passed "
          f"{result['failed']:4} failed {len(result['skipped']):4} skipped "
          f"{result['seconds']:7.1f} s")
    if result["crashes"]:
        print(f"    the emulated machine crashed {result['crashes']} times and "
              "was booted again")
    if result["resets"]:
        print(f"    the emulated machine reset {result['resets']} inner guests; "
              "these tests were begun anew")
    if result["problem"]:
        print(f"    FAILED: {result['problem']}")
    for name, reason in result["skipped"]:
        print(f"    skipped {name}: {reason}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--left-out", action="append", default=[])
    parser.add_argument("results", nargs="*")
    args = parser.parse_args()
    results = [load(path) for path in args.results]
    print()
    for result in results:
        show(result)
    for name in args.left_out:
        print(f"skipped {name} in kernel idle: {NOT_BUILT}")
    if any(r["problem"] for r in results):
        return 1
    return 0 if results else SKIP


if __name__ == "__main__":
    sys.exit(main())
