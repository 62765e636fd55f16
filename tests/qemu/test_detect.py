# SPDX-License-Identifier: GPL-2.0-or-later
"""The picture is right and the memory unharmed, judged by the payload."""

import math
import statistics
import sys
import time
import unittest

from guest import have_kvm
from payload_guest import MB, PayloadGuest, one_hot_range

GIB = 1 << 30
GOOD = 0.95
WITHIN = 3.0


class Detect(unittest.TestCase):
    def once(self, accel, machine):
        """(when it was first right, median of both scores from then on)."""
        with PayloadGuest(size=GIB, accel=accel, machine=machine) as g:
            g.payload.start([one_hot_range(GIB)])
            time.sleep(0.5)
            g.qmp("device_add", driver="vmheat", id="heat0")
            seen = g.watch(WITHIN + 3)
            self.assertTrue(g.intact(), "guest memory was changed")
        good = [s for s in seen if min(s[1], s[2]) >= GOOD]
        first = good[0][0] if good else math.inf
        later = [s for s in seen if s[0] >= first] or seen
        precision = statistics.median(s[1] for s in later)
        recall = statistics.median(s[2] for s in later)
        print(f"{accel} {machine}: right after {first:.2f} s, from then on "
              f"precision {precision:.3f} recall {recall:.3f} (medians of "
              f"{len(later)} snapshots)", file=sys.stderr)
        return first, min(precision, recall)

    def check(self, accel, machine):
        """5 % of 1 GiB hot: seen within 3 s of plugging in the monitor."""
        tries = []
        # a loaded test machine may miss the deadline, but not three times
        while len(tries) < 3:
            tries.append(self.once(accel, machine))
            if tries[-1][0] <= WITHIN and tries[-1][1] >= GOOD:
                return
        self.fail(f"not right within {WITHIN} s; (seconds, score): {tries}")

    def need_kvm(self):
        if not have_kvm():
            self.skipTest("no /dev/kvm here")

    def test_kvm_microvm(self):
        self.need_kvm()
        self.check("kvm", "microvm")

    def test_kvm_q35(self):
        self.need_kvm()
        self.check("kvm", "q35")

    def test_tcg_microvm(self):
        self.check("tcg", "microvm")

    def test_tcg_q35(self):
        self.check("tcg", "q35")


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
            # the payload has just filled its memory: on a busy host that takes
            # a while to cool down
            def cold():
                info = g.qmp("query-vmheat")
                return (info["snapshot"] > 8 and
                        info["working-set-size"] < 0.1 * self.SIZE)
            g.qmp.wait_until("a small working set", cold)
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

    def test_stop_pause_and_hotplug_under_load(self):
        """None of it harms memory; all of it is survived."""
        with PayloadGuest(size=self.SIZE, accel=self.accel(), machine="q35",
                          device="id=heat0",
                          args=["-m", "256M,slots=2,maxmem=1G"]) as g:
            g.payload.start([one_hot_range(self.SIZE, write_percent=100)])
            for i in range(10):
                g.qmp("stop")
                g.qmp("vmheat-pause")
                g.qmp("cont")
                g.qmp("vmheat-resume")
                last = g.qmp("query-vmheat")["snapshot"]
                g.qmp.wait_until("a snapshot", lambda: g.qmp(
                    "query-vmheat")["snapshot"] > last)
                if i < 2:
                    g.qmp("object-add", **{
                        "qom-type": "memory-backend-memfd", "id": f"mem{i+1}",
                        "size": 128 * MB, "share": True})
                    g.qmp("device_add", driver="pc-dimm", id=f"dimm{i+1}",
                          memdev=f"mem{i+1}")
            blocks = {r["block"] for r in g.qmp("query-vmheat")["ranges"]}
            self.assertEqual(blocks, {"mem0", "mem1", "mem2"})
            self.assertTrue(g.intact())

    def test_reset_under_load(self):
        """The guest boots anew, with the monitor running all the while."""
        with PayloadGuest(size=self.SIZE, accel=self.accel(), machine="q35",
                          device="id=heat0", reboot=True) as g:
            for _ in range(3):
                g.payload.start([one_hot_range(self.SIZE)])
                g.qmp("system_reset")
                g.qmp.wait_event("RESET")
                g.payload.set("PHASE", 0)
                g.payload.wait_ready()
                g.payload.calibrate()
            g.payload.start([one_hot_range(self.SIZE)])
            g.qmp.wait_until("traps", lambda: g.qmp(
                "query-vmheat")["working-set-size"] > 0)
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
            for count in ("traps", "arms"):
                g.qmp.wait_until(count, lambda of=count:
                                 g.qmp("query-vmheat")["stats"][of] > 20)
            self.assertTrue(g.intact())

    def test_hugetlb(self):
        free = "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"
        try:
            with open(free, encoding="ascii") as f:
                pages = int(f.read())
        except OSError:
            pages = 0
        if pages < 64:
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
