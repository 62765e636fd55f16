#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bench/granules.py, and what bench/truth.py refuses. Granules of 4 pages."""

import math
import os
import subprocess
import sys
import unittest

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                     "bench")
sys.path.insert(0, BENCH)
sys.dont_write_bytecode = True
from granules import (PAGE, Rule, ambiguous_granules, extents,  # noqa: E402
                      hot_granules, judge, rate_of, told_by, told_rates)

HALF, ANY, EACH = Rule(4 * PAGE, "half"), Rule(4 * PAGE, "any"), Rule(
    PAGE, "half")


def snapshot(*regions, checks=20, seconds=0.1):
    """regions: (first page, end page, nr-accesses)"""
    return {"max-nr-accesses": checks, "start-time": 0,
            "end-time": int(seconds * 1e9),
            "regions": [{"start": a * PAGE, "end": b * PAGE,
                         "nr-accesses": n} for a, b, n in regions]}


class Rates(unittest.TestCase):
    def test_from_checks(self):
        s = snapshot((0, 1, 0), (1, 2, 10), (2, 3, 20))
        cold, half, full = (rate_of(s, r) for r in s["regions"])
        self.assertEqual(cold, 0)
        self.assertAlmostEqual(half, math.log(2) / 0.005)
        self.assertAlmostEqual(full, math.log(40) / 0.005)

    def test_one_check_of_twenty_is_hot(self):
        s = snapshot((0, 1, 1))
        self.assertGreater(rate_of(s, s["regions"][0]), 5)

    def test_a_rate_is_believed(self):
        s = snapshot((0, 1, 20))
        self.assertEqual(told_by(s), "nr-accesses")
        s["regions"][0]["rate"] = 0.25
        self.assertEqual(told_by(s), "rate")
        self.assertEqual(rate_of(s, s["regions"][0]), 0.25)

    def test_of_pages(self):
        s = snapshot((1, 3, 20), (6, 9, 20))
        rates = told_rates(s, 8)
        self.assertEqual([r > 0 for r in rates], [False, True, True, False,
                                                  False, False, True, True])


class Hot(unittest.TestCase):
    def test_threshold_is_hot(self):
        self.assertEqual(hot_granules([4.99, 5, 5.01], 5, EACH), b"\0\1\1")

    def test_rules(self):
        rates = [9, 0, 0, 0] + [9, 0, 9, 0] + [0] * 4 + [9] * 4
        self.assertEqual(hot_granules(rates, 5, HALF), b"\0\1\0\1")
        self.assertEqual(hot_granules(rates, 5, ANY), b"\1\1\0\1")

    def test_ambiguous_is_within_a_factor_of_two(self):
        rates = [2.4, 2.5, 5, 9.9, 10, 0]
        self.assertEqual(ambiguous_granules(rates, EACH), b"\0\1\1\1\0\0")
        self.assertEqual(ambiguous_granules([6, 6, 0, 0] + [99, 99, 6, 6],
                                            HALF), b"\1\0")

    def test_extents(self):
        self.assertEqual(extents(b"\1\0\1\1\0\0\1", EACH),
                         [(2 * PAGE, 4 * PAGE), (0, PAGE),
                          (6 * PAGE, 7 * PAGE)])
        self.assertEqual(extents(b"\0\0", EACH), [])


class Judge(unittest.TestCase):
    def test_right_and_wrong(self):
        v = judge([9, 9, 0, 0], [9, 0, 9, 9], EACH)
        self.assertEqual(v.score, (1, 2, 3))
        self.assertEqual(v.score.precision, 1 / 2)
        self.assertEqual(v.score.recall, 1 / 3)
        self.assertEqual(v.missed, [(2 * PAGE, 4 * PAGE)])
        self.assertEqual(v.false, [(PAGE, 2 * PAGE)])

    def test_clear_leaves_ambiguous_out(self):
        v = judge([0, 9, 9, 0], [6, 4, 99, 0], EACH)
        self.assertEqual(v.score, (1, 2, 2))
        self.assertEqual(v.clear, (1, 1, 1))
        self.assertEqual(v.ambiguous, 2 * PAGE)

    def test_unscored_counts_for_nothing(self):
        v = judge([9] * 8, [0, 0, 0, 0, 9, 9, 9, 9], HALF, [(PAGE, 2 * PAGE)])
        self.assertEqual(v.score, (1, 1, 1))
        self.assertEqual(v.false, [])

    def test_unscored_reaches_all_granules_it_touches(self):
        v = judge([9] * 8, [0] * 8, HALF, [(3 * PAGE, 5 * PAGE)])
        self.assertEqual(v.score, (0, 0, 0))

    def test_nothing(self):
        v = judge([0] * 4, [0] * 4, HALF).score
        self.assertEqual((v.precision, v.recall), (1, 1))
        v = judge([0] * 4, [9] * 4, HALF).score
        self.assertEqual((v.precision, v.recall), (0, 0))
        v = judge([9] * 4, [0] * 4, HALF).score
        self.assertEqual((v.precision, v.recall), (0, 1))


class Options(unittest.TestCase):
    def refused(self, *args):
        done = subprocess.run(
            [sys.executable, os.path.join(BENCH, "truth.py"), *args],
            check=False, capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        return done.stderr.strip().split("\n")[-1]

    def test_refusals(self):
        self.assertEqual(
            self.refused("--pairs", "6"), "truth: error: argument --pairs: "
            "'6' must be a whole number, at least 7")
        self.assertEqual(
            self.refused("--seconds=x"), "truth: error: argument --seconds: "
            "'x' must be a whole number, at least 12")
        said = self.refused("--guest=windows")
        for word in ("--guest", "windows", "linux", "payload", "all"):
            self.assertIn(word, said)


if __name__ == "__main__":
    unittest.main()
