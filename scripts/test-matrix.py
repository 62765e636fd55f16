#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/matrix where it starts nothing, and what matrix-run calls a refusal.

Chroots and the tests in them are not made here.
"""

import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run(script, *args):
    done = subprocess.run([ROOT / "scripts" / script, *args], text=True,
                          capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


class Options(unittest.TestCase):
    def test_refused(self):
        for args, why in (
                (["--fast"], "unknown option '--fast'"),
                (["trixie"], "unknown option 'trixie'"),
                (["--suite="], "unknown option '--suite='"),
                (["--suite=buster"],
                 "'buster' is none of the suites bookworm trixie sid"),
                (["--suite=bookworm trixie"], "is none of the suites"),
                (["--slower=0"], "from 1 to 99"),
                (["--slower=x"], "from 1 to 99"),
                (["--quick", "--suite=sid"], "without --suite")):
            code, out, err = run("matrix", *args)
            self.assertEqual((code, out), (1, ""), args)
            self.assertTrue(err.startswith("matrix: "), err)
            self.assertIn(why, err)
            self.assertEqual(err.count("\n"), 1, err)

    def test_help(self):
        """It has all options that the script takes."""
        code, out, err = run("matrix", "--help")
        self.assertEqual((code, err), (0, ""))
        text = (ROOT / "scripts" / "matrix").read_text(encoding="utf-8")
        options = set(re.findall(r"^    (--[a-z]+)[)=]", text, re.M))
        self.assertGreater(len(options), 3)
        for option in options:
            self.assertIn("\n  " + option, out)

    def test_suites(self):
        """They are as many as ./configure supports versions of QEMU."""
        text = (ROOT / "scripts" / "matrix").read_text(encoding="utf-8")
        suites = re.search(r'^supported="(.*?)"', text, re.M).group(1)
        text = (ROOT / "configure").read_text(encoding="utf-8")
        versions = re.search(r'^supported="(.*?)"', text, re.M).group(1)
        self.assertEqual(len(suites.split()), len(versions.split()))

    def test_verb(self):
        code, out, err = run("matrix-run", "fly")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("'fly' is none of its verbs", err)


class Refuses(unittest.TestCase):
    """Programs that do what a QEMU with a wrong plugin may do."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="vmheat-matrix-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.plugin = self.folder / "vmheat.so"
        self.plugin.touch()

    def refuses(self, script):
        qemu = self.folder / "qemu"
        qemu.write_text("#!/bin/sh\n" + script, encoding="utf-8")
        qemu.chmod(0o755)
        return run("matrix-run", "refuses", str(qemu), str(self.plugin))

    def test_one_line(self):
        self.assertEqual(
            self.refuses('echo QMP; echo "no plugin for 1.2" >&2; exit 1\n'),
            (0, "no plugin for 1.2\n", ""))

    def test_all_else(self):
        for script, why in (
                ("exit 0\n", "was not refused"),
                ("echo plugin >&2; kill -SEGV $$\n", "ended with status 139"),
                ("echo plugin >&2; kill -ABRT $$\n", "ended with status 134"),
                ("(echo plugin; echo backtrace) >&2; exit 1\n", "more than a line"),
                ("echo no memory >&2; exit 1\n", "does not say why: no memory"),
                ("exit 1\n", "does not say why")):
            code, out, err = self.refuses(script)
            self.assertEqual((code, out), (1, ""), script)
            self.assertIn(why, err, script)

    def test_no_plugin(self):
        self.plugin.unlink()
        code, _, err = self.refuses('echo "no plugin" >&2; exit 1\n')
        self.assertEqual(code, 1)
        self.assertIn("there is no " + str(self.plugin), err)


if __name__ == "__main__":
    unittest.main()
