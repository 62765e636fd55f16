#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""record: what is in the file, and that it is whole whatever happens.

VMHEAT_CLI names the binary.
"""

import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import tempfile
import time
import unittest
import zlib

import record_file as rf
from fake_qmp import FakeQMP, error, filtered, load, wait_until

CLI = os.path.abspath(os.environ.get("VMHEAT_CLI", "build/vmheat"))
OK, USAGE, CONNECT, QMP, TIMEOUT, FILE = 0, 1, 2, 3, 4, 7


class Growing(FakeQMP):
    """A machine with a new snapshot each time it is asked for one."""

    def __init__(self, every=0.02, **kwargs):
        self.snap = load("regions-rates")
        self.snap.update({"sequence": 0, "truncated": False,
                          "aggregation-interval": int(every * 1e6)})
        super().__init__(regions=self.snap, **kwargs)

    def _serve(self):
        self.replies.setdefault("query-vmheat-regions", self.next)
        self.replies.setdefault("query-name",
                                lambda a: {"return": {"name": "guest"}})
        self.replies.setdefault("query-uuid", lambda a: {"return": {
            "UUID": "6e3c2f80-8f3a-4d0e-9a0c-0b6d3c1f2a11"}})
        super()._serve()

    def next(self, arguments):
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        step = self.snap["aggregation-interval"] * 1000
        self.snap["sequence"] += 1
        self.snap["start-time"] = now - step
        self.snap["end-time"] = now
        for i, r in enumerate(self.snap["regions"]):
            r["age"] += 1
            if i % 3 == 0:
                r["nr-accesses"] = self.snap["sequence"] % 5
        return {"return": filtered(self.snap, arguments)}


class Record(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="vmheat-record-")
        self.addCleanup(shutil.rmtree, self.dir)
        self.path = os.path.join(self.dir, "a.vmheat")

    def start(self, server, *args, limit=None, cwd=None, ignore=None):
        def prepare():
            # the tests themselves may run under nohup
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            if ignore:
                signal.signal(ignore, signal.SIG_IGN)
            if not limit:
                return
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        p = subprocess.Popen(
            [CLI, "record", "-s", server.path, "-o", self.path, *args],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=cwd, preexec_fn=prepare)
        self.addCleanup(p.kill)
        return p

    def end(self, p, code=OK):
        out, err = p.communicate(timeout=60)
        self.assertEqual((p.returncode, out), (code, ""), err)
        self.assertNotIn("Sanitizer", err)
        return err

    def recorded(self, server, n):
        wait_until(lambda: server.snap["sequence"] >= n)

    def blocks(self):
        blocks = rf.read(self.path)
        self.assertEqual(blocks[0].type, rf.VM)
        return blocks

    def test_what_is_in_it(self):
        with Growing() as server:
            begin = time.time_ns()
            err = self.end(self.start(server, "--duration", "500ms"))
        self.assertRegex(err, r"^\S+a\.vmheat: \d+ snapshots in \S+ .*iB\n$")
        blocks = self.blocks()
        vm = blocks[0].json()
        self.assertEqual((vm["name"], vm["uuid"][:8], vm["qemu"]),
                         ("guest", "6e3c2f80", "7.2.22"))
        self.assertLess(abs(vm["realtime"] - begin), 60e9)
        self.assertEqual([b.json()["vmheat"]["id"]
                          for b in rf.of_type(blocks, rf.STATE)],
                         ["heat0", "heat0"])
        self.assertTrue(rf.of_type(blocks, rf.SCHEMES)[0].json()["schemes"])
        self.assertEqual(blocks[-1].type, rf.END)
        self.assertTrue(rf.of_type(blocks, rf.SNAPSHOTS))

    def test_ctrl_c_ends_it(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number), Growing() as server:
                p = self.start(server, "--force")
                self.recorded(server, 10)
                p.send_signal(number)
                self.assertIn("snapshots in", self.end(p))
                blocks = self.blocks()
                self.assertEqual(blocks[-1].type, rf.END)
                self.assertEqual(len(rf.of_type(blocks, rf.STATE)), 2)

    def test_nohup(self):
        with Growing() as server:
            p = self.start(server, ignore=signal.SIGHUP)
            self.recorded(server, 3)
            p.send_signal(signal.SIGHUP)
            n = server.snap["sequence"]
            self.recorded(server, n + 20)
            self.assertIsNone(p.poll())
            p.send_signal(signal.SIGTERM)
            self.end(p)

    def test_ctrl_c_twice(self):
        """The second ends also the questions at the end."""
        with Growing() as server:
            p = self.start(server, "-t", "3600")
            self.recorded(server, 3)
            server.replies["query-vmheat"] = lambda a: None
            n = len(server.seen)
            p.send_signal(signal.SIGINT)
            self.assertTrue(wait_until(lambda: ("query-vmheat", {}) in
                                       server.seen[n:]))
            p.send_signal(signal.SIGINT)
            self.end(p)
        self.assertEqual(self.blocks()[-1].type, rf.END)

    def test_killed_loses_a_second_at_most(self):
        with Growing() as server:
            p = self.start(server)
            wait_until(lambda: len(rf.of_type(rf.read(
                self.path) if os.path.exists(self.path) and os.path.getsize(
                    self.path) > 16 else [], rf.SNAPSHOTS)) >= 2)
            p.kill()
            killed = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            p.communicate()
        blocks = self.blocks()
        self.assertNotEqual(blocks[-1].type, rf.END)
        last = rf.of_type(blocks, rf.SNAPSHOTS)[-1].last
        self.assertLess(killed - last, 1.5e9)
        with Growing() as server:
            self.end(self.start(server, "--append", "--duration", "100ms"))
        self.assertEqual(len(rf.of_type(self.blocks(), rf.VM)), 2)

    def take_back(self, snap):
        """A snapshot that was sent, but came too late to be recorded."""
        last = rf.of_type(self.blocks(), rf.SNAPSHOTS)[-1].last
        if snap["end-time"] != last:
            snap["sequence"] -= 1
            snap["end-time"] = last
            snap["start-time"] = last - snap["aggregation-interval"] * 1000

    def test_append_keeps_times_in_order(self):
        """No snapshot is there twice, and none is older than the others."""
        with Growing() as server:
            p = self.start(server)
            self.recorded(server, 5)
            p.send_signal(signal.SIGINT)
            self.end(p)
            self.take_back(server.snap)
            server.replies["query-vmheat-regions"] = \
                lambda a: {"return": filtered(server.snap, a)}
            err = self.end(self.start(server, "--append", "--duration",
                                      "300ms"))
            self.assertIn(": 0 snapshots in", err)
            for key in ("start-time", "end-time"):
                server.snap[key] -= 10**10
            err = self.end(self.start(server, "--append"), FILE)
            self.assertIn("before the host was booted", err)
        self.assertEqual(self.blocks()[-1].type, rf.END)

    def test_events(self):
        with Growing() as server:
            p = self.start(server)
            self.recorded(server, 3)
            server.events.append({
                "event": "VMHEAT_STATE_CHANGED",
                "timestamp": {"seconds": 1, "microseconds": 0},
                "data": {"id": "heat0", "state": "suspended",
                         "reason": "migration"}})
            n = server.snap["sequence"]
            self.recorded(server, n + 3)
            p.send_signal(signal.SIGINT)
            self.end(p)
        events = rf.of_type(self.blocks(), rf.EVENT)
        self.assertEqual([e.json()["event"] for e in events],
                         ["VMHEAT_STATE_CHANGED"])
        self.assertEqual(events[0].json()["data"]["reason"], "migration")

    def test_snapshots_counted_anew(self):
        """By a device that was added again: who it is is told again."""
        with Growing() as server:
            p = self.start(server)
            self.recorded(server, 10)
            server.snap["sequence"] = 0
            server.replies["query-name"] = \
                lambda a: {"return": {"name": "again"}}
            wait_until(lambda: server.seen.count(("query-name", {})) == 2)
            self.recorded(server, 5)
            p.send_signal(signal.SIGINT)
            self.assertNotIn("missed", self.end(p))
        blocks = self.blocks()
        self.assertEqual([b.json()["name"] for b in rf.of_type(blocks, rf.VM)],
                         ["guest", "again"])
        kinds = [b.type for b in blocks]
        again = kinds.index(rf.VM, 1)
        self.assertEqual(kinds[again:again + 3], [rf.VM, rf.STATE, rf.SCHEMES])
        self.assertIn(rf.SNAPSHOTS, kinds[:again])
        self.assertIn(rf.SNAPSHOTS, kinds[again:])
        self.assertEqual(kinds.count(rf.STATE), 3)

    def test_an_interval(self):
        with Growing() as server:
            self.end(self.start(server, "--interval", "200ms", "--duration",
                                "900ms"))
            self.assertIn(server.snap["sequence"], range(2, 6))

    def test_missed_ones_are_told(self):
        """Those that an interval leaves out were not missed."""
        for args, missed in (([], True), (["--interval", "20ms"], False)):
            with self.subTest(args), Growing() as server:
                def next_but_nine(arguments):
                    server.snap["sequence"] += 9
                    return server.next(arguments)
                server.replies["query-vmheat-regions"] = next_but_nine
                err = self.end(self.start(server, "--force", "--duration",
                                          "300ms", *args))
                self.assertEqual("were missed" in err, missed, err)

    def asked(self, server):
        return [c for c, _ in server.seen].count("query-vmheat-regions")

    def test_a_monitor_that_is_paused(self):
        """It is asked less often, but no snapshot after that is missed."""
        with Growing(every=0.1) as server:
            server.next({})
            server.replies["query-vmheat-regions"] = \
                lambda a: {"return": filtered(server.snap, a)}
            p = self.start(server)
            self.assertTrue(wait_until(lambda: self.asked(server) >= 5))
            n = self.asked(server)
            begin = time.monotonic()
            wait_until(lambda: False, 1.5)
            rate = (self.asked(server) - n) / (time.monotonic() - begin)
            self.assertTrue(1 < rate < 30, rate)
            server.replies["query-vmheat-regions"] = server.next
            self.recorded(server, 4)
            p.send_signal(signal.SIGINT)
            self.assertNotIn("missed", self.end(p))

    def test_a_little_late_in_a_long_interval(self):
        with Growing(every=20) as server:
            now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            end = now - int(19.9e9)
            server.snap.update({"sequence": 1, "start-time": end - 10**9,
                                "end-time": end})
            late = now + 500_000_000

            def answer(arguments):
                if time.clock_gettime_ns(time.CLOCK_MONOTONIC) > late:
                    server.snap["sequence"] = 2
                return {"return": filtered(server.snap, arguments)}
            server.replies["query-vmheat-regions"] = answer
            err = self.end(self.start(server, "--duration", "2s"))
        self.assertIn(": 2 snapshots in", err)

    def test_another_clock(self):
        """Of another host, that is up for longer, or shorter."""
        for ahead in (10**15, -10**12):
            with self.subTest(ahead), Growing() as server:
                def answer(arguments):
                    reply = server.next({})["return"]
                    for key in ("start-time", "end-time"):
                        reply[key] = max(reply[key] + ahead, 1000)
                    return {"return": filtered(reply, arguments)}
                server.replies["query-vmheat-regions"] = answer
                p = self.start(server, "--force", "--duration", "1s")
                self.end(p)
                self.assertGreater(server.snap["sequence"], 10)

    def test_an_event_that_cannot_be_written(self):
        """Also when all that comes later can."""
        with Growing() as server:
            p = self.start(server, "--duration", "1s", limit=60000)
            self.recorded(server, 3)
            noise = [os.urandom(64).hex() for _ in range(1000)]
            server.events.append({
                "event": "VMHEAT_STATE_CHANGED",
                "timestamp": {"seconds": 1, "microseconds": 0},
                "data": {"id": "heat0", "noise": noise}})
            self.assertIn("too large", self.end(p, FILE))
        self.assertFalse(rf.of_type(self.blocks(), rf.EVENT))

    def test_a_file_that_is_there(self):
        with open(self.path, "w", encoding="utf-8") as f:
            f.write("precious")
        with Growing() as server:
            err = self.end(self.start(server, "--duration", "50ms"), FILE)
            self.assertIn("exists; --force replaces it", err)
            err = self.end(self.start(server, "--append"), FILE)
            self.assertIn("no record of vmheat", err)
            with open(self.path, encoding="utf-8") as f:
                self.assertEqual(f.read(), "precious")
            self.end(self.start(server, "--force", "--duration", "50ms"))
            self.blocks()

    def test_force_replaces_files_only(self):
        """Neither a device (here a FIFO) nor what another one writes."""
        for args in ([], ["--format", "damo"]):
            with self.subTest(args), Growing() as server, Growing() as other:
                os.mkfifo(self.path)
                err = self.end(self.start(server, "--force", "--duration",
                                          "100ms", *args), FILE)
                self.assertIn("no regular file", err)
                os.unlink(self.path)
                p = self.start(server)
                self.recorded(server, 3)
                err = self.end(self.start(other, "--force", "--duration",
                                          "100ms", *args), FILE)
                self.assertIn("another recorder", err)
                p.send_signal(signal.SIGINT)
                self.end(p)
                self.blocks()
                os.unlink(self.path)

    def test_what_is_no_file(self):
        """A pipe stands for devices, which root would take from the host."""
        os.mkfifo(self.path)
        link = os.path.join(self.dir, "link")
        os.symlink(self.path, link)
        with Growing() as server:
            for how in ([], ["--force"], ["--append"],
                        ["--force", "--format", "damo"]):
                for self.path in (self.path, link):
                    err = self.end(self.start(server, "--duration", "50ms",
                                              *how), FILE)
                    self.assertIn("is no regular file", err, how)
            self.path = "-"
            err = self.end(self.start(server, cwd=self.dir), FILE)
            self.assertIn("cannot go to standard output", err)
        self.assertEqual(sorted(os.listdir(self.dir)), ["a.vmheat", "link"])
        self.assertTrue(os.path.islink(link))
        self.assertTrue(stat.S_ISFIFO(os.stat(link).st_mode))

    def test_one_snapshot(self):
        with Growing() as server:
            err = self.end(self.start(server, "--interval", "1h", "--duration",
                                      "100ms"))
        self.assertIn(": 1 snapshot in ", err)

    def test_nothing_is_replaced_without_vmheat(self):
        with open(self.path, "w", encoding="utf-8") as f:
            f.write("precious")
        no = {"query-vmheat": lambda a: error("DeviceNotFound", "no device")}
        with Growing(replies=no) as server:
            err = self.end(self.start(server, "--force"), QMP)
            self.assertIn("device_add", err)
        with open(self.path, encoding="utf-8") as f:
            self.assertEqual(f.read(), "precious")

    def test_machine_ends(self):
        with Growing() as server:
            p = self.start(server)
            self.recorded(server, 5)
            server.hang_up()
            err = self.end(p, CONNECT)
        self.assertIn("has ended", err)
        self.assertEqual(self.blocks()[-1].type, rf.END)

    def test_machine_does_not_answer(self):
        with Growing() as server:
            p = self.start(server, "-t", "0.3")
            self.recorded(server, 5)
            server.replies["query-vmheat-regions"] = lambda a: None
            err = self.end(p, TIMEOUT)
        self.assertIn("0.3 s", err)
        self.assertEqual(self.blocks()[-1].type, rf.END)

    def test_an_answer_that_is_none(self):
        for packed in ("????", "AAAA", "", 5):
            with self.subTest(packed), Growing() as server:
                server.replies["query-vmheat-regions"] = \
                    lambda a, v=packed: {"return": {"packed": v}}
                err = self.end(self.start(server, "--force"), 5)
                self.assertIn("packed", err)

    def test_disk_full(self):
        """The file is good up to where there was room."""
        with Growing(every=0.005) as server:
            p = self.start(server, limit=6000)
            err = self.end(p, FILE)
        self.assertIn(f"cannot write to '{self.path}'", err)
        self.assertIn("too large", err)
        self.assertTrue(self.blocks())
        self.assertLessEqual(os.path.getsize(self.path), 6000)

    def test_no_place_for_the_file(self):
        with Growing() as server:
            self.path = os.path.join(self.dir, "no", "such")
            err = self.end(self.start(server), FILE)
            self.assertIn("cannot create", err)

    def test_damo(self):
        with Growing() as server:
            self.end(self.start(server, "--format", "damo", "--duration",
                                "300ms"))
        with open(self.path, "rb") as f:
            record = json.loads(zlib.decompress(f.read()))[0]
        self.assertGreater(len(record["snapshots"]), 3)
        first = record["snapshots"][0]["regions"][1]
        want = load("regions-rates")["regions"][1]
        self.assertEqual((first["start"], first["end"]),
                         (want["start"], want["end"]))
        self.assertEqual(os.listdir(self.dir), ["a.vmheat"])

    def test_damo_replaces_when_it_is_whole(self):
        with open(self.path, "w", encoding="utf-8") as f:
            f.write("precious")
        none = {"query-vmheat-regions": lambda a: {"return": {
            **filtered({**load("regions"), "sequence": 0, "regions": []}, a)}}}
        args = ["--format", "damo", "--duration", "100ms"]
        with Growing() as server:
            err = self.end(self.start(server, *args), FILE)
            self.assertIn("exists; --force", err)
        with Growing(replies=none) as server:
            err = self.end(self.start(server, *args, "--force"), FILE)
            self.assertIn("no snapshot to write", err)
        with open(self.path, encoding="utf-8") as f:
            self.assertEqual(f.read(), "precious")
        with Growing() as server:
            self.end(self.start(server, *args, "--force"))
        self.assertEqual(os.listdir(self.dir), ["a.vmheat"])

    def convert(self, *args, cwd=None):
        return subprocess.run([CLI, "convert", *args], cwd=cwd, timeout=60,
                              capture_output=True, text=True, check=False)

    def test_convert(self):
        with Growing() as server:
            self.end(self.start(server, "--duration", "300ms"))
        done = self.convert("-i", self.path, cwd=self.dir)
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (0, "", ""))
        with open(os.path.join(self.dir, "damon.data"), "rb") as f:
            whole = json.loads(zlib.decompress(f.read()))[0]["snapshots"]
        self.assertGreater(len(whole), 3)
        done = self.convert("-i", self.path, cwd=self.dir)
        self.assertEqual(done.returncode, FILE)
        self.assertIn("'damon.data' exists", done.stderr)
        out = os.path.join(self.dir, "damon.data")
        done = self.convert("-i", self.path, "-o", out, "--force", "--from",
                            "150ms")
        self.assertEqual(done.returncode, OK, done.stderr)
        with open(out, "rb") as f:
            late = json.loads(zlib.decompress(f.read()))[0]["snapshots"]
        self.assertTrue(0 < len(late) < len(whole))
        self.assertEqual(late, whole[-len(late):])

    def test_convert_is_interrupted(self):
        """It leaves nothing behind."""
        with Growing() as server:
            self.end(self.start(server, "--duration", "1s"))
        with open(self.path, "rb") as f:
            data = f.read()
        with open(self.path, "wb") as f:
            f.write(data[:16] + data[16:] * 1000)
        p = subprocess.Popen([CLI, "convert", "-i", self.path, "-o",
                              os.path.join(self.dir, "out")])
        self.addCleanup(p.kill)
        self.assertTrue(wait_until(lambda: len(os.listdir(self.dir)) == 2))
        p.send_signal(signal.SIGINT)
        self.assertEqual(p.wait(60), -signal.SIGINT)
        self.assertEqual(os.listdir(self.dir), ["a.vmheat"])

    def test_convert_keeps_the_record(self):
        with Growing() as server:
            self.end(self.start(server, "--duration", "100ms"))
        with open(self.path, "rb") as f:
            before = f.read()
        link = os.path.join(self.dir, "link")
        os.symlink(self.path, link)
        pipe = os.path.join(self.dir, "pipe")
        os.mkfifo(pipe)
        for source, to, word in (
                (self.path, self.path, "is the record itself"),
                (link, self.path, "is the record itself"),
                (self.path, pipe, "is no regular file"),
                (self.path, "-", "cannot go to standard output")):
            done = self.convert("-i", source, "-o", to, "--force",
                                cwd=self.dir)
            self.assertEqual(done.returncode, FILE, (source, to))
            self.assertIn(word, done.stderr)
        with open(self.path, "rb") as f:
            self.assertEqual(f.read(), before)
        self.assertTrue(stat.S_ISFIFO(os.stat(pipe).st_mode))
        self.assertEqual(sorted(os.listdir(self.dir)),
                         ["a.vmheat", "link", "pipe"])

    def test_convert_what_is_no_record(self):
        out = os.path.join(self.dir, "out")
        done = self.convert("-i", os.path.join(self.dir, "none"), "-o", out)
        self.assertEqual(done.returncode, FILE)
        self.assertEqual(
            done.stderr, f"vmheat: cannot read '{self.dir}/none': "
            "No such file or directory\n")
        done = self.convert("-i", self.dir, "-o", out)
        self.assertEqual(done.returncode, FILE)
        self.assertIn("no regular file", done.stderr)
        done = self.convert("-i", CLI, "-o", out)
        self.assertEqual(done.returncode, FILE)
        self.assertIn("no record of vmheat", done.stderr)
        with Growing() as server:
            self.end(self.start(server, "--duration", "2500ms"))
        with open(self.path, "r+b") as f:
            f.truncate(os.path.getsize(self.path) // 2)
        done = self.convert("-i", self.path, "-o", out)
        self.assertEqual(done.returncode, 8, done.stderr)
        self.assertIn("is damaged at byte", done.stderr)
        self.assertTrue(os.path.exists(out))

    def test_default_name_and_quiet(self):
        with Growing() as server:
            done = subprocess.run(
                [CLI, "record", "-s", server.path, "-q", "--duration", "50ms"],
                cwd=self.dir, capture_output=True, text=True, timeout=60,
                check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (0, "", ""))
        self.assertEqual(os.listdir(self.dir), ["vmheat.data"])

    def test_usage(self):
        for args, word in (
                (["--duration", "0"], "1ms .. 365d"),
                (["--interval", "x"], "1ms .. 365d"),
                (["--format", "x"], "vmheat or damo"),
                (["--append", "--force"], "one of both"),
                (["--append", "--format", "damo"], "cannot be appended")):
            done = subprocess.run([CLI, "record", "-s", "x", *args], check=False,
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, USAGE, args)
            self.assertIn(word, done.stderr)


if __name__ == "__main__":
    unittest.main()
