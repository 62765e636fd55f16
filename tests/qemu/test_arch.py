# SPDX-License-Identifier: GPL-2.0-or-later
"""The very same vmheat.so in QEMU for Arm and for RISC-V."""

import os
import shutil
import statistics
import sys
import time
import unittest

from guest import built_in
from payload_guest import MB, PayloadGuest, one_hot_range
from qmp import QMPError

SIZE = 128 * MB
GOOD = 0.95
IDLE = {"nr-accesses": {"max": 0}}
SCHEMES = [{"name": "seen", "action": "stat", "pattern": IDLE},
           {"name": "chill", "action": "cold", "pattern": IDLE}]


class Arch:
    """What is tested of each; .arch says of which."""

    @classmethod
    def setUpClass(cls):
        if built_in():
            raise unittest.SkipTest("vmheat is built into QEMU for x86 only")
        if not shutil.which("qemu-system-" + cls.arch):
            raise unittest.SkipTest(f"no qemu-system-{cls.arch}")
        if "VMHEAT_PAYLOAD_" + cls.arch.upper() not in os.environ:
            raise unittest.SkipTest(
                f"there was no {cls.arch}-linux-gnu-gcc to build the payload "
                "with")

    def guest(self, **kwargs):
        return PayloadGuest(size=SIZE, arch=self.arch, memfd=True, **kwargs)

    def start(self, g):
        """The payload runs; returns its hot range."""
        hot = one_hot_range(SIZE, share=0.1, base=g.payload.base)
        g.payload.start([hot])
        return hot

    def settle(self, g, limit=15):
        """Until the picture is good twice in a row, at most so long."""
        end, run = time.monotonic() + limit, 0
        while run < 2 and time.monotonic() < end:
            for s in g.watch(0.5):
                run = run + 1 if min(s[1], s[2]) >= GOOD else 0

    def expect_right(self, g):
        self.settle(g)
        seen = g.watch(2)
        p = statistics.median(s[1] for s in seen)
        r = statistics.median(s[2] for s in seen)
        print(f"{self.arch}: precision {p:.3f} recall {r:.3f} (medians of "
              f"{len(seen)} snapshots)", file=sys.stderr)
        self.assertGreaterEqual(p, GOOD)
        self.assertGreaterEqual(r, GOOD)

    def test_heat(self):
        """As plugged in; gone; and plugged in again."""
        with self.guest() as g:
            self.start(g)
            for _ in range(2):
                g.qmp("device_add", driver="vmheat", id="heat0",
                      primitive="trap")
                self.expect_right(g)
                info = g.qmp("query-vmheat")
                self.assertEqual(info["primitive"], "trap")
                self.assertEqual([(r["start"], r["size"])
                                  for r in info["ranges"]],
                                 [(g.payload.base, SIZE)])
                self.assertIn("primitive: trap", g.qmp.hmp("info vmheat"))
                g.qmp("device_del", id="heat0")
                g.qmp.wait_event("DEVICE_DELETED")
                with self.assertRaises(QMPError):
                    g.qmp("query-vmheat")
            self.assertTrue(g.intact(), "guest memory was changed")

    def test_dirty_log(self):
        """QEMU's own bits: pages of the target, not of the host."""
        with self.guest() as g:
            g.payload.start([one_hot_range(SIZE, share=0.1, write_percent=100,
                                           base=g.payload.base)])
            g.qmp("device_add", driver="vmheat", id="heat0",
                  primitive="dirty-log")
            self.expect_right(g)
            self.assertTrue(g.intact(), "guest memory was changed")

    def test_schemes(self):
        with self.guest(device="id=heat0,primitive=trap") as g:
            hot = self.start(g)
            self.settle(g)
            g.qmp("vmheat-set-schemes", schemes=SCHEMES)

            def stats(i):
                return g.qmp("query-vmheat-schemes")[i]["stats"]
            g.qmp.wait_until("both schemes at work", lambda: all(
                stats(i)["sz-applied"] > SIZE for i in (0, 1)))
            tried = g.qmp("query-vmheat-schemes", tried_regions=True)[0][
                "tried-regions"]
            cold = sum(r["end"] - r["start"] for r in tried)
            wrong = sum(max(0, min(r["end"], hot.end) -
                            max(r["start"], hot.start)) for r in tried)
            print(f"{self.arch}: {cold / (SIZE - hot.size):.3f} of what is "
                  f"cold, {wrong / hot.size:.3f} of what is hot",
                  file=sys.stderr)
            self.assertGreater(cold, GOOD * (SIZE - hot.size))
            self.assertLess(wrong, (1 - GOOD) * hot.size)
            self.assertTrue(g.intact(), "guest memory was changed")


class Aarch64(Arch, unittest.TestCase):
    arch = "aarch64"


class Riscv64(Arch, unittest.TestCase):
    arch = "riscv64"


if __name__ == "__main__":
    unittest.main(verbosity=2)
