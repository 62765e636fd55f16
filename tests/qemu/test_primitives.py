# SPDX-License-Identifier: GPL-2.0-or-later
"""Each primitive sees what it claims to see; what cannot run says why."""

import os
import statistics
import sys
import tempfile
import time
import unittest

from guest import Guest, environment, fails_to_start, have_kvm
from payload_guest import MB, PayloadGuest, one_hot_range
from qmp import QMPError
from vhost_user import Backend
from vmheat_payload import Range

SIZE = 256 * MB
GOOD = 0.95
# rings cost a guest a lot here; the budget is another test's business
RING = {"traps-per-second": 20000, "overhead-budget": 1000}


def primitive(info, name):
    return next(p for p in info["primitives"] if p["name"] == name)


def accel_for(name, accel):
    return accel + (",dirty-ring-size=4096" if name == "dirty-ring" else "")


class Detect(unittest.TestCase):
    """Precision and recall against what the payload does."""

    def plug(self, g, name, **properties):
        g.qmp("device_add", driver="vmheat", id="heat0", primitive=name,
              **properties)

    def settle(self, g, good, limit):
        """Watches until the picture is good twice in a row, at most limit."""
        end, seen, run = time.monotonic() + limit, [], 0
        while run < 2 and time.monotonic() < end:
            for s in g.watch(0.5):
                seen.append(s)
                run = run + 1 if min(s[1], s[2]) >= good else 0
        return seen

    def check(self, name, accel, machine="microvm", limit=15, **properties):
        with PayloadGuest(size=SIZE, accel=accel_for(name, accel),
                          machine=machine) as g:
            g.payload.start([one_hot_range(SIZE, write_percent=100)])
            time.sleep(0.2)
            self.plug(g, name, **properties)
            self.settle(g, GOOD, limit)
            seen = g.watch(2)
            p = statistics.median(s[1] for s in seen)
            r = statistics.median(s[2] for s in seen)
            print(f"{name} {accel} {machine}: precision {p:.3f} "
                  f"recall {r:.3f}", file=sys.stderr)
            info = g.qmp("query-vmheat")
            self.assertEqual(info["primitive"], name)
            self.assertTrue(g.intact(), "guest memory was changed")
            self.assertGreaterEqual(p, GOOD)
            self.assertGreaterEqual(r, GOOD)

    def reads_are_not_seen(self, name, accel, **properties):
        with PayloadGuest(size=SIZE, accel=accel_for(name, accel),
                          machine="microvm") as g:
            g.payload.start([one_hot_range(SIZE, share=0.2, write_percent=0)])
            time.sleep(0.2)
            self.plug(g, name, **properties)
            g.qmp.wait_until("snapshots", lambda: g.qmp(
                "query-vmheat")["snapshot"] > 12)
            self.assertLess(g.qmp("query-vmheat")["working-set-size"],
                            0.02 * SIZE)
            self.assertTrue(g.intact())

    def need_kvm(self):
        if not have_kvm():
            self.skipTest("no /dev/kvm here")

    def need(self, name):
        with Guest(machine="microvm") as g:
            found = primitive(g.qmp("query-vmheat"), name)
        if not found["available"]:
            self.skipTest(found["reason"])

    def test_dirty_log_kvm(self):
        self.need_kvm()
        self.check("dirty-log", "kvm")
        self.reads_are_not_seen("dirty-log", "kvm")

    def test_dirty_log_tcg(self):
        self.check("dirty-log", "tcg", machine="q35")
        self.reads_are_not_seen("dirty-log", "tcg")

    def test_dirty_ring(self):
        self.need_kvm()
        self.check("dirty-ring", "kvm", **RING)
        self.reads_are_not_seen("dirty-ring", "kvm", **RING)

    def test_uffd_wp_kvm(self):
        self.need_kvm()
        self.need("uffd-wp")
        self.check("uffd-wp", "kvm")
        self.reads_are_not_seen("uffd-wp", "kvm")

    def test_uffd_wp_tcg(self):
        self.need("uffd-wp")
        self.check("uffd-wp", "tcg", machine="q35")
        self.reads_are_not_seen("uffd-wp", "tcg")

    def test_plugin(self):
        self.check("checksum", "tcg",
                   **{"primitive-plugin": environment("VMHEAT_EXAMPLE")})

    def test_reads_and_writes_apart(self):
        self.told_apart("dirty-log")

    def test_reads_and_writes_apart_by_uffd_wp(self):
        """One userfaultfd serves both primitives."""
        self.need("uffd-wp")
        self.told_apart("uffd-wp")

    def told_apart(self, name):
        """Both ranges are hot, one of them is written."""
        read = Range(64 * MB, 16 * MB, 0, 0)
        written = Range(128 * MB, 16 * MB, 0, 100)
        with PayloadGuest(size=SIZE, machine="microvm",
                          accel="kvm" if have_kvm() else "tcg") as g:
            g.payload.start([read, written])
            self.plug(g, "trap", **{"write-primitive": name,
                                    "traps-per-second": 1000,
                                    "overhead-budget": 500})

            def share(part, what):
                snap = g.qmp("query-vmheat-regions", start=part.start,
                             end=part.end)
                hot = [r for r in snap["regions"]
                       if r[what] * 2 >= snap["max-nr-accesses"]]
                return sum(min(r["end"], part.end) -
                           max(r["start"], part.start)
                           for r in hot) / part.size
            g.qmp.wait_until("both are seen and told apart", lambda: (
                share(read, "nr-accesses") > 0.9 and
                share(written, "nr-accesses") > 0.9 and
                share(written, "nr-writes") > 0.9 and
                share(read, "nr-writes") < 0.1))
            info = g.qmp("query-vmheat")
            self.assertEqual((info["primitive"], info["write-primitive"]),
                             ("trap", name))
            self.assertTrue(primitive(info, name)["chosen-for-writes"])
            self.assertIn("no fault-around", info["stats"]["detail"])
            columns = g.qmp("query-vmheat-regions", columns=True)["columns"]
            self.assertEqual(len(columns["nr-writes"]), len(columns["start"]))
            self.assertTrue(g.intact())


