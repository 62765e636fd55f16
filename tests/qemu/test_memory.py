# SPDX-License-Identifier: GPL-2.0-or-later
"""query-vmheat-memory: what guest memory takes of the host, and its nodes."""

import collections
import mmap
import os
import re
import time
import unittest

from dimm import Dimm
from guest import Guest, have_kvm
from payload_guest import MB, PayloadGuest, one_hot_range
from qmp import QMPError
from swap import Zram, resident

ACCEL = "kvm" if have_kvm() else "tcg"
SIZE = 128 * MB
FILLED = 80 * MB + 12 * 4096
# as libvirt starts QEMU
SANDBOX = ("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,"
           "resourcecontrol=deny")
PAGEOUT = {"name": "out", "action": "pageout",
           "pattern": {"nr-accesses": {"max": 0},
                       "age-time": {"min": 1000000}}}
COLLAPSE = {"name": "hot", "action": "collapse",
            "pattern": {"nr-accesses": {"min": 3}, "size": {"min": 2 * MB}}}


def ask(g):
    return g.qmp("query-vmheat-memory")


def measured(g, check=lambda m: True, timeout=30):
    """A reply that is of after this call, and that check likes."""
    last = ask(g)
    begin = time.monotonic()

    def fresh():
        m = ask(g)
        since = (time.monotonic() - begin) * 1000
        return m if (m["measurements"] > last["measurements"] and
                     m["measured-ms"] <= since and check(m)) else None
    return g.qmp.wait_until("figures", fresh, timeout=timeout)


def anew(g):
    """The same at once: a new device's first measurement."""
    g.qmp("device_del", id="heat0")
    g.qmp.wait_event("DEVICE_DELETED", lambda d: d.get("device") == "heat0")
    g.qmp("device_add", driver="vmheat", id="heat0")
    return g.qmp.wait_until("figures", lambda: next(
        (m for m in [ask(g)] if m["measurements"]), None))


def payload(**kwargs):
    kwargs = {"size": SIZE, "accel": ACCEL, "machine": "microvm",
              "device": "id=heat0", "fill": FILLED, "args": SANDBOX, **kwargs}
    return PayloadGuest(**kwargs)


def in_ranges(g):
    """Bytes of its ranges that are in host memory, seen from outside."""
    return sum(resident(g.payload.memory, r["start"], r["size"])
               for r in g.qmp("query-vmheat")["ranges"])


def smaps(g, is_ram):
    """What the kernel says of QEMU's mappings that are guest memory, bytes."""
    total = collections.Counter()
    with open(f"/proc/{g.process.pid}/smaps", encoding="ascii") as f:
        for part in re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", f.read(),
                             flags=re.M):
            sizes = {k: int(v) << 10 for k, v in
                     re.findall(r"^(\w+): +(\d+) kB", part, re.M)}
            if is_ram(part, sizes.get("Size")):
                total.update(sizes)
    assert total["Size"] == SIZE, total
    return total


