# SPDX-License-Identifier: GPL-2.0-or-later
"""vmheat record of a real guest, and what comes out of the file again."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

import record_file as rf
from guest import environment, have_kvm
from payload_guest import MB, PayloadGuest, one_hot_range
from qmp import QMPError

CLI = environment("VMHEAT_CLI")
SIZE = 128 * MB
ROUNDED = {"rate", "rate-low", "rate-high", "write-rate", "idle-ms"}


class Record(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="vmheat-record-")
        self.addCleanup(shutil.rmtree, self.dir)
        self.socket = os.path.join(self.dir, "vm.qmp")
        self.path = os.path.join(self.dir, "vmheat.data")

    def guest(self, properties=""):
        accel = {"accel": "kvm", "machine": "microvm"} if have_kvm() else {}
        return PayloadGuest(
            size=SIZE, **accel, device="id=heat0,aggregation-interval=100000,"
            "sampling-interval=20000,update-interval=1000000" + properties,
            args=["-qmp", f"unix:{self.socket},server=on,wait=off"])

    def run_cli(self, *args, code=0):
        done = subprocess.run([CLI, *args], cwd=self.dir, text=True,
                              capture_output=True, timeout=120, check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertNotIn("Sanitizer", done.stderr)
        return done.stdout

    def start(self, *args):
        p = subprocess.Popen(
            [CLI, "record", "-s", self.socket, "-o", self.path, *args],
            stderr=subprocess.PIPE, text=True)
        self.addCleanup(p.kill)
        return p

    def snapshots(self):
        text = self.run_cli("report", "access", "-i", self.path, "--snapshot",
                            "all", "--json")
        return [json.loads(line) for line in text.splitlines()]

    def written(self):
        """Blocks of snapshots that are in the file by now."""
        if not os.path.exists(self.path) or not os.path.getsize(self.path):
            return []
        return rf.of_type(rf.read(self.path), rf.SNAPSHOTS)

    def recorded(self, g, p):
        """Until the recorder is at work, and ten snapshots more."""
        g.qmp.wait_until("a block", lambda: p.poll() is None and self.written())
        first = g.qmp("query-vmheat")["snapshot"]
        g.qmp.wait_until("snapshots", lambda: p.poll() is None and g.qmp(
            "query-vmheat")["snapshot"] > first + 10)

    def check_same(self, got, want):
        """Rates and idle times are rounded, all else is as QMP has it."""
        self.assertEqual(len(got["regions"]), len(want["regions"]))
        for a, b in zip(got["regions"], want["regions"]):
            self.assertEqual(set(a), set(b))
            for name in b:
                if name in ROUNDED:
                    self.assertAlmostEqual(a[name], b[name], msg=name,
                                           delta=b[name] * 0.02 + 2)
                else:
                    self.assertEqual(a[name], b[name], name)

    def check_record(self, properties):
        with self.guest(properties) as g:
            g.payload.start([one_hot_range(SIZE, share=0.25)])
            g.qmp.wait_until("a snapshot", lambda: g.qmp(
                "query-vmheat")["snapshot"])
            p = self.start()
            self.recorded(g, p)
            g.pause()
            last = g.qmp("query-vmheat-regions")
            g.qmp.wait_until("the last snapshot", lambda: last["end-time"] in [
                b.last for b in self.written()])
            p.send_signal(signal.SIGINT)
            self.assertEqual(p.wait(60), 0, p.stderr.read())
            p.stderr.close()
        got = self.snapshots()
        numbers = [s["sequence"] for s in got]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertGreater(len(got), 5)
        self.assertEqual(numbers[-1], last["sequence"])
        self.check_same(got[-1], last)
        events = [e.json() for e in rf.of_type(rf.read(self.path), rf.EVENT)]
        self.assertIn(("VMHEAT_STATE_CHANGED", "paused"),
                      [(e["event"], e["data"].get("state")) for e in events])

    def test_exposure(self):
        self.check_record("")

    def test_writes(self):
        self.check_record(",write-primitive=dirty-log")

    def test_classic(self):
        self.check_record(",estimator=classic")

    def test_qemu_is_killed(self):
        with self.guest() as g:
            g.payload.start([one_hot_range(SIZE, share=0.25)])
            g.qmp.wait_until("a snapshot", lambda: g.qmp(
                "query-vmheat")["snapshot"])
            p = self.start()
            self.recorded(g, p)
            g.process.kill()
            self.assertEqual(p.wait(60), 2)
            self.assertIn("has ended", p.stderr.read())
            p.stderr.close()
        self.assertEqual(rf.read(self.path)[-1].type, rf.END)
        self.assertGreater(len(self.snapshots()), 5)

    def there(self, g):
        try:
            return g.qmp("query-vmheat")
        except QMPError:
            return None

    def test_without_the_device(self):
        with self.guest() as g:
            g.qmp("device_del", id="heat0")
            g.qmp.wait_until("no device", lambda: not self.there(g))
            self.run_cli("record", "-s", self.socket, code=3)
        self.assertFalse(os.path.exists(os.path.join(self.dir,
                                                     "vmheat.data")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
