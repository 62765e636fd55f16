#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sum up meson's test logs: counts per suite, and why tests were skipped.

usage: check-summary.py NAME=LOG.json...

A test program may hold many cases (unittest, TAP); these are counted too, and
a skipped case is reported like a skipped program. Exit status 1 when a suite
is empty or a log is missing: a check that ran nothing proves nothing.
"""

import json
import re
import sys

# unittest: "test_x (test_a.A) ... skipped 'why'", or with the first line of
# its description before the dots, on a line of its own
UNITTEST = re.compile(r"^(\w+) \([\w.]+\)(?:\n[^\n]*?)? ?\.\.\. "
                      r"skipped ['\"](.*)['\"]$", re.M)
# TAP: "ok 3 /region/split # SKIP why"
TAP = re.compile(r"^ok \d+ (\S+) # SKIP\s*(.*)$", re.M)
TAP_CASE = re.compile(r"^(?:not )?ok \d+\b", re.M)
RAN = re.compile(r"^Ran (\d+) tests? in", re.M)
# what failed, and the exception that said so
FAILURE = re.compile(r"^(?:FAIL|ERROR): (\w+) .*\n(?:.*\n)*?"
                     r"((?:\w+\.)*\w*(?:Error|Exception|Failure)\b.*)", re.M)
NOT_OK = re.compile(r"^not ok \d+ (\S+)", re.M)
REASON = re.compile(r"^(?:SKIP|skipped)\b:?\s*(.+)$", re.M)


def output(test):
    return (test.get("stdout") or "") + "\n" + (test.get("stderr") or "")


def cases(text):
    """How many cases the program says it ran; 1 when it does not say."""
    ran = sum(int(n) for n in RAN.findall(text))
    return ran or len(TAP_CASE.findall(text)) or 1


def skips(test):
    """(name, reason) of all that was skipped."""
    text = output(test)
    if test["result"] == "SKIP":
        found = REASON.search(text)
        lines = [x for x in text.strip().split("\n") if x]
        reason = found.group(1) if found else (
            lines[-1] if lines else "no reason given")
        return [(test["name"], reason)]
    return ([(f"{test['name']}: {name}", why)
             for name, why in UNITTEST.findall(text)] +
            [(f"{test['name']}: {name}", why or "no reason given")
             for name, why in TAP.findall(text)])


def failures(text):
    """A line on each case that failed."""
    return ([f"{name}: {why}" for name, why in FAILURE.findall(text)] +
            NOT_OK.findall(text))


def summary(name, path):
    """Print one suite's line; its skips; None when there is no such log."""
    try:
        with open(path, encoding="utf-8") as f:
            tests = [json.loads(line) for line in f if line.strip()]
        for test in tests:  # "vmheat:unit / region"
            test["name"] = test["name"].split(" / ")[-1]
    except FileNotFoundError:
        tests = []
    if not tests:
        print(f"{name:24} NO TESTS RAN ({path})")
        return None
    count = {}
    for test in tests:
        count[test["result"]] = count.get(test["result"], 0) + 1
    passed, skipped = count.pop("OK", 0), count.pop("SKIP", 0)
    total = sum(cases(output(t)) for t in tests if t["result"] != "SKIP")
    seconds = sum(t["duration"] for t in tests)
    print(f"{name:24} {passed:4} passed {sum(count.values()):4} failed "
          f"{skipped:4} skipped {total:6} cases {seconds:7.1f} s")
    for test in tests:
        if test["result"] not in ("OK", "SKIP"):
            print(f"    {test['result']}: {test['name']}")
            for line in failures(output(test)):
                print(f"        {line}")
    return [(f"{name}: {what}", why) for t in tests for what, why in skips(t)]


def main():
    skipped, empty = [], False
    for arg in sys.argv[1:]:
        found = summary(*arg.split("=", 1))
        empty = empty or found is None
        skipped += found or []
    for what, why in skipped:
        print(f"skipped {what}: {why}")
    return 1 if empty else 0


if __name__ == "__main__":
    sys.exit(main())
