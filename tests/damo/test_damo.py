#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Records for damo, read by the real damo: does it see what was written?

    test_damo.py SUITE

gets damo of that suite of Debian (once; it is kept in .cache/damo/SUITE), lets
make-record write records, runs damo's reports on them as a user would, and
compares the figures with those that make-record said it wrote. damo only reads
the files: it looks at the kernel's DAMON only when it is given none.

VMHEAT_MAKE_RECORD names the program.
"""

import bisect
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
SECOND = 10**9
MIB = 1 << 20
GIB = 1 << 30
LEAST_ADDRESS = 4096    # damo has no region at 0
AGGREGATION_US = 10**6  # of each first snapshot
CHECKS = 20             # in that time
NUMBER = r"(-?[\d.]+)"


class Region:
    def __init__(self, fields, most):
        start, self.end, self.accesses, self.age_us = fields
        self.start = max(start, LEAST_ADDRESS)
        self.size = self.end - self.start
        self.percent = int(self.accesses * 100_000 / most) / 1000
        # of CHECKS
        self.samples = max(self.accesses * CHECKS // most,
                           min(self.accesses, 1))


class Snapshot:
    def __init__(self, fields):
        self.start, self.end, self.most = fields
        self.regions = []

    def working_set(self):
        return sum(r.size for r in self.regions if r.accesses)


def make_record(folder, kind):
    """A record for damo, and the snapshots that are in it."""
    path = os.path.join(folder, kind + ".damo")
    done = subprocess.run(
        [os.environ["VMHEAT_MAKE_RECORD"], os.path.join(folder, kind), path,
         kind], capture_output=True, text=True, timeout=50, check=True)
    snapshots = []
    for line in done.stdout.splitlines():
        kind, *fields = line.split()
        fields = [int(f) for f in fields]
        if kind == "SNAPSHOT":
            snapshots.append(Snapshot(fields))
        else:
            snapshots[-1].regions.append(Region(fields, snapshots[-1].most))
    return path, snapshots


class Reports(unittest.TestCase):
    """What each record has to pass."""
    kind = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="vmheat-damo-")
        cls.path, cls.snapshots = make_record(cls.folder.name, cls.kind)
        cls.begin = cls.snapshots[0].start
        cls.end = cls.snapshots[-1].end

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def damo(self, *args):
        done = subprocess.run(
            [sys.executable, "-B", DAMO, *args], capture_output=True,
            text=True, timeout=50, check=False, stdin=subprocess.DEVNULL,
            cwd=self.folder.name)
        self.assertEqual((done.returncode, done.stderr), (0, ""), args)
        return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)

    def report(self, what, *args):
        option = {"access": "--input_file", "times": "--inputs"}
        more = ["none"] if what == "times" else []
        return self.damo("report", what, option.get(what, "--input"),
                         self.path, *more, *args)

    def access(self, *args):
        return self.report("access", "--raw_number", *args)

    # ---- heatmaps ----

    def heat(self, time, address, step, size):
        """Of a pixel: samples, as a mean; None where nothing is known."""
        heat, known = 0, False
        for s in self.snapshots:
            ns = min(s.end, time + step) - max(s.start, time)
            if ns <= 0:
                continue
            known = True
            for r in s.regions:
                both = min(r.end, address + size) - max(r.start, address)
                heat += r.samples * ns * max(both, 0)
        return heat / step / size if known else None

    def check_heatmap(self, low, high):
        rows, columns = 30, 48
        text = self.report(
            "heatmap", "--output", "raw", "--abs_time", "--abs_addr",
            "--resol", str(rows), str(columns), "--address_range", str(low),
            str(high), "--time_range", str(self.begin), str(self.end))
        pixels = [line.split() for line in text.splitlines()]
        self.assertEqual(len(pixels), rows * columns)
        step, size = (self.end - self.begin) // rows, (high - low) // columns
        seen = set()
        for time, address, heat in pixels:
            time, address = int(time), int(address)
            seen.add((time, address))
            expected, heat = self.heat(time, address, step, size), float(heat)
            if expected is None:
                self.assertFalse(heat > 0, (time, address))  # or NaN
            else:
                self.assertAlmostEqual(heat, expected, places=6,
                                       msg=f"at {time} ns, {address}")
        self.assertEqual(len(seen), rows * columns)

    def test_heatmap(self):
        self.check_heatmap(0, 3 * GIB)
        self.check_heatmap(4 * GIB, 9 * GIB)

    def test_guide(self):
        """The map is of all memory, and of the time of the record."""
        text = self.report("heatmap", "--guide")
        time = [line for line in text.splitlines() if line.startswith("time")]
        numbers = re.findall(r"\d+", time[0])
        self.assertEqual([int(n) for n in numbers[:2]], [self.begin, self.end])
        regions = re.findall(r"region\s+\d+: \[?(\d+)(?:-|, )(\d+)", text)
        self.assertEqual([(int(a), int(b)) for a, b in regions],
                         [(LEAST_ADDRESS, 3 * GIB), (4 * GIB, 9 * GIB)])

    def test_heatmap_on_terminal(self):
        """What a user sees: the hottest column is where the hottest range is."""
        text = self.report("heatmap", "--draw_range", "all", "--resol", "6",
                           "96", "--stdout_skip_colorset_example")
        rows = [x for x in text.splitlines() if not x.startswith("#")]
        self.assertEqual([len(r) for r in rows], [96] * 12)
        for row in rows[:6]:  # the part below the hole
            self.assertEqual({i for i, c in enumerate(row) if c > "5"}
                             - set(range(64, 72)), {32, 33, 34}, row)
        upper = [max(row[38:46]) for row in rows[6:]]
        self.assertEqual(upper[0], "0")
        self.assertEqual(upper[-1], "8")

    # ---- working sets ----

    def wss(self, *args):
        text = self.report("wss", "--raw_number", *args)
        return {int(p): int(v) for p, v in
                re.findall(r"^ *(\d+) +(\d+)", text, re.M)}

    def check_wss(self, got, skip):
        sizes = sorted(s.working_set() for s in self.snapshots[skip:])
        self.assertEqual(got, {
            p: sizes[min(p * len(sizes) // 100, len(sizes) - 1)] for p in got})

    def test_wss_of_all(self):
        got = self.wss("--exclude_samples", "0", "--range", "0", "101", "4")
        self.assertEqual(len(got), 26)
        self.check_wss(got, 0)

    # ---- regions ----

    def test_regions(self):
        """Each region of each snapshot, to the byte and the microsecond."""
        text = self.access(
            "--format_snapshot_head", "SNAPSHOT <start time> <end time>",
            "--format_region",
            "REGION <start address> <end address> <access rate> <age>")
        lines = [x.split()[1:] for x in text.splitlines()
                 if x.startswith("REGION")]
        self.assertEqual(
            [(int(a), int(b), float(p), int(t)) for a, b, p, t in lines],
            [(r.start, r.end, r.percent, r.age_us)
             for s in self.snapshots for r in s.regions])

    def test_raw_form(self):
        text = self.report("access", "--raw_form")
        lines = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) \(.*\) +(\d+) ", text,
                           re.M)
        self.assertEqual([(int(a, 16), int(b, 16), int(n))
                          for a, b, n in lines],
                         [(r.start, r.end, r.samples)
                          for s in self.snapshots for r in s.regions])

    # ---- styles ----

    def check_histogram(self, style, value):
        """Of the first and the last snapshots: bytes by value(region)."""
        text = self.access("--style", style)
        lines = re.findall(rf"^\[{NUMBER}, {NUMBER}\) +(\d+) ", text, re.M)
        self.assertEqual(len(lines), 10 * len(self.snapshots))
        for i, s in enumerate(self.snapshots):
            bins = [(float(a), int(n)) for a, _, n in lines[i * 10:i * 10 + 10]]
            got = [n for _, n in bins]
            expected = [0] * 10
            for r in s.regions:
                at = bisect.bisect([a for a, _ in bins], value(r)) - 1
                expected[at] += r.size
            self.assertEqual(got, expected, (style, i))

    def test_recency(self):
        self.check_histogram(
            "recency-sz-hist",
            lambda r: 0 if r.accesses else r.age_us + AGGREGATION_US)

    def test_temperature(self):
        def temperature(r):
            t = 100 * r.percent + 100 * r.age_us
            return t if r.accesses else -t
        self.check_histogram("temperature-sz-hist", temperature)

    # ---- times and filters ----

    def test_times(self):
        """When was [6 GiB, 6.5 GiB) hot? Since the middle, and to the end."""
        text = self.report("times", "--access_rate", "50%", "100%",
                           "--address", "6G", "7G")
        middle = self.snapshots[len(self.snapshots) // 2].start
        self.assertEqual(re.findall(r"[\d.]+", text.splitlines()[0]),
                         [f"{t / SECOND:f}" for t in (middle, self.end)])

    def test_hardly_accessed(self):
        """What was accessed in one check is not idle."""
        text = self.access("--access_rate", "0.05%", "6%", "--format_region",
                           "REGION <start address> <end address>")
        expected = sum(0 < r.percent < 6 for s in self.snapshots
                       for r in s.regions)
        self.assertGreaterEqual(expected, len(self.snapshots))
        self.assertEqual(len(re.findall("^REGION ", text, re.M)), expected)


class Steady(Reports):
    """All as it should be; here is also what does not depend on the record."""
    kind = "steady"

    def test_wss(self):
        got = self.wss()
        self.assertEqual(list(got), [0, 25, 50, 75, 100])
        self.check_wss(got, 20)

    def test_json(self):
        records = json.loads(self.access("--json"))
        self.assertEqual(len(records), 1)
        self.assertEqual(
            [(int(s["start_time"]), int(s["end_time"]), int(s["total_bytes"]))
             for s in records[0]["snapshots"]],
            [(s.start, s.end, sum(r.size for r in s.regions))
             for s in self.snapshots])

    def test_default(self):
        """No option at all: each region has its line."""
        text = self.report("access")
        lines = re.findall(r"^\d+ +addr .* size .* access .* age ", text, re.M)
        self.assertEqual(len(lines), sum(len(s.regions)
                                         for s in self.snapshots))
        self.assertEqual(text.count("total size: 8.000 GiB"),
                         len(self.snapshots))

    def test_other_styles(self):
        for style in ("simple-boxes", "recency-percentiles",
                      "temperature-percentiles"):
            self.assertGreater(
                len(self.report("access", "--style", style).splitlines()),
                len(self.snapshots), style)

    def test_regions_counted(self):
        text = self.report("nr_regions")
        numbers = sorted(len(s.regions) for s in self.snapshots[20:])
        self.assertIn(str(numbers[0]), text.split())
        self.assertIn(str(numbers[-1]), text.split())


class Changed(Reports):
    """Intervals that change, and a monitor that is held back."""
    kind = "changed"


class Sparse(Reports):
    """Some snapshots are missing, and once the monitor stood still."""
    kind = "sparse"
    test_heatmap_on_terminal = None  # has rows of nothing


del Reports  # not a test by itself


def get_damo(suite):
    folder = os.path.join(ROOT, ".cache", "damo", suite)
    done = subprocess.run(
        [os.path.join(ROOT, "scripts", "debian-package"), suite, "damo",
         folder], timeout=200, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    with open(os.path.join(folder, "version"), encoding="ascii") as f:
        print(f"damo {f.read().strip()} of {suite}", flush=True)
    return os.path.join(folder, "usr/lib/python3/dist-packages/damo/damo.py")


if __name__ == "__main__":
    DAMO = get_damo(sys.argv.pop(1))
    unittest.main()
