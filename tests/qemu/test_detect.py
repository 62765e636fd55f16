# SPDX-License-Identifier: GPL-2.0-or-later
"""The picture is right and the memory unharmed, judged by the payload."""

import os
import sys
import time
import unittest

from guest import have_kvm
from payload_guest import MB, PayloadGuest, one_hot_range

GIB = 1 << 30
GOOD = 0.95
WITHIN = 3.0


class Detect(unittest.TestCase):
    def check(self, accel, machine):
        """5 % of 1 GiB hot: seen within 3 s of plugging in the monitor."""
        tries = []
        # a loaded test machine may miss the deadline once, not three times
        for _ in range(3):
            with PayloadGuest(size=GIB, accel=accel, machine=machine) as g:
                g.payload.start([one_hot_range(GIB)])
                time.sleep(0.5)
                g.qmp("device_add", driver="vmheat", id="heat0")
                seen = g.watch(WITHIN)
                self.assertTrue(g.intact(), "guest memory was changed")
            best = max(seen, key=lambda s: min(s[1], s[2]))
            print(f"{accel} {machine}: precision {best[1]:.3f} recall "
                  f"{best[2]:.3f} after {best[0]:.2f} s, "
                  f"{len(seen)} snapshots", file=sys.stderr)
            tries.append(min(best[1], best[2]))
            if tries[-1] >= GOOD:
                return
        self.fail(f"precision or recall below {GOOD}: {tries}")

    def need_kvm(self):
        if not have_kvm():
            self.skipTest("no /dev/kvm here")

    def test_kvm_microvm(self):
        self.need_kvm()
        self.check("kvm", "microvm")

    def test_kvm_q35(self):
        self.need_kvm()
        self.check("kvm", "q35")

    def test_tcg(self):
        self.check("tcg", "microvm")


class Changes(unittest.TestCase):
    """The picture follows the guest."""

    SIZE = 256 * MB

    def accel(self):
        return "kvm" if have_kvm() else "tcg"

    def hot_mib(self, g, start, end):
        snap = g.qmp("query-vmheat-regions", start=start, end=end)
        hot = [r for r in snap["regions"]
               if r["nr-accesses"] * 2 >= snap["max-nr-accesses"]]
        return sum(min(r["end"], end) - max(r["start"], start)
                   for r in hot) / MB

    def test_moved_range(self):
        a = one_hot_range(self.SIZE, share=0.125, at=0.25)
        b = one_hot_range(self.SIZE, share=0.125, at=0.75)
        with PayloadGuest(size=self.SIZE, accel=self.accel(),
                          machine="microvm", device="id=heat0") as g:
            for hot, cold in ((a, b), (b, a), (a, b)):
                g.payload.start([hot])
                g.qmp.wait_until(
                    "the hot range is seen", lambda: self.hot_mib(
                        g, hot.start, hot.end) > 0.9 * hot.size / MB)
                g.qmp.wait_until(
                    "the other one has cooled down", lambda: self.hot_mib(
                        g, cold.start, cold.end) < 0.1 * cold.size / MB)
            self.assertTrue(g.intact())

    def test_nothing_hot(self):
        with PayloadGuest(size=self.SIZE, accel=self.accel(),
                          machine="microvm", device="id=heat0") as g:
            g.qmp.wait_until("snapshots", lambda:
                             g.qmp("query-vmheat")["snapshot"] > 8)
            info = g.qmp("query-vmheat")
            self.assertLess(info["working-set-size"], 0.1 * self.SIZE)
            self.assertTrue(g.intact())

    def test_unplug_under_load(self):
        with PayloadGuest(size=self.SIZE, accel=self.accel(),
                          machine="microvm") as g:
            g.payload.start([one_hot_range(self.SIZE, write_percent=100)])
            for _ in range(20):
                g.qmp("device_add", driver="vmheat", id="heat0")
                g.qmp.wait_until("a snapshot", lambda:
                                 g.qmp("query-vmheat")["snapshot"])
                g.qmp("device_del", id="heat0")
                g.qmp.wait_event("DEVICE_DELETED")
            self.assertTrue(g.intact())

    def test_everything_hot_stays_below_the_cap(self):
        """All memory hot: traps are held to traps-per-second."""
        hot = one_hot_range(self.SIZE, share=0.9, at=0.08)
        with PayloadGuest(size=self.SIZE, accel=self.accel(),
                          machine="microvm") as g:
            g.payload.start([hot])
            g.qmp("device_add", **{"driver": "vmheat", "id": "heat0",
                                   "traps-per-second": 50})
            g.qmp.wait_until("a start", lambda:
                             g.qmp("query-vmheat")["snapshot"] > 4)
            begin = time.monotonic()
            before = g.qmp("query-vmheat")["stats"]["traps"]
            time.sleep(4)
            traps = g.qmp("query-vmheat")["stats"]["traps"] - before
            rate = traps / (time.monotonic() - begin)
            self.assertGreater(traps, 0)
            self.assertLess(rate, 50 * 1.2)
            self.assertTrue(g.intact())


class PageKinds(unittest.TestCase):
    """mlocked and hugetlb guest memory."""

    def test_mlocked(self):
        size = 128 * MB
        with PayloadGuest(size=size, machine="microvm", device="id=heat0",
                          args=["-overcommit", "mem-lock=on"]) as g:
            hot = one_hot_range(size, share=0.25)
            g.payload.start([hot])
            g.qmp.wait_until("traps", lambda:
                             g.qmp("query-vmheat")["stats"]["traps"] > 20)
            self.assertGreater(g.qmp("query-vmheat")["stats"]["arms"], 20)
            self.assertTrue(g.intact())

    def test_hugetlb(self):
        free = "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"
        if not os.path.exists(free) or int(open(free).read()) < 64:
            self.skipTest("fewer than 64 free 2 MiB huge pages")
        size = 128 * MB
        with PayloadGuest(size=size, machine="microvm", device="id=heat0",
                          hugetlb=True) as g:
            g.payload.start([one_hot_range(size, share=0.25)])
            g.qmp.wait_until("traps", lambda:
                             g.qmp("query-vmheat")["stats"]["traps"] > 20)
            self.assertEqual(
                g.qmp("query-vmheat")["ranges"][0]["page-size"], 2 * MB)
            self.assertTrue(g.intact())


if __name__ == "__main__":
    unittest.main(verbosity=2)
