# SPDX-License-Identifier: GPL-2.0-or-later
"""Plug and unplug, reset, stop, pause, signals, memory hotplug."""

import os
import signal
import tempfile
import unittest

from guest import Guest
from payload_guest import PayloadGuest
from qmp import QMPError


class Lifecycle(unittest.TestCase):
    def test_plug_and_unplug(self):
        with Guest(device=None) as g:
            for i in range(20):
                g.qmp("device_add", driver="vmheat", id=f"h{i}")
                self.assertEqual(g.qmp("query-vmheat")["id"], f"h{i}")
                g.qmp("device_del", id=f"h{i}")
                g.qmp.wait_event("DEVICE_DELETED",
                                 lambda d: d.get("device") == f"h{i}")
            self.assertEqual(self.uffds(g), 0)

    def uffds(self, g):
        """Open userfaultfds of the QEMU process."""
        fds = f"/proc/{g.process.pid}/fd"
        links = [os.readlink(os.path.join(fds, f)) for f in os.listdir(fds)]
        return sum("userfaultfd" in link for link in links)

    def test_stop_during_unplug(self):
        """No harm comes of it, whether or not the worker still sees it."""
        with Guest() as g:
            g.qmp("device_del", id="heat0")
            g.qmp("stop")
            g.qmp.wait_event("DEVICE_DELETED")
            with self.assertRaises(QMPError):
                g.qmp("query-vmheat")

    def test_unplug_twice_in_a_row(self):
        with Guest() as g:
            g.qmp("device_del", id="heat0")
            try:
                g.qmp("device_del", id="heat0")
            except QMPError as e:
                self.assertEqual(e.cls, "DeviceNotFound")  # gone already
            g.qmp.wait_event("DEVICE_DELETED")
            g.qmp("device_add", driver="vmheat", id="heat0")
            self.assertEqual(g.qmp("query-vmheat")["state"], "running")

    def test_events_of_a_plug(self):
        with Guest(device=None) as g:
            g.qmp("device_add", driver="vmheat", id="heat0")
            event = g.qmp.wait_event("VMHEAT_PRIMITIVE_CHANGED")["data"]
            self.assertEqual((event["id"], event["primitive"]),
                             ("heat0", "trap"))
            self.assertIn("auto", event["reason"])
            event = g.qmp.wait_event("VMHEAT_STATE_CHANGED")["data"]
            self.assertEqual(event, {"id": "heat0", "state": "running"})

    def policies(self, guest):
        """Scheduling policies of QEMU's threads."""
        return {os.sched_getscheduler(int(tid))
                for tid in os.listdir(f"/proc/{guest.process.pid}/task")}

    def test_a_boot_is_one_event(self):
        """Until the guest runs, the device is suspended and silent."""
        with Guest(args=["-S"]) as g:
            self.assertEqual(g.qmp("query-vmheat")["state"], "suspended")
            g.qmp("cont")
            event = g.qmp.wait_event("VMHEAT_STATE_CHANGED")["data"]
            self.assertEqual(event, {"id": "heat0", "state": "running"})

    def test_worker_does_not_preempt(self):
        with Guest() as g:
            g.qmp.wait_until("a snapshot",
                             lambda: g.qmp("query-vmheat")["snapshot"])
            self.assertIn(os.SCHED_BATCH, self.policies(g))

    def test_in_the_sandbox_that_libvirt_uses(self):
        """It forbids to change the scheduling policy."""
        with Guest(args=["-sandbox", "on,obsolete=deny,"
                         "elevateprivileges=deny,spawn=deny,"
                         "resourcecontrol=deny"]) as g:
            g.qmp.wait_until("a snapshot",
                             lambda: g.qmp("query-vmheat")["snapshot"])
            self.assertEqual(self.policies(g), {os.SCHED_OTHER})
            self.assertEqual(g.qmp("query-vmheat")["state"], "running")

    def test_stop_and_cont(self):
        with Guest() as g:
            g.qmp.wait_until("a snapshot",
                             lambda: g.qmp("query-vmheat")["snapshot"])
            g.qmp("stop")
            info = g.qmp("query-vmheat")
            self.assertEqual((info["state"], info["reason"]),
                             ("suspended", "guest is stopped"))
            g.qmp.wait_event("VMHEAT_STATE_CHANGED",
                             lambda d: d["state"] == "suspended")
            stopped = g.qmp("query-vmheat")["snapshot"]
            self.assertTrue(g.qmp("query-vmheat-regions")["regions"])
            g.qmp("cont")
            g.qmp.wait_event("VMHEAT_STATE_CHANGED",
                             lambda d: d["state"] == "running")
            g.qmp.wait_until(
                "more snapshots",
                lambda: g.qmp("query-vmheat")["snapshot"] > stopped + 1)

    def test_pause_and_resume(self):
        with Guest(device="id=heat0,paused=on") as g:
            self.assertEqual(g.qmp("query-vmheat")["state"], "paused")
            g.qmp("vmheat-pause")  # no error
            g.qmp("vmheat-resume")
            g.qmp("vmheat-resume")
            g.qmp.wait_until("a snapshot",
                             lambda: g.qmp("query-vmheat")["snapshot"])
            g.qmp("vmheat-pause")
            samples = g.qmp.wait_until(
                "quiet", lambda: self.quiet_samples(g))
            self.assertGreater(samples, 0)

    @staticmethod
    def quiet_samples(g):
        """The sample count once it has stopped growing, else 0."""
        counts = {g.qmp("query-vmheat")["stats"]["samples"]
                  for _ in range(20)}
        return counts.pop() if len(counts) == 1 else 0

    def test_reset(self):
        with Guest(reboot=True) as g:
            for _ in range(10):
                g.qmp("system_reset")
                g.qmp.wait_event("RESET")
                self.assertEqual(g.qmp("query-vmheat")["state"], "running")
            before = g.qmp("query-vmheat")["snapshot"]
            g.qmp.wait_until(
                "snapshots after the reset",
                lambda: g.qmp("query-vmheat")["snapshot"] > before + 1)

    def test_sigterm(self):
        with Guest() as g:
            g.qmp.wait_until("a snapshot",
                             lambda: g.qmp("query-vmheat")["snapshot"])
            g.process.send_signal(signal.SIGTERM)
            self.assertEqual(g.wait(), 0, g.stderr())

    def test_quit_at_once(self):
        for _ in range(5):
            with Guest() as g:
                g.qmp("quit")
                self.assertEqual(g.wait(), 0, g.stderr())

    def test_primitive_fails_then_recovers(self):
        """A refused map is a state with a reason, not a crash."""
        with Guest(device=None) as g:
            g.qmp("device_add", **{
                "driver": "vmheat", "id": "heat0", "primitive": "fake",
                "x-fake-script": "refuse not today"})
            g.qmp.wait_event("VMHEAT_STATE_CHANGED",
                             lambda d: d["state"] == "failed")
            info = g.qmp("query-vmheat")
            self.assertEqual((info["state"], info["reason"]),
                             ("failed", "not today"))
            self.assertEqual(info["total-size"], 0)
            g.qmp("device_del", id="heat0")
            g.qmp.wait_event("DEVICE_DELETED")
            g.qmp("device_add", driver="vmheat", id="heat0")
            self.assertEqual(g.qmp("query-vmheat")["state"], "running")


