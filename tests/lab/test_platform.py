# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs of tests/platform on this kernel, and on real nested paging."""

import glob
import os
import re
import subprocess

import lab

KERNELS = ("cloud", "idle")
SKIP = 77


class Platform(lab.Case):
    def check(self, path):
        done = subprocess.run([path], stdout=subprocess.PIPE, check=False,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode == SKIP:
            reason = re.search(r"^(?:skipped:|.*# SKIP) (.*)", done.stdout, re.M)
            self.skipTest(reason[1] if reason else "no reason given")
        self.assertEqual(done.returncode, 0, done.stdout)


def add_programs():
    for path in sorted(glob.glob("/lab/platform/*")):
        name = "test_" + os.path.basename(path).removeprefix("test-")
        setattr(Platform, name, lambda self, path=path: self.check(path))


add_programs()
