#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Say which failed programs of a meson test log may be run once more.

usage: check-again.py LOG.json

Tests with a real QEMU, and of the kernel's page tables and reclaim, wait for what a host without load shows in seconds. On
one that takes the CPU away for as long they can miss a figure, and then a
second try tells more than the first. What harms a guest or ends QEMU is never
tried again: changed memory, a crash, a guest that does not answer, a
sanitizer's finding, a time-out. Of a program of GLib's tests, only an assertion
that fails is no crash.

Prints the names, one a line. Exit status 1 when there are none, or one of the
failures is of that other kind.
"""

import json
import re
import sys

HARM = re.compile(r"intact\(|memory was changed|damaged|BAD |Sanitizer"
                  r"|runtime error:|[Oo]ut of memory|oom-killer|panic|EOFError"
                  r"|ended with status|signal \d|Assertion [`']"
                  r"|contents lost|PayloadError|QEMU ended|QEMU did not start")
MISSED = re.compile(r"^(?:Bail out! |# )ERROR:\S+: assertion failed", re.M)


def may_run_again(test):
    text = (test.get("stdout") or "") + (test.get("stderr") or "")
    failed = test["result"] == "FAIL" or (test["result"] == "ERROR"
                                          and MISSED.search(text))
    return bool(failed) and not HARM.search(text)


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        tests = [json.loads(line) for line in f if line.strip()]
    failed = [t for t in tests if t["result"] not in ("OK", "SKIP")]
    if not failed or not all(map(may_run_again, failed)):
        return 1
    for test in failed:
        print(test["name"].split(" / ")[-1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
