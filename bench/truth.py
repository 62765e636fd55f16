#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How true vmheat's picture is, against all that a guest really accessed.

linux     a Linux guest, emulated, whose every load and store is counted by
          the oracle, a plugin in the same QEMU (tests/oracle)
payload   the payload guest (tests/payload), with KVM where /dev/kvm can be
          opened, against its own record

A page is hot at 5 accesses a second, see granules.py; docs/devel/truth.md says
what is counted and how to read the figures. Precision and recall are medians of
several snapshots in the later half of --seconds; slowdown is the median of
--pairs, of a guest without the oracle. --json prints a list with a record for
each guest and rule, else there is a table.
"""

import argparse
import json
import os
import statistics
import sys
import time
from array import array
from typing import NamedTuple

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import granules  # noqa: E402
import pairs as ab  # noqa: E402

MB = 1 << 20
SIZE = 1024 * MB
WINDOW = 2.0          # seconds of accesses that a snapshot is compared with
PAIR_WINDOW = 0.1
LEAST_SECONDS = 12    # for three windows
LEAST_PAIRS = 7
SHOWN = 8             # extents of a kind in a record
# Of the Linux guest: 24 MiB of hot memory in one piece and as much in pieces of
# 2 MiB, read PASSES times a second (without a rest for slowdown), warm memory
# that is not hot, and cold memory.
WORKLOAD = {"cold": 400, "warm": 32, "hot": 24, "spots": 12}
PASSES = 200
# The payload's image, stack, page tables and parameter page: hot in part, and
# its record does not tell which.
PAYLOAD_OWN = [(1 * MB, 2 * MB)]
TABLE = ("guest", "accel", "estimator", "granule", "rule", "precision",
         "recall", "precision_clear", "recall_clear", "slowdown_pct",
         "budget_pct")


def number(least):
    def parse(text):
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(
                f"'{text}' must be a whole number, at least {least}")
        return value
    return parse


def parse_args():
    p = argparse.ArgumentParser(
        prog="truth", description=__doc__.split("\n\n", 1)[0])
    p.add_argument("--guest", choices=["linux", "payload", "all"],
                   default="all", help="default: all")
    p.add_argument("--estimator", metavar="NAME",
                   help="default: that of the device")
    p.add_argument("--pairs", type=number(LEAST_PAIRS), default=101,
                   metavar="N", help="of windows that slowdown is measured "
                   f"over; at least {LEAST_PAIRS}, default 101")
    p.add_argument("--seconds", type=number(LEAST_SECONDS), default=30,
                   metavar="N", help="of monitoring, the later half of which "
                   f"is scored; at least {LEAST_SECONDS}, default 30")
    p.add_argument("--json", action="store_true",
                   help="print records instead of a table")
    return p.parse_args()


class Failed(Exception):
    """It can't be measured; the text says why."""


class Exam(NamedTuple):
    """A snapshot and the rates of each page that it is to be compared with."""
    snapshot: dict
    rates: array
    with_code: array  # loads, stores and executions; None: not known
    seconds: float


class OracleTruth:
    """Rates of each page of a guest that the oracle watches."""

    unscored = ()

    def __init__(self, oracle):
        self.oracle = oracle

    def copy(self):
        return time.monotonic(), self.oracle.copy()

    def exam(self, snapshot, before, after):
        seconds = after[0] - before[0]
        data = self.oracle.data(before[1], after[1])
        code = self.oracle.code(before[1], after[1])
        return Exam(snapshot, array("d", (n / seconds for n in data)),
                    array("d", (max(n, m) / seconds
                                for n, m in zip(data, code))), seconds)


