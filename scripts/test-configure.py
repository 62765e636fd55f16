#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""./configure refuses what it cannot build for, with one sentence each."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Configure(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory()
        self.addCleanup(self.tmp.cleanup)

    def path(self, name):
        return os.path.join(self.tmp.name, name)

    def refused(self, *args):
        run = subprocess.run(
            [os.path.join(ROOT, "configure"),
             "--builddir=" + self.path("build"), *args],
            capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        self.assertTrue(run.stderr.startswith("configure: "), run.stderr)
        self.assertEqual(run.stderr.count("\n"), 1, run.stderr)
        self.assertFalse(os.path.exists(self.path("build/build.ninja")))
        return run.stderr

    def program(self, version_line):
        """A compiled program that answers --version and exports nothing."""
        source = self.path("fake.c")
        with open(source, "w", encoding="utf-8") as f:
            f.write("#include <stdio.h>\nint main(void) { puts(\"%s\"); "
                    "return 0; }\n" % version_line)
        subprocess.run(["cc", "-o", self.path("qemu"), source], check=True)
        return self.path("qemu")

    def test_unknown_option(self):
        self.assertIn("unknown option '--fast'", self.refused("--fast"))

    def test_no_such_file(self):
        self.assertIn("'/nonexistent/qemu' is not a program",
                      self.refused("--qemu=/nonexistent/qemu"))

    def test_not_qemu(self):
        self.assertIn("does not answer --version",
                      self.refused("--qemu=" + self.program("hello")))

    def test_unsupported_version(self):
        error = self.refused("--qemu=" + self.program(
            "QEMU emulator version 5.2.0 (Debian 1:5.2)"))
        self.assertIn("found QEMU 5.2.0", error)
        self.assertIn("it works with QEMU 7.2 10.0", error)

    def test_unsupported_all_the_same(self):
        """The version is let through, what cannot work is not."""
        error = self.refused("--unsupported", "--qemu=" + self.program(
            "QEMU emulator version 5.2.0 (Debian 1:5.2)"))
        self.assertIn("(QEMU 5.2.0) exports no symbols", error)

    def test_no_exports(self):
        error = self.refused("--qemu=" + self.program(
            "QEMU emulator version 7.2.22 (Debian 1:7.2)"))
        self.assertIn("exports no symbols", error)

    def test_microvm(self):
        microvm = "/usr/bin/qemu-system-x86_64-microvm"
        if not os.path.exists(microvm):
            self.skipTest("there is no " + microvm)
        self.assertIn("exports no symbols to plugins",
                      self.refused("--qemu=" + microvm))

    def test_headers(self):
        qemu = os.environ.get("VMHEAT_QEMU")
        if not qemu:
            self.skipTest("VMHEAT_QEMU is not set")
        self.assertIn("is no directory", self.refused(
            "--qemu=" + qemu, "--qemu-headers=/nonexistent"))
        os.makedirs(self.path("headers/gen"))
        for name, text in (("version", "7.2.99\n"),
                           ("gen/config-host.h", "")):
            with open(self.path("headers/" + name), "w",
                      encoding="utf-8") as f:
                f.write(text)
        error = self.refused("--qemu=" + qemu,
                             "--qemu-headers=" + self.path("headers"))
        self.assertIn("the headers are of QEMU 7.2.99", error)
        self.assertIn("they must be the same", error)

    def test_print_headers(self):
        qemu = os.environ.get("VMHEAT_QEMU")
        if not qemu:
            self.skipTest("VMHEAT_QEMU is not set")
        version = subprocess.run([qemu, "--version"], capture_output=True,
                                 text=True, check=True).stdout.split()[3]
        os.makedirs(self.path("headers/gen"))
        for name, text in (("version", version + "\n"),
                           ("gen/config-host.h", "")):
            with open(self.path("headers/" + name), "w",
                      encoding="utf-8") as f:
                f.write(text)
        run = subprocess.run(
            [os.path.join(ROOT, "configure"), "--print-headers", "--offline",
             "--qemu=" + qemu, "--builddir=" + self.path("build"),
             "--qemu-headers=" + self.path("headers")],
            capture_output=True, text=True, timeout=60)
        self.assertEqual((run.returncode, run.stdout, run.stderr),
                         (0, self.path("headers") + "\n", ""))
        self.assertFalse(os.path.exists(self.path("build/build.ninja")))
        self.assertIn("does not go with --disable-plugin", self.refused(
            "--print-headers", "--disable-plugin"))

    def test_offline(self):
        qemu = os.environ.get("VMHEAT_QEMU")
        if not qemu or not shutil.which("dpkg"):
            self.skipTest("VMHEAT_QEMU is not set, or there is no dpkg")
        # A copy of the script knows another .cache, which is empty.
        shutil.copy(os.path.join(ROOT, "configure"), self.path("configure"))
        run = subprocess.run(
            [self.path("configure"), "--offline", "--qemu=" + qemu],
            capture_output=True, text=True, timeout=60)
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertRegex(run.stderr, r"the headers of \S+=\S+ are not in "
                         + re.escape(self.path(".cache/")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
