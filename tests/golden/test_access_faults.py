#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What "report access" refuses, and what it makes of bad records.

usage: test_access_faults.py    VMHEAT_CLI and VMHEAT_MAKE_RECORD name binaries
"""

import json
import os
import struct
import subprocess
import tempfile
import unittest
import zlib

from fake_qmp import FakeQMP, load
from test_golden import CLI, MAKE_RECORD

OK, USAGE, CONNECT, FILE, DAMAGED = 0, 1, 2, 7, 8


def vmheat(*args, cwd=None, env=None, **kwargs):
    clean = {k: v for k, v in os.environ.items() if k != "VMHEAT_SOCKET"}
    return subprocess.run(
        [os.path.abspath(CLI), *args], cwd=cwd, timeout=60, check=False,
        env={**clean, "LC_ALL": "C", "TZ": "UTC", "COLUMNS": "80",
             **(env or {})},
        stdout=kwargs.get("stdout", subprocess.PIPE), stderr=subprocess.PIPE,
        text=True)


class Access(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = folder.name
        self.path = self.make("vmheat.data", 20, 2, 24)

    def make(self, name, *arguments):
        path = os.path.join(self.dir, name)
        subprocess.run([os.path.abspath(MAKE_RECORD), path,
                        *map(str, arguments)], timeout=60, check=True)
        return path

    def report(self, *args, **kwargs):
        return vmheat("report", "access", *args, cwd=self.dir, **kwargs)

    def fails(self, code, *words, args):
        done = self.report(*args)
        self.assertEqual((done.returncode, done.stdout), (code, ""),
                         done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def write(self, name, data):
        path = os.path.join(self.dir, name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def bytes(self):
        with open(self.path, "rb") as f:
            return f.read()

    # the command line

    def test_usage(self):
        for args, *words in (
                (["--size", "2M"], "--size '2M'", "MIN-MAX"),
                (["--size", "2M-1M"], "--size '2M-1M'", "such as 4K-2M"),
                (["--rate", "x-"], "--rate 'x-'", "accesses a second"),
                (["--age", "10"], "--age '10'", "ms, s, m"),
                (["--idle", "-"], "--idle '-'", "10s-2m"),
                (["--style", "pie"], "--style 'pie'", "recency-percentiles"),
                (["--sort", "name"], "--sort 'name'", "idle or temperature"),
                (["--snapshot", "first"], "--snapshot 'first'", "last, all"),
                (["--snapshot", "-1"], "--snapshot '-1'", "the number"),
                (["--weights", "1,2"], "--weights '1,2'", "three numbers"),
                (["--weights", "1,2,-3"], "--weights '1,2,-3'", "0 .. 1000000"),
                (["--weights", "1,2,1e9"], "'1,2,1e9'", "three numbers"),
                (["--limit", "0"], "--limit '0'", "1 .. 100000"),
                (["--from", "5s", "--to", "5s"], "--to must be above --from"),
                (["--end", "1M", "--start", "2M"], "--end must be above"),
                (["-i", "vmheat.data", "-s", "x"], "not both"),
                (["-i", "vmheat.data", "guest"], "not both"),
                (["-s", "x", "--from", "1s"], "of a record"),
                (["-s", "x", "--snapshot", "last"], "of a record"),
                (["--json", "--style", "boxes"], "does not go with --style"),
                (["--json", "--raw"], "only one of --json and --raw"),
                (["a", "b"], "unexpected argument 'b'")):
            with self.subTest(args=args):
                self.fails(USAGE, "'vmheat help", *words, args=args)
        for option in (["--size", "1-"], ["--reverse"], ["--idle", "1s-"],
                       ["--sort", "temperature"]):
            done = vmheat("snapshot", "-s", "x", "--json", *option)
            self.assertEqual(done.returncode, USAGE)
            self.assertIn(f"{option[0]} does not work with --json",
                          done.stderr)

    def test_source(self):
        """A file that is named, then a machine, then vmheat.data."""
        other = self.make("other.data", 3, 2, 8)
        with FakeQMP() as server:
            for args, env, sequence in (
                    ([], {}, 40), (["-i", other], {}, 6),
                    (["-s", server.path], {}, 1234),
                    ([], {"VMHEAT_SOCKET": server.path}, 1234),
                    (["-i", other], {"VMHEAT_SOCKET": server.path}, 6)):
                done = self.report("--json", *args, env=env)
                self.assertEqual(done.returncode, OK, done.stderr)
                self.assertEqual(json.loads(done.stdout)["sequence"], sequence)
        self.fails(CONNECT, "cannot connect to", args=["-s", "none"])

    # live

    def test_live_json_is_what_qmp_says(self):
        for name in ("regions", "regions-rates"):
            with FakeQMP(regions=load(name)) as server:
                done = self.report("--json", "-s", server.path)
                self.assertEqual(json.loads(done.stdout), load(name))

    def test_live_sends_filters(self):
        with FakeQMP() as server:
            self.report("-s", server.path, "--start", "4G", "--end", "5G",
                        "--min-nr-accesses", "2", "--limit", "1", "--size",
                        "1G-")
            sent = [s for s in server.seen if s[0] == "query-vmheat-regions"]
        self.assertEqual(sent[0][1], {"start": 4 << 30, "end": 5 << 30,
                                      "min-nr-accesses": 2})

    def test_snapshot_limit(self):
        """QMP limits only what it sorted and filtered."""
        for option, limit in (([], {"limit": 3}), (["--reverse"], {}),
                              (["--idle", "1s-"], {}),
                              (["--style", "boxes"], {"limit": 3})):
            with FakeQMP() as server:
                vmheat("snapshot", "--limit", "3", *option, "-s", server.path)
                sent = [s for s in server.seen
                        if s[0] == "query-vmheat-regions"]
            self.assertEqual(sent[0][1], limit)

    # records

    def test_no_record(self):
        os.unlink(self.path)
        self.fails(FILE, "cannot read 'vmheat.data'", "No such file", args=[])
        self.fails(FILE, "cannot read 'x?'", args=["-i", "x\x1b"])

    def test_foreign(self):
        for data in (b"", b"x", b"PNG" * 1000):
            path = self.write("foreign", data)
            self.fails(FILE, "'" + path + "' is no record of vmheat",
                       args=["-i", path])

    def damaged(self, data, sequence, *args):
        done = self.report("-i", self.write("bad", data), "--json", *args)
        self.assertEqual(done.returncode, DAMAGED, done.stderr)
        self.assertIn("is damaged at byte", done.stderr)
        got = [json.loads(s)["sequence"] for s in done.stdout.splitlines()]
        self.assertEqual(got[-1:], sequence)
        return got

    def test_cut_off(self):
        """What is before the damage is shown."""
        good = self.bytes()
        self.damaged(good[:-1], [40])
        self.assertEqual(self.damaged(good[:-1], [40], "--snapshot", "all"),
                         [*range(1, 41)])
        self.damaged(good[:-60], [38])

    def test_last_is_bad(self):
        """Then the last good one is told, and why."""
        with open(self.make("long.data", 500, 10, 1000), "rb") as f:
            data = f.read()
        last = data.rindex(b"VHBK\x02")
        before = self.report("-i", self.write("before", data[:last]), "--json")
        sequence = json.loads(before.stdout)["sequence"]
        self.assertGreater(sequence, 1)
        bad = bytearray(data)
        bad[last + 100] ^= 1
        self.assertEqual(self.damaged(bytes(bad), [sequence]), [sequence])

    def test_no_snapshot(self):
        self.fails(USAGE, "'vmheat.data' has no snapshot 41: it has 1 .. 40",
                   args=["--snapshot", "41"])
        self.fails(USAGE, "no snapshot 41 of that time: it has 1 .. 3",
                   args=["--snapshot", "41", "--to", "1s"])
        done = self.report("--from", "1h", "--raw")
        self.assertEqual((done.returncode, done.stdout), (OK, ""))
        self.assertIn("has no snapshots of the time asked for", done.stderr)

    def test_last_of_a_time(self):
        """Only what is needed is read; it has to be the same."""
        self.path = self.make("long.data", 500, 10, 1000)
        for time in ("0.1s", "0.5s", "0.55s", "387.3s", "401.25s", "1h"):
            args = ["-i", self.path, "--to", time, "--json", "--limit", "9"]
            one = self.report(*args, "--snapshot", "last")
            all_ = self.report(*args, "--snapshot", "all")
            self.assertEqual(one.stdout, all_.stdout.splitlines(True)[-1])

    def test_machine_of_record(self):
        """What a record says of its machine may be anything."""
        done = self.report("--limit", "1")
        self.assertTrue(done.stdout.startswith(
            "guest, 2026-01-02 03:04:25 UTC, 19.5s into the record\n"),
            done.stdout)
        for machine, head in (
                ({}, "19.5s into"), ([], "guest, 2026"), ("x", "guest, 2026"),
                ({"name": 3, "realtime": "x"}, "19.5s into"),
                ({"name": "a\x1b[2J\n"}, "a?[2J?, 19.5s into"),
                ({"name": "", "realtime": 1}, "1970-01-01 00:17:00 UTC, 19.5"),
                ({"realtime": 2**63 - 1, "monotonic": -2**63},
                 "2038-01-19 03:14:07 UTC, 19.5s into"),
                ({"realtime": 1, "monotonic": 2**63 - 1},
                 "1970-01-01 00:00:00 UTC, 19.5s into")):
            path = self.write("hostile", self.with_machine(machine))
            done = self.report("-i", path, "--limit", "1")
            self.assertEqual(done.returncode, OK, done.stderr)
            self.assertTrue(done.stdout.startswith(head), done.stdout)

    def with_machine(self, machine):
        """The record with one more block of type VM, as record.h has it."""
        payload = json.dumps(machine).encode()
        head = b"VHBK" + struct.pack("<HHIIQQ", 1, 0, len(payload),
                                     len(payload), 0, 0)
        block = head + struct.pack("<II", zlib.crc32(head + payload), 0)
        good = self.bytes()
        at = good.index(b"VHBK\x02")
        return good[:at] + block + payload + good[at:]

    def test_output_cannot_be_written(self):
        for option in ([], ["--raw"], ["--json"]):
            with open("/dev/full", "w", encoding="ascii") as full:
                done = self.report("--snapshot", "all", *option, stdout=full)
            self.assertEqual(done.returncode, USAGE)
            self.assertEqual(done.stderr.count("cannot write to standard"), 1)


if __name__ == "__main__":
    unittest.main()