class Choose(unittest.TestCase):
    """What auto takes, and what is said of the others."""

    def test_shared_memory(self):
        with Guest(machine="microvm") as g:
            info = g.qmp("query-vmheat")
            self.assertEqual(info["primitive"], "trap")
            self.assertIn("reads and writes", info["choice"])
            self.assertNotIn("write-primitive", info)
            log = primitive(info, "dirty-log")
            self.assertTrue(log["available"])
            self.assertEqual(log["reason"],
                             "works, but trap sees reads too")
            self.assertFalse(log["sees-reads"])
            self.assertEqual(log["through-migration"], False)  # TCG
            self.assertIn("dirty-ring-size",
                          primitive(info, "dirty-ring")["reason"])
            regions = g.qmp("query-vmheat-regions")["regions"]
            self.assertFalse([r for r in regions if "nr-writes" in r])

    def test_private_memory(self):
        """No trap: the best of what sees writes."""
        with Guest(machine="microvm", shared=False) as g:
            info = g.qmp("query-vmheat")
            self.assertFalse(primitive(info, info["primitive"])["sees-reads"])
            self.assertIn("share=on", primitive(info, "trap")["reason"])
            g.qmp.wait_until("a snapshot", lambda:
                             g.qmp("query-vmheat")["snapshot"] > 2)

    def test_writes_auto(self):
        with Guest(machine="microvm",
                   device="id=heat0,write-primitive=auto") as g:
            info = g.qmp("query-vmheat")
            self.assertFalse(
                primitive(info, info["write-primitive"])["sees-reads"])

    def test_refused(self):
        for device, words in (
                ("primitive=dirty-ring", "start it with -accel"),
                ("primitive=nonsense", "must be one of auto, trap"),
                ("write-primitive=trap", "is the primitive already"),
                ("primitive=dirty-log,write-primitive=trap",
                 "cannot tell writes from reads"),
                ("write-primitive=nonsense", "must be one of auto, none"),
                ("primitive-plugin=/nonexistent.so", "cannot be loaded"),
                ("pagemap=/nonexistent", "pagemap: Could not open"),
        ):
            said = fails_to_start(machine="microvm", device=device)
            self.assertIn(words, said)

    def test_dirty_log_with_rings(self):
        if not have_kvm():
            self.skipTest("no /dev/kvm here")
        said = fails_to_start(machine="microvm", device="primitive=dirty-log",
                              accel="kvm,dirty-ring-size=4096")
        self.assertIn("use primitive dirty-ring", said)

    def test_plugin_is_listed(self):
        example = environment("VMHEAT_EXAMPLE")
        with Guest(machine="microvm",
                   device="id=heat0,primitive-plugin=" + example) as g:
            info = g.qmp("query-vmheat")
            self.assertEqual(info["primitive"], "trap")
            self.assertTrue(primitive(info, "checksum")["available"])


