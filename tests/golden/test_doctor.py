#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmheat doctor when the programs it runs, or QEMU, misbehave.

VMHEAT_CLI names the binary.
"""

import json
import os
import subprocess
import tempfile
import time
import unittest

from fake_qmp import FakeQMP, error, load, wait_until

CLI = os.path.abspath(os.environ.get("VMHEAT_CLI", "build/vmheat"))
OK, NOTHING, CONNECT, QMP = range(4)
USAGE = NOTHING


def vmheat(*args):
    env = {k: v for k, v in os.environ.items() if k != "VMHEAT_SOCKET"}
    return subprocess.run([CLI, "doctor", *args], env={**env, "LC_ALL": "C"},
                          stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, check=False)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Doctor(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = folder.name
        known = vmheat("--json", "--programs", self.dir)
        self.names = [c["program"] for c in json.loads(known.stdout)["checks"]]
        for name in self.names:
            self.program(name, "echo fine")

    def program(self, name, script, mode=0o755):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="ascii") as f:
            f.write("#!/bin/sh\n" + script + "\n")
        os.chmod(path, mode)

    def check(self, name, *args):
        """What --json says of a program; the others have to work."""
        done = vmheat("--json", "--programs", self.dir, *args)
        self.assertEqual((done.returncode, done.stderr), (OK, ""))
        checks = {c["program"]: c for c in json.loads(done.stdout)["checks"]}
        self.assertEqual([n for n in checks if n != name and
                          checks[n]["state"] != "works"], [])
        return checks[name]

    def broken(self, name, word, *args):
        found = self.check(name, *args)
        self.assertEqual(found["state"], "broken")
        self.assertIn(word, found["seen"])
        self.assertNotIn("\n", found["seen"])

    def test_no_folder(self):
        gone = os.path.join(self.dir, "gone")
        file = os.path.join(self.dir, self.names[0])
        for path in (gone, file):
            done = vmheat("--programs", path)
            self.assertEqual((done.returncode, done.stdout), (USAGE, ""))
            self.assertIn(f"there is no directory {path}", done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)
        self.assertIn("a directory", vmheat("--programs", "").stderr)

    def test_empty_folder(self):
        with tempfile.TemporaryDirectory() as d:
            done = vmheat("--json", "--programs", d)
        self.assertEqual((done.returncode, done.stderr), (NOTHING, ""))
        reply = json.loads(done.stdout)
        self.assertEqual({c["state"] for c in reply["checks"]}, {"broken"})
        usable = {p["name"]: p["usable"] for p in reply["primitives"]}
        self.assertEqual(set(usable), {"trap", "uffd-wp", "dirty-log",
                                       "dirty-ring", "idle-page", "damon"})
        self.assertEqual(set(usable.values()), {"no"})

    def test_ends_badly(self):
        for script, word in (("kill -SEGV $$", "signal 11"),
                             ("exit 3", "exit status 3"),
                             ("echo first >&2; echo 2 >&2; exit 99", "first"),
                             ("kill -STOP $$", "no end within 2 s"),
                             ("trap '' TERM INT HUP; sleep 600", "no end")):
            with self.subTest(script=script):
                self.program("mlocked", script)
                self.broken("mlocked", word, "-t", "2")

    def test_cannot_be_run(self):
        self.program("mlocked", "echo fine", mode=0o644)
        self.broken("mlocked", "Permission denied")
        os.unlink(os.path.join(self.dir, "mlocked"))
        self.broken("mlocked", "No such file")
        with open(os.path.join(self.dir, "mlocked"), "wb") as f:
            f.write(b"\x7fELF nonsense")
        os.chmod(os.path.join(self.dir, "mlocked"), 0o755)
        self.assertEqual(self.check("mlocked")["state"], "broken")

    def test_says_too_much(self):
        """A flood fills no memory and takes no longer than a hang."""
        self.program("mlocked", "while :; do echo flood; done")
        begin = time.monotonic()
        self.broken("mlocked", "no end", "-t", "2")
        self.assertLess(time.monotonic() - begin, 15)
        self.program("mlocked", "head -c 100000 /dev/zero | tr '\\0' x")
        found = self.check("mlocked")
        self.assertEqual((found["state"], len(found["seen"])),
                         ("works", 16384))

    def test_says_what_is_no_text(self):
        self.program("mlocked", r"printf '\377\033[2J\001\0hidden\n'")
        found = self.check("mlocked")
        self.assertEqual(found["state"], "works")
        self.program("mlocked", r"printf 'a\033[2Jb\377\n' >&2; exit 1")
        done = vmheat("--programs", self.dir)
        self.assertNotIn("\033", done.stdout)
        self.assertIn("why: a?[2Jb?", done.stdout)

    def test_says_nothing(self):
        self.program("mlocked", "exit 0")
        self.assertEqual(self.check("mlocked")["seen"], "")
        self.program("mlocked", "exit 77")
        self.assertEqual(self.check("mlocked")["state"], "cannot")
        self.program("mlocked", "exit 1")
        self.assertEqual(self.check("mlocked")["state"], "differs")

    def test_leaves_nothing_behind(self):
        """What a program starts ends with it, and does not hold it up."""
        note = os.path.join(self.dir, "pid")
        for script in (f"sleep 600 & echo $! > {note}; echo fine",
                       f"sleep 600 & echo $! > {note}; wait"):
            with self.subTest(script=script):
                self.program("mlocked", script)
                begin = time.monotonic()
                vmheat("--programs", self.dir, "-t", "1")
                self.assertLess(time.monotonic() - begin, 15)
                with open(note, encoding="ascii") as f:
                    pid = int(f.read())
                self.assertTrue(wait_until(lambda: not is_running(pid)))

    def test_ends_with_its_parent(self):
        note = os.path.join(self.dir, "pid")
        self.program("mlocked", f"echo $$ > {note}; exec sleep 600")
        with subprocess.Popen([CLI, "doctor", "--programs", self.dir,
                               "-t", "60"], stdout=subprocess.DEVNULL) as p:
            self.assertTrue(wait_until(
                lambda: os.path.exists(note) and os.path.getsize(note)))
            p.kill()
        with open(note, encoding="ascii") as f:
            pid = int(f.read())
        self.assertTrue(wait_until(lambda: not is_running(pid)))

    def test_qemu(self):
        with FakeQMP() as server:
            done = vmheat("--json", "--programs", self.dir, "-s", server.path)
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertEqual(json.loads(done.stdout)["query-vmheat"], load("info"))

    def test_qemu_fails(self):
        """The host is shown all the same; the exit code is QEMU's."""
        gone = error("DeviceNotFound", "there is no vmheat device")
        with FakeQMP(replies={"query-vmheat": lambda args: gone}) as server:
            done = vmheat("--programs", self.dir, "-s", server.path)
        self.assertEqual(done.returncode, QMP)
        self.assertIn("no vmheat device", done.stderr)
        self.assertIn("Primitives on this host", done.stdout)
        done = vmheat("--json", "--programs", self.dir, "-s",
                      os.path.join(self.dir, "none"))
        self.assertEqual(done.returncode, CONNECT)
        self.assertNotIn("query-vmheat", json.loads(done.stdout))


if __name__ == "__main__":
    unittest.main()
