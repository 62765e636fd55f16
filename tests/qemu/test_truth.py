# SPDX-License-Identifier: GPL-2.0-or-later
"""bench/truth.py measures the payload guest and prints what it promises."""

import json
import unittest

import bench


class Truth(unittest.TestCase):
    def test_payload(self):
        done = bench.run("truth", "--guest=payload", "--seconds=12",
                         "--pairs=7", "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        records = json.loads(done.stdout)
        self.assertEqual([(r["granule"], r["rule"]) for r in records],
                         [(2 << 20, "half"), (2 << 20, "any"), (4096, "half")])
        for r in records:
            self.assertEqual(r["guest"], "payload")
            self.assertEqual(r["accel"] == "tcg", "note" in r)
            self.assertEqual(r["budget_pct"], 0.5)
            self.assertEqual(r["snapshots"], 3)
            self.assertIsInstance(r["slowdown_pct"], float)
            self.assertTrue(r["intact"])
            # 67.2 MiB at 4 KiB, and what else is in these granules
            self.assertAlmostEqual(r["hot_mib"], 67.2, delta=3)
            self.assertEqual(r["ambiguous_mib"], 0)
        self.assertGreater(records[0]["recall"], 0.8)

    def test_unknown_estimator(self):
        done = bench.run("truth", "--estimator=guess")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "^truth: --estimator: unknown estimator "
                         "'guess': must be one of .*classic.*\n$")


if __name__ == "__main__":
    unittest.main()