class Figures(unittest.TestCase):
    def test_resident(self):
        """To the page what mincore(2) says outside, mapped or not."""
        with payload() as g:
            m = anew(g)
            # the firmware's 64 KiB are no RAM
            self.assertAlmostEqual(m["size"], SIZE, delta=MB)
            self.assertEqual(m["size"], sum(
                r["size"] for r in g.qmp("query-vmheat")["ranges"]))
            self.assertEqual(m["resident"], in_ranges(g))
            # it does not fill the 16 MiB that it runs in
            self.assertLessEqual(m["resident"], FILLED)
            self.assertGreater(m["resident"], FILLED - 17 * MB)
            self.assertEqual((m["swapped"], m["huge"]), (0, 0))
            self.assertNotIn("balloon-actual", m)
            # touched from outside: not mapped by QEMU. Firmware may have left
            # something near the end of RAM, and does in QEMU 10.0.
            end = resident(g.payload.memory, 100 * MB, SIZE - 100 * MB)
            self.assertLess(end, MB)
            touched = range(100 * MB, 110 * MB, 4096)
            for at in touched:
                g.payload.memory[at] = 0
            self.assertEqual(anew(g)["resident"],
                             m["resident"] + 4096 * len(touched))
            os.truncate(g.ram, 100 * MB)
            os.truncate(g.ram, SIZE)
            self.assertEqual(anew(g)["resident"], m["resident"] - end)

    def test_private(self):
        """As /proc/PID/smaps has it, which has the page of zeroes, too."""
        with Guest(size=SIZE, accel=ACCEL, shared=False, machine="q35",
                   args=SANDBOX) as g:
            def at_rest():
                before, m = sizes(), anew(g)
                return (m, before) if before == sizes() else None

            def sizes():
                return smaps(g, lambda text, size: size == SIZE)
            # and khugepaged
            m, of_kernel = g.qmp.wait_until("the firmware is at rest", at_rest)
            # what is above 640 KiB and below 1 MiB is in no range
            for ours, theirs in (("resident", "Rss"),
                                 ("huge", "AnonHugePages")):
                self.assertAlmostEqual(m[ours], of_kernel[theirs],
                                       delta=384 << 10)
            self.assertGreater(m["resident"], 0)
            self.assertEqual(m["swapped"], 0)

    def test_huge(self):
        """The guest's hot memory is made huge by a scheme."""
        hot = one_hot_range(SIZE, 0.25)
        with payload(align="2M", fill=None) as g:
            g.payload.start([hot])
            try:
                g.qmp("vmheat-set-schemes", schemes=[COLLAPSE])
            except QMPError as e:
                self.skipTest(str(e))
            try:
                measured(g, lambda m: m["huge"] >= hot.size // 2)
            except TimeoutError:
                self.skipTest(g.qmp("query-vmheat-schemes")[0].get(
                    "detail") or "the host makes no huge pages")
            g.qmp("vmheat-set-schemes", schemes=[])
            g.payload.stop()

            def same():
                sizes = smaps(g, lambda text, _: g.ram in text)
                m = anew(g)
                return abs(m["huge"] - sizes["ShmemPmdMapped"]) <= 64 << 10
            g.qmp.wait_until("what smaps says", same)

    def test_swapped(self):
        with Zram(), payload() as g:
            before = anew(g)
            elsewhere = os.stat(g.ram).st_blocks * 512 - before["resident"]
            g.qmp("vmheat-set-schemes", schemes=[PAGEOUT])
            measured(g, lambda m: m["swapped"] > 40 * MB)
            g.qmp("vmheat-set-schemes", schemes=[])
            m = measured(g, lambda m: m["resident"] == in_ranges(g))
            # all of it is somewhere
            self.assertEqual(m["resident"] + m["swapped"], before["resident"])
            self.assertEqual(m["resident"] + m["swapped"] + elsewhere,
                             os.stat(g.ram).st_blocks * 512)
            self.assertTrue(g.payload.verify().ok)
            g.payload.memory.read()
            m = anew(g)
            self.assertEqual(m["swapped"], 0)
            self.assertGreaterEqual(m["resident"], before["resident"])

    def test_balloon_at_rest(self):
        """Its guest has no driver, so nothing moves."""
        with Guest(size=SIZE, args=["-device", "virtio-balloon-pci,id=b"]) as g:
            m = ask(g)
            self.assertEqual((m["balloon-actual"], m["balloon-target"]),
                             (SIZE, SIZE))
            g.qmp("balloon", value=SIZE // 2)
            m = ask(g)
            self.assertEqual((m["balloon-actual"], m["balloon-target"]),
                             (SIZE, SIZE // 2))
            # asking does not make QEMU ask the guest
            self.assertEqual(g.qmp(
                "qom-get", path="/machine/peripheral/b",
                property="guest-stats-polling-interval"), 0)


class When(unittest.TestCase):
    """Only while somebody asks, in no time, and whatever the monitor does."""

    def test_not_unless_asked(self):
        with payload() as g:
            before = g.qmp("query-vmheat")["snapshot"]
            g.qmp.wait_until("many aggregations", lambda: g.qmp(
                "query-vmheat")["snapshot"] >= before + 15)
            self.assertEqual(ask(g)["measurements"], 0)
            first = g.qmp.wait_until("the first", lambda: next(
                (m for m in [ask(g)] if m["measurements"]), None), timeout=10)
            self.assertEqual(first["measurements"], 1)
            self.assertLess(first["measured-ms"], 1000)

    def test_first_is_soon(self):
        """Not only when the monitor wakes up by itself."""
        with payload(device="id=heat0,paused=on") as g:
            begin = time.monotonic()
            measured(g)
            self.assertLess(time.monotonic() - begin, 1)

    def test_every_five_seconds(self):
        with payload() as g:
            begin, n = time.monotonic(), 0
            while n < 2:
                n = ask(g)["measurements"]
            self.assertGreater(time.monotonic() - begin, 4.9)

    def test_paused_and_stopped(self):
        with payload() as g:
            for command in ("vmheat-pause", "stop"):
                g.qmp(command)
                self.assertEqual(measured(g)["resident"], in_ranges(g))

    def test_device_goes_meanwhile(self):
        with payload(fill=SIZE) as g:
            for _ in range(20):
                ask(g)
                g.qmp("device_del", id="heat0")
                g.qmp.wait_event("DEVICE_DELETED", lambda d: d.get(
                    "device") == "heat0")
                with self.assertRaises(QMPError) as caught:
                    ask(g)
                self.assertEqual(caught.exception.cls, "DeviceNotFound")
                g.qmp("device_add", driver="vmheat", id="heat0")
                self.assertEqual(ask(g)["measurements"], 0)
            measured(g)

    def test_unplug_meanwhile(self):
        """Memory that is half measured goes at once when it is unplugged."""
        with payload(machine="q35", args=[
                "-m", f"{SIZE // MB}M,slots=1,maxmem=2G"]) as g, \
                Dimm(g, 768 * MB) as dimm:
            for at in range(0, dimm.size, 2 * 4096):  # takes long
                dimm.memory.madvise(mmap.MADV_REMOVE, at, 4096)
            dimm.plug()
            g.qmp("vmheat-set", overhead_budget=10000)
            measured(g)
            # from now on seconds of rest after each two milliseconds
            g.qmp("vmheat-set", overhead_budget=1)
            n = ask(g)["measurements"]
            g.qmp.wait_until("the next is under way", lambda: ask(g)[
                "measured-ms"] > 6000)
            self.assertEqual(ask(g)["measurements"], n)
            dimm.unplug()
            g.qmp.wait_until("QEMU has it no more", lambda:
                             not dimm.mapped(), timeout=2)

    def test_counts_as_the_workers(self):
        """What it takes is in its CPU time, here the only thing that is."""
        with payload(device="id=heat0,paused=on,overhead-budget=10000",
                     fill=SIZE) as g:
            before = g.qmp("query-vmheat")["stats"]["worker-time"]
            measured(g)
            took = g.qmp("query-vmheat")["stats"]["worker-time"] - before
            self.assertGreater(took, 50_000)
            print(f"# {SIZE // MB} MiB: {took / 1e6:.2f} ms of CPU", flush=True)

    def test_bql(self):
        """It is not held while measuring; others may hold up QEMU once."""
        with payload(fill=None) as g:
            held = []
            for _ in range(20):
                anew(g)
                held.append(g.qmp("query-vmheat")["stats"]["bql-hold-max"])
        print(f"# the BQL was held for {min(held) / 1e3:.0f} us", flush=True)
        self.assertLess(min(held), 200_000)

    def test_hmp(self):
        with payload() as g:
            self.assertIn("host memory: 127 MiB, being measured",
                          g.qmp.hmp("info vmheat"))
            m = g.qmp.wait_until("figures", lambda: next(
                (m for m in [ask(g)] if m["measurements"]), None))
            self.assertIn(f"host memory: 127 MiB, resident "
                          f"{m['resident'] // MB} MiB, swapped 0 MiB, "
                          "huge 0 MiB", g.qmp.hmp("info vmheat"))


class Nodes(unittest.TestCase):
    def ranges(self, *args, **kwargs):
        with Guest(size=256 * MB, shared=False, args=args, **kwargs) as g:
            ranges = g.qmp("query-vmheat")["ranges"]
            text = g.qmp.hmp("info vmheat")
        return ranges, text

    def backend(self, name, size):
        return ["-object", f"memory-backend-memfd,id={name},share=on,"
                f"size={size}M"]

    def test_none(self):
        ranges, text = self.ranges()
        self.assertTrue(ranges)
        for r in ranges:
            self.assertNotIn("node", r)
        self.assertNotIn(" node ", text)

    def test_two(self):
        ranges, text = self.ranges(
            *self.backend("m0", 96), *self.backend("m1", 160),
            "-numa", "node,nodeid=0,memdev=m0",
            "-numa", "node,nodeid=1,memdev=m1")
        by_node = {0: 0, 1: 0}
        for r in ranges:
            by_node[r["node"]] += r["size"]
            self.assertEqual(r["block"], f"m{r['node']}")
        self.assertEqual(by_node[1], 160 * MB)
        self.assertAlmostEqual(by_node[0], 96 * MB, delta=MB)
        self.assertIn("m1 node 1\r\n", text)

    def test_device(self):
        """A DIMM says itself on which node it is."""
        with Guest(size=256 * MB, shared=False, args=[
                "-m", "256M,slots=2,maxmem=1G",
                *self.backend("m0", 128), *self.backend("m1", 128),
                *self.backend("m2", 128),
                "-numa", "node,memdev=m0", "-numa", "node,memdev=m1",
                "-device", "pc-dimm,memdev=m2,node=1"]) as g:
            dimm = g.qmp("query-vmheat")["ranges"][-1]
            self.assertEqual((dimm["block"], dimm["node"]), ("m2", 1))


if __name__ == "__main__":
    unittest.main(verbosity=2)
