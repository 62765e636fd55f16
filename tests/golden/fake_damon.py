# SPDX-License-Identifier: GPL-2.0-or-later
"""A plain folder that looks like DAMON's in sysfs, to whom does not look twice.

Nothing happens in it but what is written: regions never change by themselves.
"""

import os

CONTEXT = "kdamonds/0/contexts/0"
SCHEME = f"{CONTEXT}/schemes/0"
TARGET = f"{CONTEXT}/targets/0"
FILES = {
    "kdamonds/nr_kdamonds": 0, "kdamonds/0/state": "off", "kdamonds/0/pid": -1,
    "kdamonds/0/contexts/nr_contexts": 0,
    f"{CONTEXT}/avail_operations": "vaddr\nfvaddr\npaddr",
    f"{CONTEXT}/operations": "vaddr",
    f"{CONTEXT}/monitoring_attrs/intervals/sample_us": 5000,
    f"{CONTEXT}/monitoring_attrs/intervals/aggr_us": 100000,
    f"{CONTEXT}/monitoring_attrs/intervals/update_us": 60000000,
    f"{CONTEXT}/monitoring_attrs/nr_regions/min": 10,
    f"{CONTEXT}/monitoring_attrs/nr_regions/max": 1000,
    f"{CONTEXT}/targets/nr_targets": 0, f"{TARGET}/pid_target": 0,
    f"{TARGET}/regions/nr_regions": 0, f"{TARGET}/regions/0/start": 0,
    f"{TARGET}/regions/0/end": 0, f"{CONTEXT}/schemes/nr_schemes": 0,
    f"{SCHEME}/action": "willneed", f"{SCHEME}/watermarks/interval_us": 0,
    **{f"{SCHEME}/access_pattern/{what}/{end}": 1
       for what in ("sz", "nr_accesses", "age") for end in ("min", "max")},
    f"{SCHEME}/tried_regions/total_bytes": 12288,
}


class FakeDamon:
    """The folder; names are relative to it."""

    def __init__(self, root, ranges=8):
        self.root = root
        for name, text in FILES.items():
            self.write(name, text)
        for i in range(1, ranges):
            for end in ("start", "end"):
                self.write(f"{TARGET}/regions/{i}/{end}", 0)

    def write(self, name, text):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as f:
            f.write(str(text))

    def read(self, name):
        with open(os.path.join(self.root, name), encoding="ascii") as f:
            return f.read().strip()

    def running(self):
        return self.read("kdamonds/nr_kdamonds") == "1"

    def watched(self):
        """The ranges that DAMON was told to watch; none while one is written."""
        regions = f"{TARGET}/regions"
        texts = [self.read(f"{regions}/{i}/{end}")
                 for i in range(int(self.read(f"{regions}/nr_regions") or 0))
                 for end in ("start", "end")]
        if "" in texts:
            return []
        return list(zip(map(int, texts[::2]), map(int, texts[1::2])))

    def find(self, i, start, end, nr_accesses, age):
        """Have it report a region."""
        for name, value in (("start", start), ("end", end),
                            ("nr_accesses", nr_accesses), ("age", age)):
            self.write(f"{SCHEME}/tried_regions/{i}/{name}", value)