class MemoryHotplug(unittest.TestCase):
    ARGS = ["-m", "256M,slots=2,maxmem=1G"]

    def ranges(self, g):
        return {r["block"]: r for r in g.qmp("query-vmheat")["ranges"]}

    def test_dimm(self):
        with tempfile.TemporaryDirectory() as tmp, Guest(args=self.ARGS) as g:
            path = os.path.join(tmp, "dimm")
            g.qmp("object-add", **{
                "qom-type": "memory-backend-file", "id": "mem1",
                "size": 128 << 20, "share": True, "mem-path": path})
            g.qmp("device_add", driver="pc-dimm", id="dimm1", memdev="mem1")
            dimm = g.qmp.wait_until(
                "the DIMM is monitored", lambda: next(
                    (r for r in [self.ranges(g).get("mem1")]
                     if r and r["monitored"]), None))
            self.assertEqual(dimm["size"], 128 << 20)
            g.qmp.wait_until("regions of the DIMM", lambda: g.qmp(
                "query-vmheat-regions", start=dimm["start"],
                end=dimm["start"] + dimm["size"])["regions"])

    def test_update_interval(self):
        """New memory is taken when the update interval has passed.

        Firmware would remap memory meanwhile: what vanished is seen at once,
        and what is new with it. So the guest has booted.
        """
        with tempfile.TemporaryDirectory() as tmp, PayloadGuest(
                args=self.ARGS,
                device="id=heat0,update-interval=3600000000") as g:
            g.qmp.wait_until("a snapshot",
                             lambda: g.qmp("query-vmheat")["snapshot"])
            g.qmp("object-add", **{
                "qom-type": "memory-backend-file", "id": "mem1",
                "size": 128 << 20, "share": True,
                "mem-path": os.path.join(tmp, "dimm")})
            g.qmp("device_add", driver="pc-dimm", id="dimm1", memdev="mem1")
            last = g.qmp("query-vmheat")["snapshot"]
            g.qmp.wait_until("more snapshots", lambda: g.qmp(
                "query-vmheat")["snapshot"] > last + 2)
            self.assertFalse(self.ranges(g)["mem1"]["monitored"])
            g.qmp("vmheat-set", update_interval=1000000)
            g.qmp.wait_until("the DIMM is monitored", lambda: self.ranges(
                g)["mem1"]["monitored"])

    def test_private_dimm_larger_than_main_memory(self):
        """What is main memory is a matter of its address, not of size."""
        with Guest(size=128 << 20, args=["-m", "128M,slots=1,maxmem=1G"]) as g:
            g.qmp("object-add", **{"qom-type": "memory-backend-ram",
                                   "id": "p", "size": 256 << 20})
            g.qmp("device_add", driver="pc-dimm", id="d", memdev="p")
            last = g.qmp("query-vmheat")["snapshot"]
            # the new map is taken after 4 snapshots, the update interval
            g.qmp.wait_until("more snapshots", lambda:
                             g.qmp("query-vmheat")["snapshot"] > last + 8)
            info = g.qmp("query-vmheat")
            self.assertEqual(info["state"], "running")
            self.assertEqual({(r["block"], r["monitored"])
                              for r in info["ranges"]},
                             {("mem0", True), ("p", False)})

    def test_private_dimm_is_left_alone(self):
        with Guest(args=self.ARGS) as g:
            g.qmp("object-add", **{"qom-type": "memory-backend-ram",
                                   "id": "mem1", "size": 128 << 20})
            g.qmp("device_add", driver="pc-dimm", id="dimm1", memdev="mem1")
            dimm = g.qmp.wait_until("the DIMM is listed",
                                    lambda: self.ranges(g).get("mem1"))
            before = g.qmp("query-vmheat")["snapshot"]
            g.qmp.wait_until(
                "more snapshots",
                lambda: g.qmp("query-vmheat")["snapshot"] > before + 1)
            self.assertFalse(self.ranges(g)["mem1"]["monitored"])
            self.assertTrue(self.ranges(g)["mem0"]["monitored"])
            self.assertEqual(g.qmp("query-vmheat-regions",
                                   start=dimm["start"],
                                   end=dimm["start"] + dimm["size"])
                             ["regions"], [])

    def test_rom_and_video_memory_are_left_out(self):
        with Guest(args=["-device", "VGA"]) as g:
            blocks = {r["block"] for r in g.qmp("query-vmheat")["ranges"]}
            self.assertEqual(blocks, {"mem0"})
            everything = g.qmp.hmp("info ramblock")
            self.assertIn("vga.vram", everything)
            self.assertIn("pc.bios", everything)

    def test_gap_below_4g(self):
        """Guest-physical addresses have a hole; no region spans it."""
        with Guest(size=4 << 30) as g:
            snap = g.qmp.wait_until("a snapshot", lambda: next(
                (s for s in [g.qmp("query-vmheat-regions")]
                 if s["regions"]), None))
            ranges = g.qmp("query-vmheat")["ranges"]
            self.assertTrue(any(r["start"] >= 4 << 30 for r in ranges))
            for r in snap["regions"]:
                self.assertTrue(
                    any(x["start"] <= r["start"] and
                        r["end"] <= x["start"] + x["size"] or
                        r["end"] <= 1 << 20 for x in ranges), r)


if __name__ == "__main__":
    unittest.main(verbosity=2)
