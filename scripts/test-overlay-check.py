#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/overlay-check where it gets nothing, and its steps on small folders.

usage: test-overlay-check.py BUILD_FOLDER
"""

import importlib.machinery
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().with_name("overlay-check")
BUILD = sys.argv.pop(1) if len(sys.argv) > 1 else "build"


def module():
    loader = importlib.machinery.SourceFileLoader("overlay_check", str(SCRIPT))
    found = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("overlay_check", loader))
    loader.exec_module(found)
    return found


class Arguments(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="vmheat-overlay-check-")
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name)

    def run_it(self, *args, **env):
        done = subprocess.run([SCRIPT, *args], capture_output=True, text=True,
                              env={**os.environ, **env}, timeout=60,
                              check=False)
        return done.returncode, done.stdout, done.stderr

    def test_refused(self):
        for args, why in (
                (["9.0"], "'9.0' is no QEMU that vmheat is built into; these "
                          "are 7.2 10.0"),
                (["--fast"], "unrecognized arguments: --fast"),
                (["--jobs=0"], "--jobs must be 1 or more"),
                (["--jobs=x"], "invalid int value: 'x'"),
                (["--builddir=/nonexistent"],
                 "'/nonexistent' is not configured; run ./configure first")):
            code, out, err = self.run_it(*args)
            self.assertEqual((code, out), (1, ""), args)
            self.assertIn(why, err)
            self.assertEqual(err.count("\n"), 1, err)

    def test_help(self):
        code, out, err = self.run_it("--help")
        self.assertEqual((code, err), (0, ""))
        for word in ("--builddir", "--cache", "--jobs", "Exit status"):
            self.assertIn(word, out)

    def test_no_mirror(self):
        config = self.dir / "apt.conf"
        config.write_text('Dir::Etc::sourcelist "/dev/null";\n'
                          'Dir::Etc::sourceparts "/dev/null";\n')
        code, out, err = self.run_it(f"--builddir={BUILD}",
                                     f"--cache={self.dir}", "7.2",
                                     APT_CONFIG=str(config))
        self.assertEqual((code, err), (77, ""), out)
        self.assertIn("SKIP: apt knows no mirror of Debian", out)


class Steps(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="vmheat-overlay-check-")
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name)
        self.it = module()
        self.check = self.it.Check("7.2", self.dir, self.dir / "ours", 1)

    def test_what_differs(self):
        """A byte, a file more, a file less, where a link leads."""
        src = self.dir / "src"
        (src / "a").mkdir(parents=True)
        for name in ("a/byte", "a/less", "a/same"):
            (src / name).write_text("1")
        (src / "link").symlink_to("a/same")
        (src / "folder").symlink_to("a")
        before = self.it.sums(src)
        self.assertEqual(self.it.differences(before, self.it.sums(src)), [])
        (src / "a/byte").write_text("2")
        (src / "a/less").unlink()
        (src / "a/more").write_text("1")
        (src / "folder").unlink()
        (src / "folder").symlink_to(".")
        self.assertEqual(self.it.differences(before, self.it.sums(src)),
                         ["a/byte", "a/less", "a/more", "folder"])

    def test_failed_step(self):
        """Is a row, and nothing is built on it."""
        self.check.source = lambda log: self.check.run(log, "false")
        self.check.tools = self.fail
        self.check.all()
        (version, name, result, _, why), = self.check.rows
        self.assertEqual((version, name, result), ("7.2", "source", "FAILED"))
        self.assertIn("exit status 1, see", why)
        self.assertIn("log/source", why)

    def test_sweep_without_tests(self):
        """A sweep that ran nothing proves nothing."""
        self.check.run = lambda *args, **more: None
        self.assertFalse(self.check.step("qom-test", self.check.sweep,
                                         "qom-test"))
        self.assertEqual(self.check.rows[0][4], "no test ran")

    def test_suite_without_log(self):
        """Nor does our suite, of which there is no log."""
        self.check.run = lambda *args, **more: None
        self.it.qemu_tests = lambda builddir: ["load"]
        self.assertFalse(self.check.step("suite-qemu", self.check.suite))
        self.assertEqual(self.check.rows[0][4], "no test ran")

    def test_meson_of_another_debian(self):
        """Is what QEMU is built with; our own build does not see it."""
        seen = {}
        self.check.build_env = {"PYTHONPATH": "theirs"}
        self.check.run = lambda log, *command, env=None, **more: \
            seen.update({command[5]: env})
        self.check.make(None, "qemu-system-x86_64")
        self.check.ninja(None, "ours")
        self.assertEqual(seen, {self.check.build: {"PYTHONPATH": "theirs"},
                                "ours": None})


if __name__ == "__main__":
    unittest.main()
