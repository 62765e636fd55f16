# SPDX-License-Identifier: GPL-2.0-or-later
"""vmheat-set: all or nothing; and query-vmheat-regions' filters."""

import json
import os
import subprocess
import tempfile
import unittest

from guest import Guest
from packed import unpack
from qmp import QMPError

FAKE = ("id=heat0,primitive=fake,sampling-interval=1000,"
        "aggregation-interval=10000,update-interval=10000,"
        "overhead-budget=10000,traps-per-second=1000000")


class Set(unittest.TestCase):
    def test_takes_all(self):
        new = {"sampling-interval": 5000, "aggregation-interval": 100000,
               "update-interval": 200000, "min-regions": 20,
               "max-regions": 200, "traps-per-second": 77,
               "overhead-budget": 33}
        with Guest() as g:
            self.assertEqual(g.qmp("vmheat-set", **new), new)
            self.assertEqual(g.qmp("query-vmheat")["attrs"], new)

    def test_leaves_out(self):
        with Guest() as g:
            before = g.qmp("query-vmheat")["attrs"]
            after = g.qmp("vmheat-set", max_regions=500)
            self.assertEqual(after, {**before, "max-regions": 500})

    def test_all_or_nothing(self):
        with Guest() as g:
            before = g.qmp("query-vmheat")["attrs"]
            for bad in ({"min-regions": 50, "sampling-interval": 0},
                        {"max-regions": 5, "min-regions": 6},
                        {"overhead-budget": 20, "update-interval": 1},
                        {"traps-per-second": 5, "overhead-budget": 0}):
                with self.assertRaises(QMPError, msg=bad):
                    g.qmp("vmheat-set", **bad)
                self.assertEqual(g.qmp("query-vmheat")["attrs"], before)

    def test_has_effect(self):
        with Guest(device=FAKE) as g:
            g.qmp("vmheat-set", sampling_interval=2000, min_regions=40)
            snap = g.qmp.wait_until("new attributes", lambda: next(
                (s for s in [g.qmp("query-vmheat-regions")]
                 if s["max-nr-accesses"] == 5), None))
            self.assertEqual(snap["sampling-interval"], 2000)
            g.qmp.wait_until(
                "40 regions",
                lambda: g.qmp("query-vmheat-regions")["nr-regions"] >= 40)


