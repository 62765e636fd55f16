# SPDX-License-Identifier: GPL-2.0-or-later
"""vmheat grant --damon between a real QEMU and a folder that looks like DAMON.

The kernel's own DAMON is for the lab: this machine may be using it.
"""

import os
import signal
import subprocess
import tempfile
import unittest

from fake_damon import CONTEXT, FakeDamon, SCHEME, TARGET
from guest import Guest, environment, fails_to_start

CLI = environment("VMHEAT_CLI")
OK, BAD_HOST = 0, 6


class Damon(unittest.TestCase):
    def setUp(self):
        if os.geteuid():
            self.skipTest("needs root")
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.dir = directory.name
        self.socket = os.path.join(self.dir, "qmp")
        self.damon = FakeDamon(os.path.join(self.dir, "admin"))

    def guest(self, primitive):
        return Guest(machine="microvm", size=64 << 20, shared=False,
                     device="id=heat0,primitive=" + primitive,
                     args=["-qmp", f"unix:{self.socket},server=on,wait=off"])

    def grant(self, *arguments):
        helper = subprocess.Popen(
            [CLI, "grant", "-s", self.socket, "--damon", "--no-idle-page",
             "--damon-root", self.damon.root, "--damon-owner",
             os.path.join(self.dir, "owner"), "--damon-cpu", "100",
             *arguments], text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self.addCleanup(self.finish, helper)
        return helper

    @staticmethod
    def finish(helper):
        helper.kill()
        helper.communicate()

    def ends(self, helper, code, *words):
        out, err = helper.communicate(timeout=60)
        self.assertEqual(helper.returncode, code, err)
        for word in words:
            self.assertIn(word, out + err)

    def revoke(self):
        subprocess.run([CLI, "grant", "-s", self.socket, "--revoke"],
                       check=True, capture_output=True, timeout=60)

    def running(self, g):
        """DAMON watches, and its regions come in."""
        g.qmp.wait_until("damon is in use", lambda: g.qmp(
            "query-vmheat")["primitive"] == "damon")
        g.qmp.wait_until("DAMON watches", self.damon.watched)
        last = g.qmp("query-vmheat")["snapshot"]
        g.qmp.wait_until("snapshots", lambda: g.qmp(
            "query-vmheat")["snapshot"] > last + 1)
        self.assertEqual(g.qmp("query-vmheat")["state"], "running")

    def report(self):
        """The first half of the largest range is hot, the rest is not."""
        start, end = max(self.damon.watched(), key=lambda r: r[1] - r[0])
        middle = start + (end - start) // 2
        self.damon.find(0, start, middle, 20, 3)
        self.damon.find(1, middle, end, 0, 9)
        return middle - start, end - middle

    def test_waits_for_its_grant(self):
        """Asked for by name it says what it needs, and begins when granted."""
        with self.guest("damon") as g:
            g.qmp.wait_until("it waits", lambda: g.qmp(
                "query-vmheat")["state"] == "failed")
            self.assertIn("run 'vmheat grant --damon", g.qmp(
                "query-vmheat")["reason"])
            helper = self.grant()
            self.running(g)
            self.assertEqual(self.damon.read(f"{TARGET}/pid_target"),
                             str(g.process.pid))
            self.assertEqual(self.damon.read(f"{CONTEXT}/operations"),
                             "fvaddr")
            hot, cold = self.report()
            g.qmp.wait_until("the regions come in", lambda: [
                (r["end"] - r["start"], r["nr-accesses"] > 0, r["age"])
                for r in g.qmp("query-vmheat-regions")["regions"]] ==
                [(hot, True, 3), (cold, False, 9)])
            self.revoke()
            self.ends(helper, OK, "given back")
            self.assertFalse(self.damon.running())
            g.qmp.wait_until("it waits again", lambda: g.qmp(
                "query-vmheat")["state"] == "failed")

    def test_granted_while_paused(self):
        """What it waited for is there, so it is not failed any more."""
        with self.guest("damon") as g:
            g.qmp.wait_until("it waits", lambda: g.qmp(
                "query-vmheat")["state"] == "failed")
            g.qmp("vmheat-pause")
            self.grant()
            g.qmp.wait_until("it is paused", lambda: g.qmp(
                "query-vmheat")["state"] == "paused")
            self.assertFalse(self.damon.running())
            g.qmp("vmheat-resume")
            self.running(g)

    def test_no_writes_beside_it(self):
        """A second primitive would only cost: these regions are DAMON's."""
        with self.guest("auto,write-primitive=auto") as g:
            self.assertIn("write-primitive", g.qmp("query-vmheat"))
            self.grant()
            self.running(g)
            info = g.qmp("query-vmheat")
            self.assertNotIn("write-primitive", info)
            self.assertIn("regions of its own", info["write-reason"])
        said = fails_to_start(machine="microvm",
                              device="primitive=damon,write-primitive=dirty-log")
        self.assertIn("is of no use beside primitive 'damon'", said)

    def test_helper_killed(self):
        """auto falls back; the next helper cleans up what the dead one left."""
        with self.guest("auto") as g:
            before = g.qmp("query-vmheat")["primitive"]
            helper = self.grant()
            self.running(g)
            helper.send_signal(signal.SIGKILL)
            self.ends(helper, -signal.SIGKILL)
            g.qmp.wait_until("fallback", lambda: g.qmp(
                "query-vmheat")["primitive"] == before)
            self.assertTrue(self.damon.running())
            second = self.grant()
            self.running(g)
        self.ends(second, OK, "given back")
        self.assertFalse(self.damon.running())

    def test_other_owner(self):
        """Somebody else sets DAMON up anew: it is theirs, and left alone."""
        with self.guest("auto") as g:
            before = g.qmp("query-vmheat")["primitive"]
            helper = self.grant()
            self.running(g)
            self.damon.write(f"{SCHEME}/watermarks/interval_us", 5)
            event = g.qmp.wait_event("VMHEAT_PRIMITIVE_CHANGED", lambda d:
                                     d["primitive"] == before and
                                     "cannot go on" in d["reason"])
            self.assertIn("DAMON", event["data"]["reason"])
            self.ends(helper, BAD_HOST)
            self.assertTrue(self.damon.running())
            self.assertEqual(self.damon.read(
                f"{SCHEME}/watermarks/interval_us"), "5")

    def test_pause(self):
        """While vmheat is paused the kernel does not watch for it."""
        with self.guest("auto") as g:
            self.grant()
            self.running(g)
            g.qmp("vmheat-pause")
            g.qmp.wait_until("DAMON is given back", lambda:
                             not self.damon.running())
            g.qmp("vmheat-resume")
            self.running(g)


if __name__ == "__main__":
    unittest.main(verbosity=2)
