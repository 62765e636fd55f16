#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of check-summary.py: it must not lose a failure or a skip."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "check-summary.py")

UNITTEST = """\
test_a (test_load.Load.test_a) ... ok
test_b (test_load.Load) ... skipped 'no KVM here'
test_c (test_load.Load.test_c)
With a first line of its description. ... skipped "can't"

----------------------------------------------------------------------
Ran 3 tests in 0.1s

OK (skipped=2)
"""
TAP = """\
1..3
ok 1 /region/split
ok 2 /region/merge # SKIP no time
not ok 3 /region/cut
"""


FAILED = """\
======================================================================
FAIL: test_d (test_load.Load.test_d)
With a first line of its description.
----------------------------------------------------------------------
Traceback (most recent call last):
  File "test_load.py", line 1, in test_d
AssertionError: 1 != 2 : why

======================================================================
ERROR: test_e (test_load.Load.test_e)
----------------------------------------------------------------------
KeyError: 'x'
"""
AGAIN = os.path.join(os.path.dirname(PROGRAM), "check-again.py")


def summary(*suites):
    """Run the program on lists of tests; (status, output)."""
    with tempfile.TemporaryDirectory() as folder:
        args = []
        for i, tests in enumerate(suites):
            path = os.path.join(folder, str(i))
            if tests is not None:
                with open(path, "w", encoding="utf-8") as f:
                    f.writelines(json.dumps(t) + "\n" for t in tests)
            args.append(f"suite{i}={path}")
        run = subprocess.run([sys.executable, PROGRAM] + args, check=False,
                             capture_output=True, text=True)
        return run.returncode, run.stdout + run.stderr


def again(*tests):
    """Which of them may be run again; None: not this log's."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as f:
        f.writelines(json.dumps(t) + "\n" for t in tests)
        f.flush()
        run = subprocess.run([sys.executable, AGAIN, f.name], check=False,
                             capture_output=True, text=True)
    return None if run.returncode else run.stdout.split()


def result(name, what, stdout="", stderr=""):
    return {"name": name, "result": what, "stdout": stdout, "stderr": stderr,
            "duration": 0.5}


class Summary(unittest.TestCase):
    def test_counts(self):
        status, text = summary(
            [result("a", "OK", TAP), result("b", "OK", stderr=UNITTEST),
             result("c", "FAIL"), result("d", "TIMEOUT"),
             result("e", "SKIP", "SKIP: no /dev/kvm\n")])
        self.assertEqual(status, 0)
        self.assertRegex(text, r"2 passed +2 failed +1 skipped +8 cases")
        self.assertIn("FAIL: c", text)
        self.assertIn("TIMEOUT: d", text)

    def test_says_what_failed(self):
        _, text = summary([result("a", "FAIL", TAP, FAILED)])
        self.assertIn("        test_d: AssertionError: 1 != 2 : why\n", text)
        self.assertIn("        test_e: KeyError: 'x'\n", text)
        self.assertIn("        /region/cut\n", text)

    def test_failed_in_a_line(self):
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as f:
            for t in (result("a", "OK"), result("v:p / b", "FAIL", TAP, FAILED),
                      result("c", "ERROR", "Bail out! ERROR:x.c:1:f: why\n")):
                f.write(json.dumps(t) + "\n")
            f.flush()
            run = subprocess.run([sys.executable, PROGRAM, "--failed", f.name],
                                 check=True, capture_output=True, text=True)
        self.assertEqual(run.stdout, "b (test_d: AssertionError: 1 != 2 : why; "
                         "test_e: KeyError: 'x'; /region/cut), "
                         "c (ERROR:x.c:1:f: why)\n")

    def test_skips(self):
        _, text = summary([result("a", "OK", TAP)],
                          [result("b", "OK", stderr=UNITTEST),
                           result("e", "SKIP", "first\nSKIP: no /dev/kvm\n"),
                           result("v:unit / f", "SKIP", "skipped: why")])
        for line in ("suite0: a: /region/merge: no time",
                     "suite1: b: test_b: no KVM here",
                     "suite1: b: test_c: can't",
                     "suite1: e: no /dev/kvm",
                     "suite1: f: why"):
            self.assertIn("skipped " + line + "\n", text)
        self.assertEqual(text.count("skipped suite"), 5)

    def test_nothing_ran(self):
        self.assertEqual(summary([result("a", "OK")], [])[0], 1)
        status, text = summary(None)
        self.assertEqual(status, 1)
        self.assertIn("NO TESTS RAN", text)


class Again(unittest.TestCase):
    def test_missed_figures(self):
        self.assertEqual(again(result("a", "OK"),
                               result("v:qemu / b", "FAIL", stderr=FAILED),
                               result("c", "SKIP")), ["b"])

    def test_harm(self):
        for harm in ("AssertionError: guest memory was changed",
                     "    self.assertTrue(g.intact())\nAssertionError: False",
                     "AssertionError: False is not true : memory arrived "
                     "damaged",
                     "vmheat_payload.PayloadError: no stop within 120 s",
                     "RuntimeError: QEMU did not start",
                     "==1==ERROR: AddressSanitizer: heap-use-after-free",
                     "# QEMU ended with status -11:", "EOFError"):
            self.assertIsNone(again(result("a", "FAIL", stderr=FAILED),
                                    result("b", "FAIL", stderr=harm)), harm)
        self.assertIsNone(again(result("a", "TIMEOUT")))

    def test_assertion_of_glib(self):
        missed = ("# ERROR:test-x.c:1:test_y: assertion failed (3 == 4): (3 == "
                  "4)\nBail out! ERROR:test-x.c:1:test_y: assertion failed\n")
        self.assertEqual(again(result("p / x", "ERROR", missed)), ["x"])
        self.assertIsNone(again(result("x", "ERROR", "ok 1 /a\n")))
        self.assertIsNone(again(result(
            "x", "ERROR", missed + "Bail out! FATAL-ERROR: contents lost in "
            "page 3\n")))

    def test_nothing_failed(self):
        self.assertIsNone(again(result("a", "OK")))


if __name__ == "__main__":
    unittest.main()
