#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""top --all: several machines, of which some are not as they should be.

VMHEAT_CLI names the binary.
"""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

from fake_qmp import FakeQMP, error, load
from test_top import CLI, Terminal

GIB = 1 << 30


def machine(size, wss, name, **kwargs):
    info = load("info")
    info.update({"total-size": size, "working-set-size": wss})
    return FakeQMP(info=info, name=name, **kwargs)


class TopAll(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="vmheat-all-")
        self.path = self.dir  # as Terminal wants it
        self.addCleanup(shutil.rmtree, self.dir)

    def add(self, server):
        self.addCleanup(server.__exit__)
        os.symlink(server.path,
                   os.path.join(self.dir, os.path.basename(server.path)))
        return server

    def some(self):
        """big has more cold memory, small more that was saved."""
        none = {"schemes": []}
        self.big = self.add(machine(8 * GIB, GIB, "big", regions=load(
            "regions"), **none))
        balloon = {"query-balloon": lambda a: {"return": {"actual": GIB}}}
        self.small = self.add(machine(
            6 * GIB, 5 * GIB, "small", regions=load("regions-rates"),
            replies=balloon, **none))

    def run_cli(self, *args, columns=80):
        env = {k: v for k, v in os.environ.items() if k != "VMHEAT_SOCKET"}
        return subprocess.run(
            [CLI, "top", "--all", "--sockets", self.dir, *args],
            capture_output=True, text=True, timeout=60, check=False,
            env={**env, "COLUMNS": str(columns), "LC_ALL": "C"})

    def rows(self, *args):
        done = self.run_cli("--once", *args)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def test_table_and_sums(self):
        self.some()
        rows = self.rows()
        self.assertEqual(rows[0], "2 machines with vmheat, sorted by cold")
        self.assertRegex(
            rows[2], r"^big +running +8 GiB +1 GiB 12 % +3\.6 GiB 45 %"
            r" +0 B +-$")
        self.assertRegex(
            rows[3], r"^small +running +6 GiB +5 GiB 83 % +2\.6 GiB "
            r"43 % +5 GiB +-$")
        self.assertRegex(rows[4], r"^all +14 GiB +6 GiB 43 % +6\.1 GiB "
                                  r"44 % +5 GiB +-$")
        self.assertEqual(len(rows), 5)

    def test_sorts(self):
        self.some()
        for by, first in (("cold", "big"), ("name", "big"), ("size", "big"),
                          ("wss", "small"), ("saved", "small")):
            rows = self.rows("--sort", by)
            self.assertTrue(rows[2].startswith(first), (by, rows))
            self.assertIn(f"sorted by {by}", rows[0])
        told = json.loads(self.run_cli("--once", "--json", "--sort",
                                       "wss").stdout)
        self.assertEqual([m["name"] for m in told], ["small", "big"])

    def test_cost_is_of_the_time_between(self):
        info = load("info")
        server = self.add(FakeQMP(info=info, name="vm"))

        def busy(_):
            info["stats"]["worker-time"] += 10 ** 12
            return {"return": info}
        server.replies["query-vmheat"] = busy
        done = self.run_cli("-n", "2", "-d", "0.05", "--json")
        first, second = map(json.loads, done.stdout.splitlines())
        self.assertNotIn("cost", first[0])
        self.assertGreater(second[0]["cost"], 1)

    def test_problems_do_not_hide_the_others(self):
        self.some()
        self.add(FakeQMP(name="plain", replies={
            "query-vmheat": lambda a: error("CommandNotFound", "unknown")}))
        self.add(FakeQMP(name="odd", raw=b"hello\n"))
        self.add(FakeQMP(name="mute", replies={"query-vmheat": lambda a: None}))
        rows = self.rows("-t", "0.3")
        text = "\n".join(rows)
        self.assertIn("4 machines", rows[0])
        self.assertRegex(text, r"(?m)^mute +no answer\n.*within 0.3 s")
        self.assertRegex(text, r"(?m)^odd +no answer\n.*does not speak QMP")
        self.assertIn("1 without vmheat", text)
        self.assertNotIn("plain", text)
        self.assertRegex(text, r"(?m)^big +running")
        told = json.loads(self.run_cli("--once", "--json", "-t", "0.3").stdout)
        self.assertEqual({m["name"]: "problem" in m for m in told},
                         {"big": False, "small": False, "plain": True,
                          "odd": True, "mute": True})
        self.assertIs({m["name"]: m for m in told}["plain"]["vmheat"], False)

    def test_more_than_there_is_room_for(self):
        """One with a problem takes two rows, and is one."""
        for i in range(5):
            self.add(FakeQMP(name=f"odd{i}", raw=b"hello\n"))
        self.add(FakeQMP(name="plain", replies={
            "query-vmheat": lambda a: error("CommandNotFound", "unknown")}))
        t = Terminal(None, "--all", "--sockets", self.dir, columns=160,
                     lines=10)
        self.addCleanup(t.close)
        t.shows("odd0", "odd1", "without vmheat")
        self.assertEqual(t.screen.text().count("no answer"), 2)
        self.assertIn("3 more, for which there is no room", t.screen.text())
        self.assertIn("1 without vmheat", t.screen.text())
        t.type(b"q")
        self.assertEqual(t.end(), 0)

    def test_narrow(self):
        self.some()
        done = self.run_cli("--once", columns=20)
        self.assertTrue(all(len(r) <= 20 for r in done.stdout.splitlines()))
        self.assertIn("big", done.stdout)

    def test_no_machine_and_no_folder(self):
        self.assertEqual(self.rows(), ["0 machines with vmheat, sorted by cold"])
        shutil.rmtree(self.dir)
        done = self.run_cli("--once")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr, "vmheat: cannot read the folder "
                         f"'{self.dir}': No such file or directory\n")
        os.mkdir(self.dir)

    def test_usage(self):
        for args, word in ((["--sort", "x"], "cold, name, size"),
                           (["--sort", "heat"], "cold, name, size"),
                           (["-s", "x"], "one too many"),
                           (["guest"], "one too many"),
                           (["-c", "qemu:///system"], "say two things")):
            done = self.run_cli(*args)
            self.assertEqual(done.returncode, 1, args)
            self.assertIn(word, done.stderr)
        done = subprocess.run([CLI, "top", "--sort", "name", "-s", "x"],
                              capture_output=True, text=True, check=False)
        self.assertIn("with --all only", done.stderr)

    def test_on_a_terminal(self):
        """Machines come and go; s sorts; q quits."""
        self.some()
        t = Terminal(None, "--all", "--sockets", self.dir, "-d", "0.05")
        self.addCleanup(t.close)
        t.shows("sorted by cold", "s: sort", "small")
        t.type(b"s")
        t.shows("sorted by name")
        self.add(machine(GIB, 0, "new"))
        t.shows("3 machines", "new")
        os.unlink(os.path.join(self.dir, "big"))
        t.shows("2 machines")
        self.assertNotIn("big", t.screen.text())
        t.type(b"q")
        self.assertEqual(t.end(), 0, t.screen.text())
        self.assertTrue(t.restored())


if __name__ == "__main__":
    unittest.main()
