# SPDX-License-Identifier: GPL-2.0-or-later
"""Access rates and idle times in the reply, where the estimator tells them."""

import unittest

from guest import have_kvm
from packed import unpack
from payload_guest import MB, PayloadGuest, one_hot_range

SIZE = 128 * MB
RATES = ("rate", "rate-low", "rate-high", "idle-ms")
MEMBERS = {*RATES, "write-rate"}
MAX = 1 << 20  # of any rate


def weighted(regions, ranges, name):
    """Mean of a member over the bytes of ranges: sorted (start, end)s."""
    total = weight = 0
    for r in regions:
        n = sum(max(0, min(end, r["end"]) - max(start, r["start"]))
                for start, end in ranges)
        total += n * r[name]
        weight += n
    return total / weight


def outside(ranges, size):
    """The rest of memory, without what lies within 4 MiB of them."""
    edges = [0]
    for start, end in ranges:
        edges += [start - 4 * MB, end + 4 * MB]
    edges.append(size)
    return list(zip(edges[::2], edges[1::2]))


def transposed(columns):
    return [dict(zip(columns, values)) for values in zip(*columns.values())]


class Rates(unittest.TestCase):
    def guest(self, properties):
        accel = {"accel": "kvm", "machine": "microvm"} if have_kvm() else {}
        return PayloadGuest(size=SIZE, **accel,
                            device="id=heat0," + properties)

    def check_members(self, regions, writes=False):
        for r in regions:
            self.assertLessEqual(set(RATES), set(r))
            for name in ("nr-writes", "write-rate"):
                self.assertEqual(writes, name in r)
            self.assertLessEqual(0, r["rate-low"], r)
            self.assertLessEqual(r["rate-low"], r["rate"], r)
            self.assertLessEqual(r["rate"], r["rate-high"], r)
            self.assertLessEqual(r["rate-high"], MAX, r)
            self.assertIs(type(r["idle-ms"]), int)

    def found(self, g, hot, cold):
        """A snapshot that tells the hot range from the rest, or None."""
        snap = g.qmp("query-vmheat-regions")
        regions = snap["regions"]
        if not snap["sequence"]:
            return None
        self.check_members(regions)
        if weighted(regions, hot, "rate") < 2 or \
                weighted(regions, cold, "rate") > 0.1 or \
                weighted(regions, cold, "idle-ms") < 3000:
            return None
        return regions

    def test_exposure(self):
        with self.guest("estimator=exposure") as g:
            g.payload.start([one_hot_range(SIZE, share=0.1)])
            hot = g.qmp.wait_until("the first touches", g.truth)
            cold = outside(hot, SIZE)
            # six seconds with half a processor; starved it took more than 30
            regions = g.qmp.wait_until(
                "rates of the hot range", lambda: self.found(g, hot, cold),
                timeout=90)
            self.assertLess(weighted(regions, hot, "idle-ms"), 2000)
            self.assertGreater(weighted(regions, hot, "rate-low"), 1)
            self.assertLess(weighted(regions, cold, "rate-high"), 1)
            self.assertIn("estimator: exposure", g.qmp.hmp("info vmheat"))
            self.assertRegex(g.qmp.hmp("info vmheat"),
                             r"idle: \d+ MiB for 10 s, \d+ MiB for 60 s, ")

    def check_columns(self, properties, writes):
        """The same in either form: of a monitor that rests."""
        with self.guest(properties) as g:
            g.qmp.wait_until("a snapshot", lambda: g.qmp(
                "query-vmheat")["snapshot"] > 2)
            g.pause()
            columns = g.qmp("query-vmheat-regions", columns=True)
            packed = g.qmp("query-vmheat-regions", packed=True)
            few = g.qmp("query-vmheat-regions", packed=True, limit=2)
            snap = g.qmp("query-vmheat-regions")
        self.assertEqual(packed["regions"], [])
        self.check_packed(unpack(packed["packed"]), snap)
        few = unpack(few["packed"])
        self.assertTrue(few["truncated"])
        self.check_packed(few, {**snap, "regions": snap["regions"][:2],
                                "truncated": True})
        self.assertEqual(columns["sequence"], snap["sequence"])
        self.assertEqual(transposed(columns["columns"]), snap["regions"])
        self.check_members(snap["regions"], writes)

    def check_packed(self, got, snap):
        """Rates and idle times are rounded, nothing else is."""
        exact = {"rate", "rate-low", "rate-high", "write-rate", "idle-ms"}
        self.assertEqual({k: v for k, v in got.items() if k != "regions"},
                         {k: v for k, v in snap.items() if k != "regions"})
        self.assertEqual(len(got["regions"]), len(snap["regions"]))
        for a, b in zip(got["regions"], snap["regions"]):
            self.assertEqual(set(a), set(b))
            for name in set(b) - exact:
                self.assertEqual(a[name], b[name], name)
            for name in set(b) & exact:
                # what a code stands for becomes whole milliseconds
                least = 0.5 if name == "idle-ms" else 1e-6
                self.assertAlmostEqual(a[name], b[name], msg=name,
                                       delta=b[name] * 0.006 + least)

    def test_columns(self):
        self.check_columns("estimator=exposure", False)

    def test_columns_with_writes(self):
        self.check_columns("estimator=exposure,write-primitive=dirty-log",
                           True)

    def test_classic(self):
        with self.guest("estimator=classic") as g:
            g.qmp.wait_until("a snapshot", lambda: g.qmp(
                "query-vmheat")["snapshot"])
            columns = g.qmp("query-vmheat-regions", columns=True)["columns"]
            self.assertFalse(MEMBERS & set(columns))
            for r in g.qmp("query-vmheat-regions")["regions"]:
                self.assertFalse(MEMBERS & set(r))


if __name__ == "__main__":
    unittest.main(verbosity=2)
