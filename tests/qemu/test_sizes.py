# SPDX-License-Identifier: GPL-2.0-or-later
"""bench/sizes.py: a guest that is far larger than this host."""

import json
import unittest

import bench


class Sizes(unittest.TestCase):
    def test_one_tebibyte(self):
        done = bench.run("sizes", "--sizes=512M,1T", "--rounds=1",
                         "--settle=2", "--seconds=1", "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        small, large = json.loads(done.stdout)
        self.assertEqual((small["size"], small["ratio"]), (512 << 20, 1.0))
        self.assertEqual(large["size"], 1 << 40)
        for r in small, large:
            self.assertGreater(r["tick_us"], 0)
            self.assertGreater(r["checks_per_s"], 0)
            self.assertLess(r["rss_mib"], 256)

    def test_bad_sizes(self):
        for bad in "4X", "511M", "33T", "", "nanT":
            done = bench.run("sizes", "--sizes=" + bad)
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr, f"'{bad}' must be from 512M to 32T")


if __name__ == "__main__":
    unittest.main()
