#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sum up meson's test logs: counts per suite, and why tests were skipped.

usage: check-summary.py NAME=LOG.json...
       check-summary.py --failed LOG.json

A test program may hold many cases (unittest, TAP); these are counted too, and
a skipped case is reported like a skipped program. Exit status 1 when a suite
is empty or a log is missing: a check that ran nothing proves nothing.

With --failed only what failed of one log, in one line: for the last lines of a
long log, which are read first.
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
ASSERTION = re.compile(r"^Bail out! (.*)", re.M)
LINE_MAX = 400
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
            NOT_OK.findall(text) + ASSERTION.findall(text))


def read(path):
    """The tests of a log, their names without the suite's."""
    with open(path, encoding="utf-8") as f:
        tests = [json.loads(line) for line in f if line.strip()]
    for test in tests:  # "vmheat:unit / region"
        test["name"] = test["name"].split(" / ")[-1]
    return tests


def failed(tests):
    return [t for t in tests if t["result"] not in ("OK", "SKIP")]


def print_failed(path):
    """One line."""
    try:
        found = failed(read(path))
    except FileNotFoundError:
        found = []
    text = ", ".join(f"{t['name']} ({'; '.join(failures(output(t)))})"
                     for t in found)
    print(text[:LINE_MAX] or "no test says so")


def summary(name, path):
    """Print one suite's line; its skips; None when there is no such log."""
    try:
        tests = read(path)
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
    for test in failed(tests):
        print(f"    {test['result']}: {test['name']}")
        for line in failures(output(test)):
            print(f"        {line}")
    return [(f"{name}: {what}", why) for t in tests for what, why in skips(t)]


def main():
    if sys.argv[1:2] == ["--failed"]:
        print_failed(sys.argv[2])
        return 0
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
