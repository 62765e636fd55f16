# SPDX-License-Identifier: GPL-2.0-or-later
"""Live migration while guest writes are being logged for us too.

VMHEAT_MIGRATIONS says how often each kind is done (default 2). Not with TCG:
stock QEMU 7.2 loses writes of this load there, with no plugin loaded, and vmheat
stands aside in a migration.
"""

import os
import sys
import unittest

from guest import Guest, have_kvm
from payload_guest import MB, PayloadGuest, one_hot_range

SIZE = 128 * MB
TIMES = int(os.environ.get("VMHEAT_MIGRATIONS", "2"))


class DirtyMigrate(unittest.TestCase):
    def guest(self, accel, **kwargs):
        return PayloadGuest(size=SIZE, accel=accel, machine="q35", **kwargs)

    def start(self, source, name):
        """A write load that dirties memory all the time, and a monitor."""
        source.payload.start([one_hot_range(SIZE, share=0.1, rate=20000,
                                            write_percent=100)])
        source.qmp("device_add", **{
            "driver": "vmheat", "id": "heat0", "primitive": name,
            "sampling-interval": 10000, "aggregation-interval": 50000,
            "traps-per-second": 20000, "overhead-budget": 2000})
        source.qmp.wait_until("snapshots", lambda: source.qmp(
            "query-vmheat")["snapshot"] > 2)

    def once(self, accel, name):
        with self.guest(accel, device=None) as source:
            path = os.path.join(source.dir, "migrate.sock")
            with self.guest(accel, args=["-incoming", "unix:" + path],
                            device="id=heat0,primitive=" + name) as dest:
                self.start(source, name)
                source.qmp("migrate-set-parameters",
                           **{"max-bandwidth": 48 * MB})
                before = source.qmp("query-vmheat")
                source.qmp("migrate", uri="unix:" + path)
                source.qmp.wait_until(
                    "the migration is over", lambda: source.qmp(
                        "query-migrate").get("status") in ("completed",
                                                           "failed"))
                result = source.qmp("query-migrate")
                after = source.qmp("query-vmheat")
                self.assertEqual(result["status"], "completed")
                dest.qmp.wait_until("the guest runs here", lambda: dest.qmp(
                    "query-status")["running"])
                dest.qmp.wait_until("monitoring goes on", lambda: dest.qmp(
                    "query-vmheat")["snapshot"] > 1)
                self.assertTrue(dest.intact(), "memory arrived damaged")
        during = after["stats"]["samples"] - before["stats"]["samples"]
        told = [e for e in source.qmp.seen("VMHEAT_STATE_CHANGED")
                if e["data"].get("reason") == "migration in progress"]
        self.assertFalse(told, "monitoring was suspended")
        self.assertGreater(during, 0)
        return during, result["ram"]["dirty-sync-count"]

    def check(self, accel, name):
        for i in range(TIMES):
            samples, rounds = self.once(accel, name)
            print(f"{name} {accel} {i + 1}/{TIMES}: intact, {samples} samples "
                  f"during the migration, {rounds} rounds of it",
                  file=sys.stderr)

    def need_kvm(self):
        if not have_kvm():
            self.skipTest("no /dev/kvm here")

    def test_dirty_log_kvm(self):
        self.need_kvm()
        self.check("kvm", "dirty-log")

    def test_stands_aside_when_large(self):
        """Migration would send pages of more than a GiB twice."""
        self.need_kvm()
        with Guest(accel="kvm", args=["-m", "256M,slots=2,maxmem=8G"],
                   device="id=heat0,primitive=dirty-log") as g:
            log = next(p for p in g.qmp("query-vmheat")["primitives"]
                       if p["name"] == "dirty-log")
            self.assertTrue(log["through-migration"])
            g.qmp("object-add", **{"qom-type": "memory-backend-memfd",
                                   "id": "dimm", "size": 2 << 30})
            g.qmp("device_add", driver="pc-dimm", id="dimm0", memdev="dimm")
            g.qmp("migrate", uri="exec:cat > /dev/null")
            g.qmp.wait_event("VMHEAT_STATE_CHANGED", lambda d:
                             d.get("reason") == "migration in progress")

    def test_dirty_ring(self):
        self.need_kvm()
        self.check("kvm,dirty-ring-size=4096", "dirty-ring")


if __name__ == "__main__":
    unittest.main(verbosity=2)