class RecordTruth:
    """Rates of each page by the payload's record of its ranges."""

    unscored = PAYLOAD_OWN

    def __init__(self, guest):
        self.guest = guest

    def copy(self):
        return time.monotonic(), self.guest.payload.record().ranges

    def exam(self, snapshot, before, after):
        seconds = after[0] - before[0]
        rates = array("d", bytes(SIZE // granules.PAGE * 8))
        for old, new in zip(before[1], after[1]):
            first = new.range.start // granules.PAGE
            pages = new.range.size // granules.PAGE
            rates[first:first + pages] = array("d", [
                (new.touches - old.touches) / seconds / pages]) * pages
        return Exam(snapshot, rates, None, seconds)


def next_snapshot(guest):
    """The first one that is published after the call."""
    last = guest.qmp("query-vmheat")["snapshot"]
    return guest.qmp.wait_until(
        "a new snapshot", step=0.01,
        check=lambda: guest.qmp("query-vmheat")["snapshot"] > last
        and guest.qmp("query-vmheat-regions"))


def take_exams(guest, truth, seconds):
    """Exams of the later half of these seconds; computed at the end."""
    guest.qmp("vmheat-resume")
    time.sleep(seconds / 2)
    taken = []
    for _ in range(int(seconds / 2 / WINDOW)):
        before = truth.copy()
        time.sleep(WINDOW)
        snapshot = next_snapshot(guest)
        taken.append((snapshot, before, truth.copy()))
    return [truth.exam(*t) for t in taken]


def add_device(guest, estimator):
    from qmp import QMPError
    chosen = {"estimator": estimator} if estimator else {}
    try:
        guest.qmp("device_add", driver="vmheat", id="heat0", paused=True,
                  **chosen)
    except QMPError as e:
        raise Failed(f"--estimator: {e}" if estimator else e) from e


def check_estimator(name):
    """Raises Failed at once, rather than after a guest has booted."""
    from guest import Guest
    with Guest(size=64 * MB, machine="microvm", device=None) as guest:
        add_device(guest, name)


def slowdown(guest, progress, args):
    """(median of the pairs, its standard error), in percent."""
    each = ab.slowdowns(ab.measure(guest, progress, args.pairs, PAIR_WINDOW))
    return round(statistics.median(each), 2), ab.standard_error(each)


def median(verdicts, get):
    return round(statistics.median(get(v) for v in verdicts), 4)


def scores(rule, exams, told, unscored):
    """The part of a record that is about being right."""
    all_of = [granules.judge(t, e.rates, rule, unscored)
              for t, e in zip(told, exams)]
    record = {
        "precision": median(all_of, lambda v: v.score.precision),
        "recall": median(all_of, lambda v: v.score.recall),
        "precision_clear": median(all_of, lambda v: v.clear.precision),
        "recall_clear": median(all_of, lambda v: v.clear.recall),
        "hot_mib": median(all_of, lambda v: v.score.hot * rule.granule / MB),
        "called_mib": median(
            all_of, lambda v: v.score.called * rule.granule / MB),
        "ambiguous_mib": median(all_of, lambda v: v.ambiguous / MB),
    }
    if exams[0].with_code:
        coded = [granules.judge(t, e.with_code, rule, unscored)
                 for t, e in zip(told, exams)]
        record["precision_code"] = median(coded, lambda v: v.score.precision)
        record["recall_code"] = median(coded, lambda v: v.score.recall)
    record["missed"] = all_of[-1].missed[:SHOWN]
    record["false"] = all_of[-1].false[:SHOWN]
    return record


def records(about, exams, unscored, slow, info):
    """A record for each rule. about: which guest, and how it ran."""
    told = [granules.told_rates(e.snapshot, SIZE // granules.PAGE)
            for e in exams]
    for rule in granules.RULES:
        yield {
            **about, "estimator": info["estimator"],
            "primitive": info["primitive"],
            "granule": rule.granule, "rule": rule.name,
            **scores(rule, exams, told, unscored),
            "slowdown_pct": slow[0], "slowdown_se_pct": slow[1],
            "budget_pct": info["attrs"]["overhead-budget"] / 100,
            "told": granules.told_by(exams[0].snapshot),
            "threshold_hz": granules.THRESHOLD, "snapshots": len(exams),
            "window_s": round(exams[0].seconds, 2),
            "regions": statistics.median(
                e.snapshot["nr-regions"] for e in exams),
        }


def linux_exams(args, files):
    from guest import environment
    from linux_guest import LinuxGuest
    from oracle_file import Oracle
    with Oracle(SIZE) as oracle, LinuxGuest(
            files, size=SIZE, passes=PASSES, device=None, **WORKLOAD,
            args=oracle.args(environment("VMHEAT_ORACLE"))) as guest:
        add_device(guest, args.estimator)
        return (take_exams(guest, OracleTruth(oracle), args.seconds),
                guest.qmp("query-vmheat"))


def linux_slowdown(args, files):
    from linux_guest import LinuxGuest
    with LinuxGuest(files, size=SIZE, device=None, **WORKLOAD) as guest:
        add_device(guest, args.estimator)
        guest.qmp("vmheat-resume")
        time.sleep(args.seconds / 2)
        return slowdown(guest, guest.progress, args)


def linux(args):
    from linux_guest import make_files
    with make_files() as files:
        exams, info = linux_exams(args, files)
        slow = linux_slowdown(args, files)
    yield from records({"guest": "linux", "accel": "tcg", "truth": "oracle"},
                       exams, (), slow, info)


def payload_ranges():
    """Without a rest; four times the threshold; a fifth of it."""
    from payload_guest import Range, one_hot_range
    warm, cool = 16 * MB, 16 * MB
    return [one_hot_range(SIZE, write_percent=25),
            Range(700 * MB, warm, 20 * warm // granules.PAGE, 25),
            Range(821 * MB, cool, 1 * cool // granules.PAGE, 25)]


def payload(args):
    from guest import have_kvm
    from payload_guest import PayloadGuest
    accel = "kvm" if have_kvm() else "tcg"
    about = {"guest": "payload", "accel": accel, "truth": "record"}
    if accel == "tcg":
        about["note"] = "/dev/kvm can't be opened: emulated instead"
    with PayloadGuest(size=SIZE, accel=accel, machine="microvm") as guest:
        guest.payload.start(payload_ranges())
        add_device(guest, args.estimator)
        truth = RecordTruth(guest)
        exams = take_exams(guest, truth, args.seconds)
        slow = slowdown(guest, lambda: guest.payload.get("TOTAL_TOUCHES"),
                        args)
        about["intact"] = guest.intact()
        yield from records(about, exams, truth.unscored, slow,
                           guest.qmp("query-vmheat"))


GUESTS = {"linux": linux, "payload": payload}


def print_row(record, before):
    """before: the records printed so far."""
    if not before:
        print(" ".join(f"{name[:15]:>15}" for name in TABLE))
    if "note" in record and record["guest"] not in [
            r["guest"] for r in before]:
        print(f"({record['guest']}: {record['note']})")
    print(" ".join(f"{record[name]!s:>15}" for name in TABLE), flush=True)


def run(args):
    check_estimator(args.estimator)
    found = []
    for name, measure in GUESTS.items():
        if args.guest in (name, "all"):
            for record in measure(args):
                if not args.json:
                    print_row(record, found)
                found.append(record)
    if args.json:
        print(json.dumps(found, indent=1))
    return 0 if all(r.get("intact", True) for r in found) else 1


def expected():
    """Exceptions whose text says it all."""
    from linux_guest import NoLinux
    from oracle_file import OracleError
    from payload_guest import PayloadError
    from qmp import QMPError
    return (Failed, NoLinux, OracleError, PayloadError, QMPError, EOFError,
            OSError, RuntimeError)


def main():
    args = parse_args()
    try:
        return run(args)
    except expected() as e:
        print(f"truth: {e}", file=sys.stderr)
        return 1


sys.path.insert(0, os.path.join(HERE, "..", "tests", "qemu"))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "oracle"))
if __name__ == "__main__":
    sys.exit(main())
