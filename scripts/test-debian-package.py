#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/debian-package where it gets nothing; tests/damo has it get something."""

import os
import subprocess
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "debian-package")


class Package(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="vmheat-package-")
        self.addCleanup(self.folder.cleanup)
        self.out = os.path.join(self.folder.name, "out")

    def run_it(self, *args, **env):
        done = subprocess.run([SCRIPT, *args], capture_output=True, text=True,
                              env={**os.environ, **env}, timeout=60,
                              check=False)
        return done.returncode, done.stdout, done.stderr

    def test_refused(self):
        for args, why in (
                (("tri xie", "damo", self.out), "are no names"),
                (("trixie", "da/mo", self.out), "are no names"),
                (("--max=0", "trixie", "damo", self.out), "unknown option"),
                (("--what", "trixie", "damo", self.out), "unknown option"),
                (("trixie", "damo"), "usage:")):
            code, out, err = self.run_it(*args)
            self.assertEqual((code, out), (1, ""), args)
            self.assertIn(why, err)
        self.assertEqual(os.listdir(self.folder.name), [])

    def test_no_mirror(self):
        config = os.path.join(self.folder.name, "apt.conf")
        with open(config, "w", encoding="ascii") as f:
            f.write('Dir::Etc::sourcelist "/dev/null";\n'
                    'Dir::Etc::sourceparts "/dev/null";\n')
        for options in ([], ["--source"]):
            code, out, err = self.run_it(*options, "trixie", "damo", self.out,
                                         APT_CONFIG=config)
            self.assertEqual((code, err), (77, ""))
            self.assertTrue(out.startswith("SKIP: "), out)
        self.assertEqual(os.listdir(self.folder.name), ["apt.conf"])

    def test_there(self):
        """What is there already is not fetched again, and needs no apt."""
        os.mkdir(self.out)
        with open(os.path.join(self.out, "version"), "w",
                  encoding="ascii") as f:
            f.write("1\n")
        self.assertEqual(self.run_it("trixie", "damo", self.out,
                                     APT_CONFIG="/none"), (0, "", ""))


if __name__ == "__main__":
    unittest.main()
