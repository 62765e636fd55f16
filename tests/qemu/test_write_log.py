# SPDX-License-Identifier: GPL-2.0-or-later
"""dirty-log and dirty-ring beside what else QEMU does with its write log."""

import unittest

from guest import Guest, have_kvm
from payload_guest import MB, PayloadGuest, one_hot_range

SIZE = 128 * MB
RINGS = "kvm,dirty-ring-size=4096"
# pictures all the time
BUSY = {"sampling-interval": 5000, "aggregation-interval": 25000,
        "traps-per-second": 1000000, "overhead-budget": 10000}


class WriteLog(unittest.TestCase):
    def setUp(self):
        if not have_kvm():
            self.skipTest("no /dev/kvm here")

    def plug(self, g, name, **properties):
        g.qmp("device_add", driver="vmheat", id="heat0", primitive=name,
              **properties)
        self.goes_on(g)

    def goes_on(self, g, more=2):
        last = g.qmp("query-vmheat")["snapshot"]
        g.qmp.wait_until("new snapshots", lambda: g.qmp(
            "query-vmheat")["snapshot"] > last + more)

    def test_reset_with_rings(self):
        """Firmware replaces memory slots whose pages are still in the rings."""
        with Guest(accel=RINGS, machine="q35", device=None, reboot=True) as g:
            self.plug(g, "dirty-ring", **BUSY)
            for _ in range(8):
                g.qmp("system_reset")
                g.qmp.wait_event("RESET")
                self.goes_on(g)
            self.assertEqual(g.qmp("query-vmheat")["state"], "running")

    def dirty_rate(self, g):
        """What QEMU measures by the dirty bitmap within a second, MB/s."""
        g.qmp("calc-dirty-rate", **{"calc-time": 1, "mode": "dirty-bitmap"})
        return g.qmp.wait_until("QEMU has measured", lambda: g.qmp(
            "query-dirty-rate").get("dirty-rate"))

    def test_dirty_rate(self):
        """QEMU counts what a sync brings: it is to count no page twice."""
        with PayloadGuest(size=SIZE, accel="kvm", machine="microvm") as g:
            hot = one_hot_range(SIZE, share=0.1, write_percent=100)
            g.payload.start([hot])
            self.plug(g, "dirty-log", **BUSY)
            rate = self.dirty_rate(g)
            self.assertGreater(rate, 0)
            self.assertLess(rate, 3 * hot.size / MB)
            self.goes_on(g)


if __name__ == "__main__":
    unittest.main(verbosity=2)
