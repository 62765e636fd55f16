#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What snapshots and "report access" show, compared with files.

usage: test_access.py [--update]    see test_golden.py
"""

import os
import sys

import test_golden as golden
from test_golden import ALONE, UTF8, no_snapshot, rates

# 1 minute, twice a second, 24 regions
RECORD = {"record": (60, 2, 24)}
STYLES = ("table", "boxes", "temperature-sz-hist", "recency-sz-hist",
          "rate-sz-hist", "size-hist", "temperature-percentiles",
          "recency-percentiles")
ACCESS = ["report", "access"]


def hostile():
    """As much as numbers can be: the largest, and one region of one page."""
    regions = rates()["regions"]
    most = 2**63 - 1
    regions.update({"sequence": most, "end-time": most, "total-size": most,
                    "nr-regions": most, "regions": [
                        {"start": 0, "end": 4096, "nr-accesses": 0, "age": 0,
                         "rate": 0, "rate-low": 0, "rate-high": 0,
                         "idle-ms": 0},
                        {"start": 4096, "end": most, "nr-accesses": most,
                         "age": most, "rate": 1e308, "rate-low": 1e-308,
                         "rate-high": 1e308, "idle-ms": most}]})
    return {"regions": regions}


def cases():
    for style in STYLES:
        view = [*ACCESS, "--style", style]
        yield f"{style}", (view, {}, rates())
        yield f"{style}-20", (view, {"COLUMNS": "20"}, rates())
        yield f"{style}-40", (view, {"COLUMNS": "40"}, rates())
        yield f"{style}-120-utf8", (view, {"COLUMNS": "120", **UTF8}, rates())
        yield f"{style}-1", (view, {"COLUMNS": "1"}, rates())
        yield f"{style}-color", ([*view, "--color"], UTF8, rates())
        yield f"{style}-raw", ([*view, "--raw"], {}, rates())
        yield f"{style}-no-rates", (view, {}, {})
        yield f"{style}-no-rates-raw", ([*view, "--raw"], {}, {})
        yield f"{style}-hostile", (view, {}, hostile())
        yield f"{style}-hostile-20", (view, {"COLUMNS": "20"}, hostile())
        yield f"{style}-nothing", ([*view, "--size", "1024T-"], {}, rates())
        yield f"{style}-nothing-raw", ([*view, "--size", "1024T-", "--raw"],
                                       {}, rates())
        yield f"{style}-record", (view, ALONE, RECORD)
        yield f"{style}-snapshot", (["snapshot", "--style", style], {}, rates())
    yield "boxes-high", ([*ACCESS, "--style", "boxes", "--sort", "age"],
                         {"LINES": "60"}, rates())
    # of one size: not higher, though there is room
    yield "boxes-alike", ([*ACCESS, "--style", "boxes"],
                          {"LINES": "200", **ALONE}, RECORD)
    yield "boxes-high-color", (
        [*ACCESS, "--style", "simple-boxes", "--color"], {"LINES": "60"},
        rates())
    yield "detailed", ([*ACCESS, "--style", "detailed"], {}, rates())
    yield "idle-time-percentiles", (
        [*ACCESS, "--style", "idle-time-percentiles"], {}, rates())
    yield "cold-memory-tail", ([*ACCESS, "--style", "cold-memory-tail"], {},
                               rates())
    yield "weights", ([*ACCESS, "--style", "temperature-percentiles",
                       "--weights", "0.001,1000000,0"], {}, rates())
    for by in ("address", "heat", "size", "age", "rate", "idle",
               "temperature"):
        yield f"sort-{by}", ([*ACCESS, "--sort", by], {}, rates(True))
        yield f"sort-{by}-reverse", (
            [*ACCESS, "--sort", by, "--reverse", "--limit", "3"], {}, rates())
    yield "sort-json", ([*ACCESS, "--json", "--sort", "size", "--limit", "2"],
                        {}, rates(True))
    yield "live-json", ([*ACCESS, "--json"], {}, rates(True))
    yield "live-no-rates-json", ([*ACCESS, "--json"], {}, {})
    yield "none", (ACCESS, {}, {"regions": no_snapshot()})
    yield "none-json", ([*ACCESS, "--json"], {}, {"regions": no_snapshot()})
    # filters; "report" cuts, "snapshot" does not
    yield "range", ([*ACCESS, "--start", "0x150000000", "--end", "6G"], {},
                    rates())
    yield "range-snapshot", (
        ["snapshot", "--start", "0x150000000", "--end", "6G"], {}, rates())
    yield "filters", ([*ACCESS, "--size", "1M-1G", "--rate", "0.005-600",
                       "--age", "5s-", "--idle", "-1m"], {}, rates())
    yield "filters-snapshot", (["snapshot", "--idle", "1m-", "--sort", "idle",
                                "--limit", "2"], {}, rates())
    # of a record
    yield "number", ([*ACCESS, "--snapshot", "7", "--limit", "2"], ALONE,
                     RECORD)
    yield "all", ([*ACCESS, "--snapshot", "all", "--limit", "1"], ALONE,
                  {"record": (2, 2, 8)})
    yield "all-raw", ([*ACCESS, "--snapshot", "all", "--limit", "1", "--raw"],
                      ALONE, {"record": (2, 2, 8)})
    yield "all-json-lines", (
        [*ACCESS, "--snapshot", "all", "--limit", "1", "--json"], ALONE,
        {"record": (2, 2, 8)})
    yield "times", ([*ACCESS, "--from", "10s", "--to", "11s", "--limit", "1",
                     "--sort", "idle"], ALONE, RECORD)
    yield "times-last", ([*ACCESS, "--to", "11.2s", "--snapshot", "last",
                          "--rate", "1-"], ALONE, RECORD)
    yield "times-none", ([*ACCESS, "--from", "1h"], ALONE, RECORD)
    yield "empty", (ACCESS, ALONE, {"record": (0, 2, 8)})
    yield "input", ([*ACCESS, "-i", "vmheat.data", "--limit", "1"], {}, RECORD)
    yield "record-color", ([*ACCESS, "--color", "--limit", "2"], ALONE, RECORD)
    yield "help-access", ([*ACCESS, "--help"], {}, {})


golden.CASES = dict(cases())
golden.EXPECTED = os.path.join(golden.HERE, "expected-access")
if __name__ == "__main__":
    sys.exit(golden.main())
