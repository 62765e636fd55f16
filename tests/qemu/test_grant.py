# SPDX-License-Identifier: GPL-2.0-or-later
"""vmheat grant against a real QEMU, as root and not."""

import os
import subprocess
import tempfile
import unittest

from guest import Guest, environment, fails_to_start

CLI = environment("VMHEAT_CLI")
BAD_QMP = 3   # exit status: QEMU answered with an error
BAD_HOST = 6  # something is wrong with this host


def primitive(g, name):
    return next(p for p in g.qmp("query-vmheat")["primitives"]
                if p["name"] == name)


class Grant(unittest.TestCase):
    def setUp(self):
        if os.geteuid():
            self.skipTest("needs root")
        # a QMP socket serves one client: the test has the other one
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        os.chmod(directory.name, 0o755)
        self.socket = os.path.join(directory.name, "qmp")

    def guest(self, **kwargs):
        return Guest(machine="microvm", args=[
            "-qmp", f"unix:{self.socket},server=on,wait=off"], **kwargs)

    def run_cli(self, *arguments, user=None):
        done = subprocess.run(
            [CLI, "grant", "-s", self.socket, *arguments], text=True,
            capture_output=True, timeout=30, check=False, user=user,
            extra_groups=[] if user else None)
        return done.returncode, done.stdout, done.stderr

    def test_wrong_file(self):
        """What is no bitmap is refused, and pagemap is not kept either."""
        with self.guest() as g:
            reason = primitive(g, "idle-page")["reason"]
            self.assertIn("vmheat grant", reason)
            code, out, err = self.run_cli("--page-idle", "/dev/null")
            self.assertEqual((code, out), (BAD_QMP, ""))
            self.assertIn("is not /sys/kernel/mm/page_idle/bitmap", err)
            self.assertEqual(primitive(g, "idle-page")["reason"], reason)
            last = g.qmp("query-vmheat")["snapshot"]
            g.qmp.wait_until("it goes on", lambda: g.qmp(
                "query-vmheat")["snapshot"] > last + 1)

    def test_revoke(self):
        with self.guest():
            code, out, err = self.run_cli("--revoke")
            self.assertEqual((code, err), (0, ""))
            self.assertIn("trap", out)

    def test_wrong_property(self):
        said = fails_to_start(machine="microvm", device="pagemap=/dev/null")
        self.assertIn("is not the pagemap of this QEMU", said)

    def test_no_bitmap(self):
        with self.guest() as g:
            code, out, err = self.run_cli("--page-idle", "/nonexistent")
            self.assertEqual((code, out), (BAD_HOST, ""))
            self.assertIn("CONFIG_IDLE_PAGE_TRACKING", err)
            self.assertEqual(g.qmp("query-vmheat")["primitive"], "trap")

    def test_waits(self):
        """Asked for by name, it says what it needs until it is granted."""
        with self.guest(device="id=heat0,primitive=idle-page") as g:
            g.qmp.wait_until("it waits", lambda: g.qmp(
                "query-vmheat")["state"] == "failed")
            info = g.qmp("query-vmheat")
            self.assertIn("run 'vmheat grant' as root", info["reason"])
            self.assertEqual(info["primitive"], "idle-page")

    def test_other_process(self):
        with self.guest() as g:
            code, _, err = self.run_cli("--pid", "1", "--page-idle",
                                        "/dev/null")
            self.assertEqual(code, BAD_HOST)
            self.assertIn(f"process {g.process.pid}", err)

    def test_not_root(self):
        with self.guest() as g:
            os.chmod(self.socket, 0o777)
            code, _, err = self.run_cli("--page-idle", "/dev/null",
                                        user=65534)
            self.assertEqual(code, BAD_HOST)
            self.assertIn("run 'vmheat grant' as root", err)
            # closed again, not kept by QEMU
            self.assertIn("vmheat grant", primitive(g, "idle-page")["reason"])

    def test_no_device(self):
        with self.guest(device=None):
            code, _, err = self.run_cli("--page-idle", "/dev/null")
            self.assertNotEqual(code, 0)
            self.assertIn("there is no vmheat device", err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