class Grants(unittest.TestCase):
    def test_bad(self):
        with Guest(machine="microvm") as g:
            for arguments, words in (
                    ({}, "nothing to grant"),
                    ({"pagemap": "none"}, "none"),
            ):
                with self.assertRaises(QMPError) as e:
                    g.qmp("vmheat-grant", **arguments)
                self.assertIn(words, str(e.exception))
            g.qmp("vmheat-revoke")
            g.qmp.wait_until("it goes on", lambda:
                             g.qmp("query-vmheat")["snapshot"] > 2)


class Vhost(unittest.TestCase):
    """QEMU hides logged memory from vhost, so there must be no log then."""

    def backend(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        return Backend(os.path.join(directory.name, "vhost.sock"))

    def backend_path(self):
        """Path of the socket of one that stays."""
        backend = self.backend()
        self.addCleanup(backend.close)
        return backend.path

    def connect(self, g, path):
        g.qmp("chardev-add", id="vhost", backend={
            "type": "socket", "data": {"server": False, "addr": {
                "type": "unix", "data": {"path": path}}}})

    def plug(self, g):
        self.connect(g, self.backend_path())
        g.qmp("device_add", driver="vhost-user-rng-pci", id="rng0",
              chardev="vhost")

    def assert_refused(self, g):
        with self.assertRaises(QMPError) as e:
            g.qmp("device_add", driver="vmheat", id="heat0",
                  primitive="dirty-log")
        self.assertIn("vhost device is in use", str(e.exception))

    def test_plugged_in_while_logging(self):
        with Guest(machine="pc", device="id=heat0,primitive=dirty-log") as g:
            g.qmp.wait_until("a snapshot", lambda:
                             g.qmp("query-vmheat")["snapshot"] > 2)
            self.plug(g)
            event = g.qmp.wait_event("VMHEAT_STATE_CHANGED",
                                     lambda d: d["state"] == "failed")
            self.assertIn("vhost device is in use", event["data"]["reason"])
            info = g.qmp("query-vmheat")
            self.assertFalse(primitive(info, "dirty-log")["available"])

    def test_falls_back(self):
        """Writes are told apart no more, the rest goes on."""
        with Guest(machine="pc",
                   device="id=heat0,write-primitive=dirty-log") as g:
            g.qmp.wait_until("a snapshot", lambda:
                             g.qmp("query-vmheat")["snapshot"] > 2)
            self.plug(g)
            g.qmp.wait_until("writes are given up", lambda:
                             "write-primitive" not in g.qmp("query-vmheat"))
            info = g.qmp("query-vmheat")
            self.assertIn("vhost", info["write-reason"])
            self.assertEqual(info["state"], "running")
            last = info["snapshot"]
            g.qmp.wait_until("it goes on", lambda: g.qmp(
                "query-vmheat")["snapshot"] > last + 1)

    def test_was_there_before(self):
        with Guest(machine="pc", device=None, args=[
                "-chardev", "socket,id=rng,path=" + self.backend_path(),
                "-device", "vhost-user-rng-pci,chardev=rng"]) as g:
            self.assert_refused(g)
            g.qmp("device_add", driver="vmheat", id="heat0")
            self.assertEqual(g.qmp("query-vmheat")["primitive"], "trap")

    def test_disconnected(self):
        """When it comes back it would find that it may see no memory."""
        with Guest(machine="pc", device=None) as g:
            backend = self.backend()
            self.connect(g, backend.path)
            g.qmp("device_add", driver="vhost-user-blk-pci", id="blk0",
                  chardev="vhost")
            backend.disconnect()
            g.qmp.wait_until("it is gone", lambda: any(
                c["label"] == "vhost" and "disconnected" in c["filename"]
                for c in g.qmp("query-chardev")))
            self.assert_refused(g)


if __name__ == "__main__":
    unittest.main(verbosity=2)
