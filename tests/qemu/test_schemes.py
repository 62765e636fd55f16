#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Schemes, driven by QMP as a user does.

What each action does to memory is tests/platform's; here is what lies around it:
the schema, refusals, files, a whole list or nothing, statistics, events, the kill
switch, and that they stand aside for a migration.
"""

import json
import mmap
import os
import re
import tempfile
import unittest

from dimm import Dimm, let_go
from guest import Guest, environment, have_kvm
from payload_guest import MB, PayloadGuest, one_hot_range
from qmp import QMPError
from swap import FEW, Zram, resident, resident_pages

SIZE = 256 * MB
KB64 = 64 << 10
STAT = {"name": "idle", "action": "stat",
        "pattern": {"nr-accesses": {"max": 0}}}


def accel():
    return "kvm" if have_kvm() else "tcg"


def schemes(guest, **kwargs):
    return guest.qmp("query-vmheat-schemes", **kwargs)


def set_schemes(guest, *v):
    return guest.qmp("vmheat-set-schemes", schemes=list(v))


def stats(guest, i=0):
    return schemes(guest)[i]["stats"]


def wait_snapshots(guest, n=3):
    """The first scheme looked at so many more snapshots."""
    last = stats(guest)["nr-snapshots"]
    guest.qmp.wait_until("snapshots", lambda: stats(
        guest)["nr-snapshots"] >= last + n)


# No memory is of its pattern, and its goal is never reached.
PROBE = {"name": "round-trip", "action": "stat",
         "pattern": {"size": {"min": 1 << 60}},
         "quota": {"goals": [{"metric": "user-input", "target": 2,
                              "current": 1}]}}


def round_trip(guest):
    """The worker thread has taken up what was asked of it before.

    It is given a scheme more for a moment; those that it has go on with their
    counters. Of what it has not taken yet a query tells no values of goals.
    """
    mine = [s["scheme"] for s in schemes(guest)]
    set_schemes(guest, *mine, PROBE)
    guest.qmp.wait_until("the worker's answer", lambda: "goal-values" in
                         schemes(guest)[-1], step=0)
    set_schemes(guest, *mine)


def done(guest):
    """Counters that tell of work, of all schemes."""
    return [{k: v for k, v in s["stats"].items() if k != "refaulted"}
            for s in schemes(guest)]


def trips(guest, snapshots=2):
    """How many round trips so many snapshots take."""
    end = stats(guest)["nr-snapshots"] + snapshots
    n = 0
    while stats(guest)["nr-snapshots"] < end:
        round_trip(guest)
        n += 1
    return n


def stands_still(guest, n=20):
    """Asserts that schemes do no work however often the worker looks.

    Each round trip makes it look once more, so work that it may do it does.
    n: twice trips(), and there would have been snapshots, too.
    """
    round_trip(guest)
    before = done(guest)
    for _ in range(n):
        round_trip(guest)
    assert done(guest) == before, (done(guest), before)


class BadInput(unittest.TestCase):
    """One clear error each; the schemes in use stay."""

    CASES = [
        ({"action": "stat", "pattern": {"size": {"min": 9, "max": 5}}},
         r"'stat-0'.*'pattern\.size\.min' 9.*'pattern\.size\.max' 5"),
        ({"action": "explode"}, r"explode"),
        ({"action": "stat", "pattern": {"colour": 1}}, r"colour"),
        ({"action": "stat", "quota": {"size": -5}},
         r"'quota\.size' -5: must not be negative"),
        ({"action": "stat", "pattern": {"age": {"min": -1}}},
         r"'pattern\.age\.min' -1: must not be negative"),
        ({"action": "stat", "pattern": {"age": {}, "age-time": {}}},
         r"'pattern\.age' and 'pattern\.age-time'"),
        ({"action": "stat", "pattern": {"rate": {}, "nr-accesses": {}}},
         r"'pattern\.nr-accesses' and 'pattern\.rate'"),
        ({"action": "stat", "filters": [{"type": "address", "start": 0}]},
         r"type 'address' needs 'end'"),
        ({"action": "stat", "filters": [{"type": "present", "node": 0}]},
         r"'filters\.node' goes with type 'node' only"),
        ({"action": "stat", "filters": [{"type": "node", "node": 7}]},
         r"'filters\.node' 7: the guest has no memory on such a node"),
        ({"action": "stat", "filters": [{"type": "young"}]},
         r"'stat-0': filter 'young' cannot be used: needs the idle page "
         r"bitmap: run 'vmheat grant' as root \(kernel with "
         r"CONFIG_IDLE_PAGE_TRACKING\)"),
        ({"action": "stat", "balloon": {}}, r"'balloon' goes with action"),
        ({"action": "stat", "name": "a b"}, r"'a b'"),
        ({"action": "stat", "quota": {"goals": [
            {"metric": "mem-free", "target": 1, "current": 1}]}},
         r"'quota\.goals\.current' goes with metric 'user-input'"),
        ({"action": "stat", "quota": {"goals": [
            {"metric": "user-input", "target": 0}]}},
         r"'quota\.goals\[0\]\.target' 0"),
        ({"action": "stat", "watermarks": {
            "metric": "mem-free", "high": 1, "mid": 2, "low": 0}},
         r"'watermarks\.(high|mid)'"),
        ({"action": "migrate-cold", "nodes": [{"node": 77}]}, r"77"),
        ({"action": "migrate-cold"}, r"'nodes'"),
        ({"action": "merge"}, r"'merge' cannot be used"),
    ]

    @classmethod
    def setUpClass(cls):
        cls.guest = Guest()
        cls.guest.__enter__()
        set_schemes(cls.guest, STAT)

    @classmethod
    def tearDownClass(cls):
        cls.guest.close()

    def refused(self, pattern, *v):
        with self.assertRaisesRegex(QMPError, pattern):
            set_schemes(self.guest, *v)
        self.assertEqual([s["scheme"]["name"] for s in schemes(self.guest)],
                         ["idle"])

    def test_cases(self):
        for scheme, pattern in self.CASES:
            with self.subTest(scheme=scheme):
                self.refused(pattern, scheme)

    def test_one_bad_of_many(self):
        self.refused("'quota.size'", {"action": "stat"},
                     {"action": "stat", "quota": {"size": -5}})

    def test_same_name(self):
        self.refused("'twin'", {"action": "stat", "name": "twin"},
                     {"action": "stat", "name": "twin"})

    def test_ten_thousand(self):
        self.refused("10000 schemes: at most 64",
                     *[{"action": "stat"}] * 10000)


class Files(unittest.TestCase):
    """-device vmheat,schemes=FILE"""

    def write(self, text):
        f = tempfile.NamedTemporaryFile("w", suffix=".json", delete=False)
        self.addCleanup(os.unlink, f.name)
        with f:
            f.write(text)
        return f.name

    def test_list_and_arguments(self):
        for root in ([STAT], {"schemes": [STAT]}):
            path = self.write(json.dumps(root))
            with Guest(device=f"id=heat0,schemes={path}") as g:
                self.assertEqual(schemes(g)[0]["scheme"]["name"], "idle")

    def test_refusals(self):
        cases = [("[{", "JSON"), ('[{"action": "explode"}]', "explode"),
                 ('[{"action": "stat", "quota": {"size": -5}}]',
                  "must not be negative")]
        with Guest(device=None) as g:
            for text, pattern in cases:
                path = self.write(text)
                with self.assertRaisesRegex(QMPError, pattern):
                    g.qmp("device_add", driver="vmheat", schemes=path)
            with self.assertRaisesRegex(QMPError, "No such file"):
                g.qmp("device_add", driver="vmheat", schemes="/nowhere")
            g.qmp("device_add", driver="vmheat", id="heat0")
            self.assertEqual(schemes(g), [])


class Working(unittest.TestCase):
    def guest(self, **kwargs):
        kwargs.setdefault("machine", "microvm")
        return PayloadGuest(size=SIZE, accel=accel(), device="id=heat0",
                            **kwargs)

    def test_defaults_round_trip(self):
        """What a query shows can be set again, and is the same then."""
        with Guest() as g:
            set_schemes(g, {"action": "stat"}, STAT)
            first = [s["scheme"] for s in schemes(g)]
            self.assertEqual(first[0]["name"], "stat-0")
            self.assertEqual(first[0]["quota"]["reset-interval"], 1000000)
            set_schemes(g, *first)
            self.assertEqual([s["scheme"] for s in schemes(g)], first)

    def test_stat_counts(self):
        hot = one_hot_range(SIZE, share=0.25)
        with self.guest() as g:
            g.payload.start([hot])
            set_schemes(g, STAT, {
                "name": "hot", "action": "stat",
                "pattern": {"rate": {"min": 8}}})
            g.qmp.wait_until("a right picture", lambda: sum(
                r["end"] - r["start"] for r in schemes(
                    g, **{"tried-regions": True})[1]["tried-regions"])
                > 0.8 * hot.size)
            idle = schemes(g)[0]["stats"]
            self.assertGreater(idle["nr-snapshots"], 0)
            self.assertGreater(idle["sz-tried"], 0)
            self.assertEqual(idle["sz-tried"], idle["sz-applied"])
            self.assertTrue(g.intact())

    def test_counters_survive_a_change(self):
        with self.guest() as g:
            set_schemes(g, STAT)
            g.qmp.wait_until("snapshots", lambda: schemes(
                g)[0]["stats"]["nr-snapshots"] > 2)
            set_schemes(g, {"action": "stat", "name": "new"}, {
                **STAT, "quota": {"size": 4096}})
            g.qmp.wait_until("more", lambda: schemes(
                g)[1]["stats"]["nr-snapshots"] > 3)
            self.assertEqual(schemes(g)[1]["effective-quota"], 4096)
            set_schemes(g)
            self.assertEqual(schemes(g), [])

    def test_pause_is_a_kill_switch(self):
        with self.guest() as g:
            set_schemes(g, STAT)
            wait_snapshots(g)
            n = trips(g)
            g.qmp("vmheat-pause")
            stands_still(g, 2 * n)
            g.qmp("vmheat-resume")
            wait_snapshots(g)

    def test_goal_event(self):
        with self.guest() as g:
            set_schemes(g, {**STAT, "quota": {"goals": [
                {"metric": "user-input", "target": 10, "current": 20}]}})
            event = g.qmp.wait_event("VMHEAT_SCHEME_GOAL_REACHED")
            self.assertEqual(event["data"],
                             {"id": "heat0", "scheme": "idle",
                              "score": 20000})

    def begin_migration(self, g, folder):
        """So slow that it does not end."""
        g.qmp("migrate-set-parameters", **{"max-bandwidth": 4096})
        g.qmp("migrate", uri=f"exec:cat > {folder}/state")

    def test_migration_stops_them(self):
        with PayloadGuest(size=SIZE, accel=accel(), machine="q35",
                          device="id=heat0,primitive=trap") as g, \
                tempfile.TemporaryDirectory() as d:
            set_schemes(g, STAT)
            wait_snapshots(g)
            n = trips(g)
            self.begin_migration(g, d)
            g.qmp.wait_event("VMHEAT_STATE_CHANGED", lambda d: d.get(
                "reason") == "migration in progress")
            stands_still(g, 2 * n)
            g.qmp("migrate_cancel")
            wait_snapshots(g)

    def test_migration_stops_them_not_monitoring(self):
        """dirty-log goes on in a migration: snapshots come all the time."""
        if not have_kvm():
            self.skipTest("no /dev/kvm here")
        with PayloadGuest(size=SIZE, accel="kvm", machine="q35",
                          device="id=heat0,primitive=dirty-log") as g, \
                tempfile.TemporaryDirectory() as d:
            g.payload.start([one_hot_range(SIZE, write_percent=100)])
            set_schemes(g, STAT)
            wait_snapshots(g)
            self.begin_migration(g, d)
            g.qmp.wait_until("it is under way", lambda: g.qmp(
                "query-migrate").get("status") == "active")
            round_trip(g)
            before = done(g)
            last = g.qmp("query-vmheat")["snapshot"]
            g.qmp.wait_until("more snapshots", lambda: g.qmp(
                "query-vmheat")["snapshot"] > last + 4)
            self.assertEqual(done(g), before)
            g.qmp("migrate_cancel")
            wait_snapshots(g)

    def test_metrics(self):
        """What the host's free memory is, and what watermarks make of it."""
        def free():
            with open("/proc/meminfo", encoding="ascii") as f:
                kib = dict(line.split()[:2] for line in f)
            return int(kib["MemFree:"]) * 1000 // int(kib["MemTotal:"])

        with self.guest() as g:
            set_schemes(g, {**STAT, "quota": {"goals": [
                {"metric": "mem-free", "target": 1000}]}}, {
                    "name": "asleep", "action": "stat", "watermarks": {
                        "metric": "mem-free", "high": 0, "mid": 0, "low": 0}})
            wait_snapshots(g)
            goal, asleep = schemes(g)
            self.assertAlmostEqual(goal["goal-values"][0], free(), delta=50)
            self.assertEqual(goal["goal-score"], goal["goal-values"][0] * 10)
            self.assertEqual(asleep["state"], "inactive")
            self.assertRegex(asleep["reason"], r"mem-free is [1-9]\d*, above "
                             "the high watermark 0")
            self.assertEqual(asleep["stats"]["sz-applied"], 0)

    def test_filter_present(self):
        """A quarter of memory was ever touched."""
        def once(name, matching):
            return {"name": name, "action": "stat", "max-snapshots": 1,
                    "filters": [{"type": "present", "matching": matching,
                                 "allow": False}]}

        with self.guest(fill=SIZE // 4) as g:
            set_schemes(g, once("present", False), once("absent", True))
            g.qmp.wait_until("both are through", lambda: {
                s["state"] for s in schemes(g)} == {"finished"})
            there, absent = (stats(g, i)["sz-filter-passed"] for i in (0, 1))
            size = resident(g.payload.memory)
            self.assertLess(size, 0.3 * SIZE)
            self.assertAlmostEqual(there, size, delta=MB)
            self.assertEqual(there + absent, stats(g)["sz-tried"])

    def test_actions_are_explained(self):
        with Guest() as g:
            actions = {a["name"]: a for a in g.qmp("query-vmheat-actions")}
            self.assertTrue(actions["stat"]["available"])
            for a in actions.values():
                self.assertEqual("reason" in a, not a["available"], a)
            self.assertFalse(actions["merge"]["available"])
            self.assertIn("private", actions["merge"]["reason"])


PAGEOUT = {"name": "reclaim", "action": "pageout",
           "pattern": {"nr-accesses": {"max": 0},
                       "age-time": {"min": 1000000}}}


BIG = 768 * MB


def touch(memory):
    """Brings all of it into host memory."""
    for offset in range(0, len(memory), 4096):
        memory[offset]  # pylint: disable=pointless-statement
    let_go(memory)


class Pageout(unittest.TestCase):
    """Cold memory leaves host memory, nothing is lost, and it comes back."""

    def guest(self):
        return PayloadGuest(size=SIZE, accel=accel(), machine="microvm",
                            device="id=heat0")

    def seen(self, g, hot):
        """Has the monitor found accesses in nine tenths of the range?"""
        snap = g.qmp("query-vmheat-regions", start=hot.start, end=hot.end)
        return sum(min(r["end"], hot.end) - max(r["start"], hot.start)
                   for r in snap["regions"]
                   if r["nr-accesses"]) > 0.9 * hot.size

    def test_cold_leaves_hot_stays(self):
        hot = one_hot_range(SIZE, share=0.125)
        with Zram() as zram, self.guest() as g:
            g.payload.start([hot])
            # before that it is memory that nobody has used for a while
            g.qmp.wait_until("the hot range is seen",
                             lambda: self.seen(g, hot))
            set_schemes(g, PAGEOUT)
            g.qmp.wait_until("most of it is paged out", lambda: resident(
                g.payload.memory) < 0.4 * SIZE)
            self.assertGreater(resident(g.payload.memory, hot.start, hot.size),
                               0.9 * hot.size)
            self.assertGreater(zram.compressed(), 0)
            stats = schemes(g)[0]["stats"]
            self.assertGreater(stats["sz-applied"], 0.5 * SIZE)
            self.assertLessEqual(stats["sz-applied"], stats["sz-tried"])
            self.assertTrue(g.intact())

    def test_pause_is_a_kill_switch(self):
        """In the middle of a pass: it goes no further until resumed."""
        hot = one_hot_range(BIG, share=0.02)
        with Zram(), PayloadGuest(size=BIG, accel=accel(), machine="microvm",
                                  device="id=heat0") as g:
            def cold():
                memory = g.payload.memory
                return (resident(memory, 0, hot.start)
                        + resident(memory, hot.end))

            g.payload.start([hot])
            full = cold()
            set_schemes(g, PAGEOUT)
            g.qmp.wait_until("a start", lambda: stats(g)["sz-applied"] > 8 * MB)
            g.qmp("vmheat-pause")
            round_trip(g)
            left = cold()
            self.assertLess(left, full)
            self.assertGreater(left, 0.2 * full, "nothing left to do")
            stands_still(g)
            self.assertGreater(cold(), left - FEW * 4096)
            g.qmp("vmheat-resume")
            g.qmp.wait_until("it goes on", lambda: cold() < 0.5 * left)
            self.assertTrue(g.intact())

    def test_unplugged_while_it_works(self):
        """device_del vmheat, in the middle of a pass."""
        with Zram(), self.guest() as g:
            g.payload.start([one_hot_range(SIZE, write_percent=100)])
            for i in range(10):
                if i:
                    g.qmp("device_add", driver="vmheat", id="heat0")
                touch(g.payload.memory)
                set_schemes(g, {**PAGEOUT, "pattern": {"nr-accesses": {
                    "max": 0}}})
                g.qmp.wait_until("a start", lambda: stats(
                    g)["sz-applied"] > 4 * MB, step=0)
                self.assertGreater(resident(g.payload.memory), 0.2 * SIZE)
                g.qmp("device_del", id="heat0")
                g.qmp.wait_event("DEVICE_DELETED", lambda d: d.get(
                    "device") == "heat0", timeout=2)
            self.assertTrue(g.intact())

    def test_dimm_unplugged_while_it_works(self):
        """Its memory is let go of at once, and nothing of it is lost."""
        with Zram(), PayloadGuest(
                size=SIZE, accel=accel(), machine="q35", device="id=heat0",
                args=["-m", "256M,slots=2,maxmem=1G"]) as g:
            g.payload.start([one_hot_range(SIZE, write_percent=100)])
            set_schemes(g, {
                "name": "dimm", "action": "pageout",
                "pattern": {"nr-accesses": {"max": 0}},
                "filters": [{"type": "block", "block": "mem1",
                             "matching": False}]})
            for _ in range(3):
                with Dimm(g, 128 * MB) as dimm:
                    dimm.plug()
                    last = stats(g)["sz-applied"]
                    g.qmp.wait_until("a start", lambda last=last: stats(
                        g)["sz-applied"] > last + 4 * MB, step=0)
                    dimm.unplug()
                    left = resident(dimm.memory)
                    self.assertLess(left, dimm.size)
                    self.assertGreater(left, 0.2 * dimm.size)
                    g.qmp.wait_until("QEMU has it no more", lambda d=dimm:
                                     not d.mapped(), timeout=2)
                    last = stats(g)["sz-applied"]
                    wait_snapshots(g)
                    self.assertEqual(stats(g)["sz-applied"], last)
                    self.assertTrue(dimm.intact())
            self.assertEqual({r["block"] for r in g.qmp(
                "query-vmheat")["ranges"]}, {"mem0"})
            self.assertTrue(g.intact())

    def test_goal_guest_rss(self):
        """All of the quota until the guest is as small as it should be."""
        target, size = 160 * MB, 24 * MB
        with Zram(), self.guest() as g:
            g.payload.start([one_hot_range(SIZE, share=0.02)])
            # without the filter what is out already uses up the quota
            set_schemes(g, {**PAGEOUT, "filters": [
                {"type": "present", "matching": False}], "quota": {
                "size": size, "reset-interval": 1000000, "tuner": "temporal",
                "goals": [{"metric": "guest-rss", "target": target}]}})
            g.qmp.wait_event("VMHEAT_SCHEME_GOAL_REACHED")
            g.qmp.wait_until("no more quota", lambda: schemes(
                g)[0]["effective-quota"] == 0)
            applied = stats(g)["sz-applied"]
            wait_snapshots(g, 20)
            # what comes back may go again
            self.assertLess(stats(g)["sz-applied"] - applied, size)
            now = resident(g.payload.memory)
            self.assertLess(now, 1.1 * target)
            self.assertGreater(now, 0.9 * target - size)
            self.assertAlmostEqual(schemes(g)[0]["goal-values"][0], now,
                                   delta=0.1 * target)

    def test_filter_address(self):
        """One eighth of memory may be paged out.

        Of the rest the host may take a page by itself, but none beside it.
        """
        start, end = SIZE // 2, SIZE // 2 + SIZE // 8
        with Zram(), self.guest() as g:
            memory = g.payload.memory
            before = resident_pages(memory)
            set_schemes(g, {**PAGEOUT, "filters": [
                {"type": "address", "start": start, "end": end,
                 "matching": False, "allow": False}]})
            g.qmp.wait_until("it is out", lambda: resident(
                memory, start, end - start) < 0.05 * (end - start))
            wait_snapshots(g)
            gone = [page for page in sorted(before - resident_pages(memory))
                    if not start <= page < end]
            self.assertLess(len(gone), FEW, f"{list(map(hex, gone))} are out")
            self.assertFalse([hex(page) for page in gone
                              if start - KB64 <= page < end + KB64])
            self.assertTrue(g.intact())

    def test_refaults_back_off(self):
        """All of memory is in use, yet a bad scheme pages it out."""
        with Zram(), self.guest() as g:
            g.payload.start([one_hot_range(SIZE, share=0.9, at=0.08)])
            set_schemes(g, {"name": "greedy", "action": "pageout"})
            event = g.qmp.wait_event("VMHEAT_SCHEME_BACK_OFF")
            self.assertEqual(event["data"]["scheme"], "greedy")
            self.assertIn("came back", event["data"]["reason"])
            g.qmp.wait_until("it is counted", lambda: schemes(
                g)[0]["stats"]["back-offs"] > 0)
            self.assertGreater(schemes(g)[0]["stats"]["refaulted"], 0)
            self.assertTrue(g.intact())

    def test_quota_holds(self):
        with Zram(), self.guest() as g:
            full = resident(g.payload.memory)
            set_schemes(g, {**PAGEOUT, "quota": {
                "size": 4 * MB, "reset-interval": 3600000000}})
            g.qmp.wait_until("the quota is used up", lambda: schemes(
                g)[0]["charged"] == 4 * MB)
            before = resident(g.payload.memory)
            last = schemes(g)[0]["stats"]["nr-snapshots"]
            g.qmp.wait_until("more snapshots", lambda: schemes(
                g)[0]["stats"]["nr-snapshots"] > last + 4)
            self.assertEqual(schemes(g)[0]["charged"], 4 * MB)
            self.assertGreater(resident(g.payload.memory),
                               before - FEW * 4096)
            self.assertGreater(before, full - 4 * MB - FEW * 4096)
            self.assertLess(before, full)

    def test_swap_full(self):
        with open("/proc/swaps", encoding="ascii") as f:
            if len(f.readlines()) > 1:
                self.skipTest("this machine has swap")
        with Zram(size=16 * MB), self.guest() as g:
            set_schemes(g, PAGEOUT)
            event = g.qmp.wait_event("VMHEAT_SCHEME_BACK_OFF")
            self.assertRegex(event["data"]["reason"], "[Ss]wap|space")
            g.qmp.wait_until("it is counted", lambda: stats(g)["errors"] > 0)
            self.assertTrue(g.intact())

    def test_without_swap(self):
        with open("/proc/swaps", encoding="ascii") as f:
            if len(f.readlines()) > 1:
                self.skipTest("this machine has swap")
        with self.guest() as g:
            with self.assertRaisesRegex(QMPError, "'pageout'.*swap"):
                set_schemes(g, PAGEOUT)

    def migration(self, size=SIZE, **kwargs):
        return PayloadGuest(size=size, accel=accel(), machine="q35",
                            device="id=heat0,primitive=trap", **kwargs)

    def begin(self, g, size=SIZE):
        g.payload.start([one_hot_range(size, write_percent=100)])
        set_schemes(g, PAGEOUT)
        g.qmp.wait_until("a start", lambda: stats(g)["sz-applied"] > 8 * MB)

    def test_migration_while_it_works(self):
        """Paging out ends before the migration begins; all arrives."""
        with Zram(), tempfile.TemporaryDirectory() as d:
            with self.migration() as g:
                self.begin(g)
                self.assertGreater(resident(g.payload.memory), 0.2 * SIZE)
                g.qmp("migrate", uri=f"exec:cat > {d}/state")
                g.qmp.wait_until("the end", lambda: g.qmp(
                    "query-migrate").get("status") in ("completed", "failed"),
                    timeout=120)
                self.assertEqual(g.qmp("query-migrate")["status"],
                                 "completed")
            with self.migration(args=["-incoming",
                                      f"exec:cat {d}/state"]) as g:
                set_schemes(g, PAGEOUT)
                g.qmp.wait_until("the guest runs here", lambda: g.qmp(
                    "query-status")["running"])
                g.qmp.wait_until("paging out goes on", lambda: stats(
                    g)["sz-applied"] > 8 * MB)
                self.assertTrue(g.intact(), "memory arrived damaged")

    def test_migration_cancelled(self):
        with Zram(), tempfile.TemporaryDirectory() as d, \
                self.migration(size=BIG) as g:
            self.begin(g, BIG)
            g.qmp("migrate-set-parameters", **{"max-bandwidth": 4096})
            g.qmp("migrate", uri=f"exec:cat > {d}/state")
            g.qmp.wait_event("VMHEAT_STATE_CHANGED", lambda d: d.get(
                "reason") == "migration in progress")
            stands_still(g)
            applied = stats(g)["sz-applied"]
            self.assertGreater(resident(g.payload.memory), 0.2 * BIG)
            g.qmp("migrate_cancel")
            g.qmp.wait_until("it goes on", lambda: stats(
                g)["sz-applied"] > applied + 8 * MB)
            self.assertTrue(g.intact())


def kernel():
    """Version of the host's: (6, 14)."""
    return tuple(map(int, re.match(r"(\d+)\.(\d+)",
                                   os.uname().release).groups()))


class Huge(unittest.TestCase):
    COLLAPSE = {"name": "hot", "action": "collapse",
                "pattern": {"nr-accesses": {"min": 3},
                            "size": {"min": 2 * MB}}}

    def huge(self, g):
        """Bytes of shared memory that QEMU has mapped by huge pages."""
        with open(f"/proc/{g.process.pid}/smaps_rollup",
                  encoding="ascii") as f:
            return int(re.search(r"ShmemPmdMapped: +(\d+)", f.read())[1]) << 10

    def test_collapse_while_watched(self):
        """The trap holds guest memory registered with userfaultfd."""
        hot = one_hot_range(SIZE, 0.25)
        with PayloadGuest(size=SIZE, accel=accel(), machine="microvm",
                          align="2M") as g:
            g.payload.start([hot])
            g.qmp("device_add", driver="vmheat", id="heat0", primitive="trap")
            try:
                set_schemes(g, self.COLLAPSE)
            except QMPError as e:
                self.skipTest(str(e))
            if kernel() < (6, 14):
                g.qmp.wait_until("it says why not", lambda: "6.14" in (
                    schemes(g)[0].get("detail") or ""), timeout=60)
                self.skipTest(schemes(g)[0]["detail"])
            g.qmp.wait_until("it is of huge pages", lambda: self.huge(
                g) >= hot.size // 2, timeout=60)
            self.assertGreater(stats(g)["sz-applied"], 0)
            self.assertTrue(g.intact())


class Recipes(unittest.TestCase):
    """What "vmheat schemes --apply" sends, in files as they are installed."""

    NAMES = {"reclaim", "prcl", "ethp", "tiering", "balloon"}

    @classmethod
    def setUpClass(cls):
        folder = environment("VMHEAT_RECIPES")
        cls.paths = {f[:-len(".json")]: os.path.join(folder, f)
                     for f in os.listdir(folder) if f.endswith(".json")}

    def recipe(self, name):
        with open(self.paths[name], encoding="utf-8") as f:
            return json.load(f)

    def balloon(self):
        return Guest(args=["-device", "virtio-balloon-pci"], device=None)

    def refusal(self, g, recipe):
        """What is wrong with it here, as the host tells, or None."""
        actions = {a["name"]: a for a in g.qmp("query-vmheat-actions")}
        for s in recipe:
            action = actions[s["action"]]
            for node in s.get("nodes", []):
                if not os.path.isdir(
                        f"/sys/devices/system/node/node{node['node']}"):
                    return f"no memory on NUMA node {node['node']}"
            # one node is enough for a scheme that names it, and a driver may
            # come later
            if not (action["available"] or "nodes" in s or
                    action["name"] == "balloon"):
                return re.escape(action["reason"])
        return None

    def check_same(self, given, shown):
        """Shown is what was given, and defaults."""
        if isinstance(given, dict):
            for k, v in given.items():
                self.check_same(v, shown[k])
        elif isinstance(given, list):
            self.assertEqual(len(given), len(shown))
            for a, b in zip(given, shown):
                self.check_same(a, b)
        else:
            self.assertEqual(given, shown)

    def set_and_see(self, g, name):
        """Returns whether it could be set."""
        recipe = self.recipe(name)
        wrong = self.refusal(g, recipe)
        if wrong:
            with self.assertRaisesRegex(QMPError, wrong):
                set_schemes(g, *recipe)
            return False
        set_schemes(g, *recipe)
        self.check_same(recipe, [s["scheme"] for s in schemes(g)])
        return True

    def test_all(self):
        self.assertEqual(set(self.paths), self.NAMES)
        with Zram(), self.balloon() as g:
            g.qmp("device_add", driver="vmheat", id="heat0")
            can = {name for name in self.paths
                   if self.set_and_see(g, name)}
        self.assertLessEqual({"reclaim", "prcl", "balloon"}, can)

    def test_balloon_without_a_device(self):
        with Guest() as g, self.assertRaisesRegex(
                QMPError, "'balloon' cannot be used: there is no balloon"):
            set_schemes(g, *self.recipe("balloon"))

    def test_as_a_file(self):
        with Zram(), Guest(
                device=f"id=heat0,schemes={self.paths['prcl']}") as g:
            self.check_same(self.recipe("prcl"),
                            [s["scheme"] for s in schemes(g)])
            g.qmp.wait_until("it looks", lambda: stats(g)["nr-snapshots"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
