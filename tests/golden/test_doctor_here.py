#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmheat doctor with the real programs, and that it knows them all.

VMHEAT_CLI names the binary, in its build directory; VMHEAT_PROGRAMS lists what
tests/platform/meson.build builds.
"""

import json
import os
import subprocess
import unittest

CLI = os.path.abspath(os.environ["VMHEAT_CLI"])
BUILT = os.environ["VMHEAT_PROGRAMS"].split()
FOLDER = os.path.join(os.path.dirname(CLI), "tests", "platform")


def doctor():
    env = {k: v for k, v in os.environ.items() if k != "VMHEAT_SOCKET"}
    # elsewhere: it finds its programs by itself
    done = subprocess.run([CLI, "doctor", "--json", "-t", "30"], cwd="/",
                          env=env, capture_output=True, text=True, timeout=110,
                          check=False)
    return done.returncode, done.stderr, json.loads(done.stdout)


class Here(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.code, cls.stderr, cls.reply = doctor()
        cls.checks = cls.reply["checks"]

    def test_table(self):
        """Each program has one row, and each row its program."""
        self.assertEqual(sorted(c["program"] for c in self.checks),
                         sorted(BUILT))
        for check in self.checks:
            self.assertLessEqual(len(check["what"]), 45, check)
            self.assertTrue(check["needed-by"] or check["used-by"], check)

    def test_programs(self):
        self.assertEqual(os.path.realpath(self.reply["programs"]),
                         os.path.realpath(FOLDER))
        for check in self.checks:
            self.assertIn(check["state"], ("works", "cannot"), check)
            self.assertTrue(check["seen"], check)

    def test_one_line(self):
        """A program says one line and maybe fix: and needs:, no more."""
        for name in BUILT:
            done = subprocess.run([os.path.join(FOLDER, name)], timeout=30,
                                  capture_output=True, text=True, check=False)
            lines = done.stdout.splitlines()
            self.assertEqual(done.stderr, "", name)
            self.assertEqual(lines[0].startswith("skipped: "),
                             done.returncode == 77, lines)
            self.assertEqual([x for x in lines[1:] if not x.startswith(
                ("fix: ", "needs: privilege"))], [], name)

    def test_verdict(self):
        """On Linux with shared memory the trap can always run."""
        self.assertEqual((self.code, self.stderr), (0, ""))
        usable = {p["name"]: p["usable"] for p in self.reply["primitives"]}
        self.assertEqual(usable["trap"], "yes")
        state = {c["program"]: c["state"] for c in self.checks}
        self.assertEqual(usable["dirty-ring"] == "yes",
                         state["kvm-dirty-ring"] == "works")


if __name__ == "__main__":
    unittest.main()