class Tune(unittest.TestCase):
    """vmheat tune; a QMP socket serves one client, the test has the other."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.socket = os.path.join(directory.name, "qmp")

    def guest(self, **kwargs):
        return Guest(args=["-qmp", f"unix:{self.socket},server=on,wait=off"],
                     **kwargs)

    def tune(self, *args):
        done = subprocess.run(
            [os.environ["VMHEAT_CLI"], "tune", "-s", self.socket, *args],
            text=True, capture_output=True, timeout=30, check=False,
            env={**os.environ, "LC_ALL": "C"})
        return done.returncode, done.stdout, done.stderr

    def test_changes(self):
        want = {"sampling-interval": 5000, "aggregation-interval": 100000,
                "update-interval": 200000, "min-regions": 30,
                "max-regions": 200, "traps-per-second": 77,
                "overhead-budget": 33}
        with self.guest() as g:
            code, out, err = self.tune(
                "--sampling-interval", "5ms", "--aggregation-interval", "0.1s",
                "--update-interval", "200000us", "--min-regions", "30",
                "--max-regions", "200", "--traps-per-second", "77",
                "--overhead-budget", "0.33%")
            self.assertEqual((code, err), (0, ""))
            self.assertRegex(out, r"sampling-interval +50 ms -> 5 ms\n")
            self.assertRegex(out, r"overhead-budget +0.5 % -> 0.33 %\n")
            self.assertEqual(g.qmp("query-vmheat")["attrs"], want)
            code, out, err = self.tune("--json")
            self.assertEqual((code, json.loads(out), err), (0, want, ""))

    def test_has_effect(self):
        with self.guest(device=FAKE) as g:
            code, _, err = self.tune("--sample", "2000", "--minr", "40")
            self.assertEqual((code, err), (0, ""))
            g.qmp.wait_until("new attributes", lambda: g.qmp(
                "query-vmheat-regions")["max-nr-accesses"] == 5)
            g.qmp.wait_until("40 regions", lambda: g.qmp(
                "query-vmheat-regions")["nr-regions"] >= 40)

    def test_all_or_nothing(self):
        with self.guest() as g:
            before = g.qmp("query-vmheat")["attrs"]
            for args, word in (
                    (["--max-regions", "500", "--sampling-interval", "0"],
                     "sampling-interval 0 us is out of range: allowed is 1000"),
                    (["--traps-per-second", "7", "--min-regions", "1001"],
                     "min-regions 1001 is out of range: allowed is 3 .. 1000"),
                    (["--max-regions", "500", "--overhead-budget", "101%"],
                     "overhead-budget 10100 is out of range")):
                code, out, err = self.tune(*args)
                self.assertEqual((code, out), (3, ""), args)
                self.assertIn(word, err)
                self.assertEqual(err.count("\n"), 1, err)
                self.assertEqual(g.qmp("query-vmheat")["attrs"], before)


class Regions(unittest.TestCase):
    SCRIPT = ",x-fake-script=64M 128M 1"

    def snapshot(self, g, check, **args):
        return g.qmp.wait_until("regions", lambda: next(
            (s for s in [g.qmp("query-vmheat-regions", **args)] if check(s)),
            None))

    def test_fake_script_is_seen(self):
        with Guest(device=FAKE + self.SCRIPT) as g:
            def exact(s):
                hot = [r for r in s["regions"] if r["nr-accesses"] == 10]
                return (sum(r["end"] - r["start"] for r in hot) > 60 << 20 and
                        hot[0]["start"] >= 62 << 20 and
                        hot[-1]["end"] <= 130 << 20)
            self.snapshot(g, exact)

    def test_filters(self):
        with Guest(device=FAKE + self.SCRIPT) as g:
            self.snapshot(g, lambda s: s["working-set-size"] > 0)
            g.pause()
            everything = g.qmp("query-vmheat-regions")["regions"]
            cut = g.qmp("query-vmheat-regions", start=70 << 20, end=80 << 20)
            self.assertEqual(cut["regions"], [
                r for r in everything
                if r["end"] > 70 << 20 and r["start"] < 80 << 20])
            self.assertEqual(cut["nr-regions"], len(everything))
            self.assertFalse(cut["truncated"])
            hot = g.qmp("query-vmheat-regions", min_nr_accesses=5)["regions"]
            self.assertTrue(hot)
            self.assertEqual(
                hot, [r for r in everything if r["nr-accesses"] >= 5])
            few = g.qmp("query-vmheat-regions", limit=3)
            self.assertEqual(few["regions"], everything[:3])
            self.assertTrue(few["truncated"])
            exact = g.qmp("query-vmheat-regions", limit=len(everything))
            self.assertFalse(exact["truncated"])

    def test_columns(self):
        with Guest(device=FAKE + ",paused=on" + self.SCRIPT) as g:
            empty = g.qmp("query-vmheat-regions", columns=True)
            self.assertEqual(empty["regions"], [])
            packed = g.qmp("query-vmheat-regions", packed=True)
            self.assertEqual(unpack(packed["packed"])["regions"], [])
            g.qmp("vmheat-resume")
            self.snapshot(g, lambda s: s["working-set-size"] > 0)
            g.pause()
            rows = g.qmp("query-vmheat-regions", limit=5)
            both = g.qmp("query-vmheat-regions", limit=5, columns=True)
            self.assertEqual(both["regions"], [])
            self.assertNotIn("columns", rows)
            members = set(rows["regions"][0])
            self.assertLessEqual({"start", "end", "nr-accesses", "age"},
                                 members)
            self.assertEqual(both["columns"], {
                name: [r[name] for r in rows["regions"]] for name in members})
            self.assertTrue(both["truncated"])

    def test_bad_filters(self):
        with Guest() as g:
            for bad, text in (({"start": 5, "end": 5}, "invalid 'end' 5"),
                              ({"limit": 0}, "invalid 'limit' 0"),
                              ({"limit": 100001}, "invalid 'limit' 100001"),
                              ({"columns": True, "packed": True}, "exclude"),
                              ({"start": -1}, "start")):
                with self.assertRaisesRegex(QMPError, text):
                    g.qmp("query-vmheat-regions", **bad)

    def test_thousand_regions(self):
        device = FAKE + ",min-regions=1000,max-regions=2000"
        with Guest(device=device) as g:
            snap = self.snapshot(g, lambda s: len(s["regions"]) >= 1000)
            starts = [r["start"] for r in snap["regions"]]
            self.assertEqual(starts, sorted(starts))


if __name__ == "__main__":
    unittest.main(verbosity=2)
