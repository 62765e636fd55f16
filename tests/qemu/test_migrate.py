# SPDX-License-Identifier: GPL-2.0-or-later
"""Migration while monitored: vmheat stands aside, memory arrives intact."""

import os
import unittest

from guest import Guest, have_kvm
from payload_guest import MB, PayloadGuest, one_hot_range

SIZE = 128 * MB


class Migrate(unittest.TestCase):
    def guest(self, accel, primitive="trap", **kwargs):
        return PayloadGuest(size=SIZE, accel=accel, machine="q35",
                            device="id=heat0,primitive=" + primitive, **kwargs)

    def need(self, primitive):
        with Guest(machine="microvm") as g:
            for p in g.qmp("query-vmheat")["primitives"]:
                if p["name"] == primitive and not p["available"]:
                    self.skipTest(p["reason"])

    def finish(self, source):
        source.qmp.wait_until(
            "the migration is over", lambda: source.qmp(
                "query-migrate").get("status") in ("completed", "failed"))
        self.assertEqual(source.qmp("query-migrate")["status"], "completed")

    def live(self, accel):
        hot = one_hot_range(SIZE, share=0.1, rate=20000, write_percent=50)
        with self.guest(accel) as source:
            path = os.path.join(source.dir, "migrate.sock")
            with self.guest(accel, args=["-incoming", "unix:" + path]) as dest:
                info = dest.qmp("query-vmheat")
                self.assertEqual(
                    (info["state"], info["reason"]),
                    ("suspended", "waiting for incoming migration"))
                source.payload.start([hot])
                source.qmp.wait_until("snapshots", lambda: source.qmp(
                    "query-vmheat")["snapshot"] > 2)
                source.qmp("migrate-set-parameters",
                           **{"max-bandwidth": 64 * MB})
                source.qmp("migrate", uri="unix:" + path)
                source.qmp.wait_event(
                    "VMHEAT_STATE_CHANGED",
                    lambda d: d.get("reason") == "migration in progress")
                self.finish(source)
                dest.qmp.wait_until("the guest runs here", lambda: dest.qmp(
                    "query-status")["running"])
                dest.qmp.wait_until("monitoring goes on", lambda: dest.qmp(
                    "query-vmheat")["snapshot"] > 1)
                self.assertEqual(dest.qmp("query-vmheat")["state"], "running")
                self.assertTrue(dest.intact(), "memory arrived damaged")

    def test_live_tcg(self):
        self.live("tcg")

    def test_live_kvm(self):
        if not have_kvm():
            self.skipTest("no /dev/kvm here")
        self.live("kvm")

    def test_cancelled(self):
        """A migration that is cancelled: monitoring resumes by itself."""
        with self.guest("tcg") as g:
            g.payload.start([one_hot_range(SIZE, rate=1000)])
            path = os.path.join(g.dir, "nobody.sock")
            with self.guest("tcg", args=["-incoming", "unix:" + path]):
                g.qmp("migrate-set-parameters", **{"max-bandwidth": 100000})
                g.qmp("migrate", uri="unix:" + path)
                g.qmp.wait_event(
                    "VMHEAT_STATE_CHANGED",
                    lambda d: d.get("reason") == "migration in progress")
                g.qmp("migrate_cancel")
                g.qmp.wait_event("VMHEAT_STATE_CHANGED",
                                 lambda d: d["state"] == "running")
                last = g.qmp("query-vmheat")["snapshot"]
                g.qmp.wait_until("new snapshots", lambda: g.qmp(
                    "query-vmheat")["snapshot"] > last + 1)
            self.assertTrue(g.intact())

    def test_background_snapshot(self):
        self.background_snapshot("trap")

    def test_background_snapshot_uffd_wp(self):
        self.need("uffd-wp")
        self.background_snapshot("uffd-wp")

    def background_snapshot(self, primitive):
        """It needs a userfaultfd on guest memory: ours must be gone."""
        with self.guest("tcg", primitive) as g:
            g.payload.start([one_hot_range(SIZE, rate=20000,
                                           write_percent=100)])
            g.qmp.wait_until("a snapshot", lambda:
                             g.qmp("query-vmheat")["snapshot"] > 1)
            g.qmp("migrate-set-capabilities", capabilities=[
                {"capability": "background-snapshot", "state": True}])
            self.assertEqual(g.qmp("query-vmheat")["state"], "running")
            last = g.qmp("query-vmheat")["snapshot"]
            g.qmp.wait_until("it goes on", lambda:
                             g.qmp("query-vmheat")["snapshot"] > last + 1)
            path = os.path.join(g.dir, "snapshot")
            g.qmp("migrate", uri="exec:cat > " + path)
            g.qmp.wait_until(
                "the snapshot is over", lambda: g.qmp(
                    "query-migrate").get("status") in ("completed", "failed"))
            self.assertEqual(g.qmp("query-migrate")["status"], "completed",
                             g.stderr())
            g.qmp.wait_until("monitoring goes on", lambda: g.qmp(
                "query-vmheat")["state"] == "running")
            self.assertTrue(g.intact())
            with self.guest("tcg", primitive, args=[
                    "-incoming", "exec:cat " + path]) as copy:
                copy.qmp.wait_until("the copy runs", lambda: copy.qmp(
                    "query-status")["running"])
                self.assertTrue(copy.intact(), "the snapshot is damaged")

    def test_postcopy_uffd_wp(self):
        """Both ends watch with a userfaultfd of their own."""
        self.need("uffd-wp")
        hot = one_hot_range(SIZE, share=0.1, rate=20000, write_percent=100)
        with self.guest("tcg", "uffd-wp") as source:
            path = os.path.join(source.dir, "migrate.sock")
            with self.guest("tcg", "uffd-wp",
                            args=["-incoming", "defer"]) as dest:
                postcopy = {"capability": "postcopy-ram", "state": True}
                for g in (source, dest):
                    g.qmp("migrate-set-capabilities", capabilities=[postcopy])
                dest.qmp("migrate-incoming", uri="unix:" + path)
                source.payload.start([hot])
                source.qmp.wait_until("snapshots", lambda: source.qmp(
                    "query-vmheat")["snapshot"] > 2)
                source.qmp("migrate-set-parameters",
                           **{"max-bandwidth": 8 * MB})
                source.qmp("migrate", uri="unix:" + path)
                source.qmp.wait_until("it is under way", lambda: source.qmp(
                    "query-migrate").get("status") == "active")
                source.qmp("migrate-start-postcopy")
                source.qmp.wait_until("postcopy", lambda: source.qmp(
                    "query-migrate")["status"].startswith("postcopy"))
                source.qmp("migrate-set-parameters",
                           **{"max-bandwidth": 1024 * MB,
                              "max-postcopy-bandwidth": 0})
                self.finish(source)
                dest.qmp.wait_until("monitoring goes on", lambda: dest.qmp(
                    "query-vmheat")["snapshot"] > 1)
                self.assertEqual(dest.qmp("query-vmheat")["primitive"],
                                 "uffd-wp")
                self.assertTrue(dest.intact(), "memory arrived damaged")

    def test_background_snapshot_again_and_again(self):
        """Also while monitoring is only about to begin again."""
        with self.guest("tcg") as g:
            for i in range(40):
                g.qmp("migrate-set-capabilities", capabilities=[
                    {"capability": "background-snapshot", "state": i % 2 == 0}])
            self.assertEqual(g.qmp("query-vmheat")["state"], "running")

    def test_background_snapshot_in_hmp_and_paused(self):
        with self.guest("tcg") as g:
            g.qmp.wait_until("a snapshot", lambda:
                             g.qmp("query-vmheat")["snapshot"] > 1)
            g.qmp("vmheat-pause")
            said = g.qmp("human-monitor-command", **{
                "command-line":
                "migrate_set_capability background-snapshot on"})
            self.assertEqual(said, "")
            self.assertEqual(g.qmp("query-vmheat")["state"], "paused")
            caps = g.qmp("query-migrate-capabilities")
            self.assertIn({"capability": "background-snapshot",
                           "state": True}, caps)


if __name__ == "__main__":
    unittest.main(verbosity=2)
