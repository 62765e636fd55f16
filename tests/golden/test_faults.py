#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad input and bad servers: one clear sentence and the documented exit code.

VMHEAT_CLI names the binary.
"""

import json
import os
import socket
import subprocess
import tempfile
import time
import unittest

from fake_qmp import FakeQMP, GREETING, error, load

CLI = os.path.abspath(os.environ.get("VMHEAT_CLI", "build/vmheat"))
OK, USAGE, CONNECT, QMP, TIMEOUT, PROTOCOL = range(6)
VERBS = ("status", "snapshot", "top", "pause", "resume", "tune")


def vmheat(*args, **kwargs):
    env = {k: v for k, v in os.environ.items() if k != "VMHEAT_SOCKET"}
    return subprocess.run([CLI, *args], env={**env, "LC_ALL": "C"},
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True, timeout=30, check=False,
                          **{"stdout": subprocess.PIPE, **kwargs})


class Faults(unittest.TestCase):
    def fails(self, code, *words, args=(), server=None, stdout=""):
        """Runs and expects this exit code and one sentence with the words."""
        if server is not None:
            args = [*args, "-s", server.path]
        done = vmheat(*args)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, stdout)
        self.assertTrue(done.stderr.startswith("vmheat: "), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    # the command line

    def test_usage(self):
        for args, word in (
                ([], "a verb is missing"),
                (["frob"], "unknown verb 'frob'"),
                (["status"], "VMHEAT_SOCKET"),
                (["status", "-s"], "'-s' needs an argument"),
                (["status", "--socket"], "'--socket' needs an argument"),
                (["status", "--json=1", "-s", "x"], "'--json=1'"),
                (["status", "--frob"], "'--frob'"),
                (["status", "-x"], "'-x'"),
                (["status", "-jx"], "'-j'"),
                (["status", "x", "y"], "unexpected argument 'y'"),
                (["status", ""], "name of a domain cannot be empty"),
                (["status", "-s", "x", "y"], "a socket or domain 'y'"),
                (["status", "-c", "x", "-s", "y"], "which domain of 'x'?"),
                (["grant", "-s", "x", "y"], "domain 'y', not both"),
                (["status", "-s", ""], "path of a QMP socket"),
                (["status", "-s", "x", "--limit", "1"], "no option --limit"),
                (["pause", "-s", "x", "--color"], "no option --color"),
                (["top", "-s", "x", "--programs", "x"], "no option --prog"),
                (["doctor", "--programs"], "'--programs' needs an argument"),
                (["doctor", "--programs", ""], "must be a directory"),
                (["doctor", "--limit", "1"], "no option --limit"),
                (["doctor", "x", "y"], "unexpected argument 'y'"),
                (["tune", "-s", "x", "--sampling-interval", "5"],
                 "must be a number with us, ms"),
                (["tune", "-s", "x", "--sampling-interval", "-5ms"], "'-5ms'"),
                (["tune", "-s", "x", "--sample", "5x"], "microseconds, or"),
                (["tune", "-s", "x", "--aggr", "9223372036854775808"], "must"),
                (["tune", "-s", "x", "--max-regions", "4294967296"],
                 "0 .. 4294967295"),
                (["tune", "-s", "x", "--overhead-budget", "0.5"],
                 "a percentage such as 0.5%"),
                (["tune", "-s", "x", "--overhead-budget", "1e9%"], "such as"),
                (["tune", "-s", "x", "--overhead-budget", "99999999%"],
                 "at most 100%"),
                (["tune", "-s", "x", "--limit", "1"], "no option --limit"),
                (["top", "-s", "x", "-d", "0"], "--delay '0'"),
                (["top", "-s", "x", "-d", "nan"], "--delay 'nan'"),
                (["top", "-s", "x", "-d", "1x"], "--delay '1x'"),
                (["top", "-s", "x", "-n", "0"], "--iterations '0'"),
                (["top", "-s", "x", "-n", "-1"], "--iterations '-1'"),
                (["top", "-s", "x", "-t", "1e9"], "--timeout '1e9'"),
                (["snapshot", "-s", "x", "--sort", "x"], "idle or temperature"),
                (["snapshot", "-s", "x", "--start", "12Q"], "--start '12Q'"),
                (["snapshot", "-s", "x", "--start", "-1"], "--start '-1'"),
                (["snapshot", "-s", "x", "--end", "9999999T"], "--end '9999"),
                (["snapshot", "-s", "x", "--end", "0"], "above --start"),
                (["snapshot", "-s", "x", "--start", "2G", "--end", "1G"],
                 "above --start"),
                (["snapshot", "-s", "x", "--limit", "0"], "1 .. 100000"),
                (["snapshot", "-s", "x", "--limit", "100001"], "1 .. 100000"),
                (["snapshot", "-s", "x", "--min-nr-accesses", "4294967296"],
                 "0 .. 4294967295"),
                (["snapshot", "-s", "x", "--json", "--sort", "heat"],
                 "--sort does not work with --json")):
            with self.subTest(args=args):
                self.fails(USAGE, word, "'vmheat help", args=args)

    def test_usage_points_to_the_help_of_the_verb(self):
        for args, where in (
                ([], "help"), (["frob"], "help"), (["--frob"], "help"),
                (["status"], "help status"),
                (["-s", "x", "--frob", "status"], "help status"),
                (["snapshot", "-s", "x", "--limit", "0"], "help snapshot"),
                (["report", "wss", "--sort", "heat"], "help report wss")):
            with self.subTest(args=args):
                self.fails(USAGE, f"'vmheat {where}'\n", args=args)
                done = vmheat(*where.split())
                self.assertEqual(done.returncode, OK)

    def test_version_and_options_first(self):
        done = vmheat("--version")
        self.assertEqual((done.returncode, done.stdout[:7]), (OK, "vmheat "))
        with FakeQMP() as server:
            done = vmheat("-s", server.path, "--json", "pause")
            self.assertEqual((done.returncode, json.loads(done.stdout)),
                             (OK, {}))

    def test_output_cannot_be_written(self):
        for args in (["status"], ["top", "-d", "0.01"], ["status", "--json"]):
            with FakeQMP() as server, open("/dev/full", "w",
                                           encoding="ascii") as full:
                done = vmheat(*args, "-s", server.path, stdout=full)
            self.assertEqual(done.returncode, USAGE)
            self.assertIn("cannot write to standard output", done.stderr)

    # connecting

    def test_no_socket(self):
        with tempfile.TemporaryDirectory() as d:
            file = os.path.join(d, "file")
            with open(file, "w", encoding="ascii"):
                pass
            stale = os.path.join(d, "stale")
            with socket.socket(socket.AF_UNIX) as s:
                s.bind(stale)
            dgram = os.path.join(d, "dgram")
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
                s.bind(dgram)
                for path, word in ((os.path.join(d, "none"), "No such file"),
                                   (file, "it is not a socket"),
                                   (stale, "nobody listens"),
                                   (dgram, "datagram"),
                                   (d, "not a socket"),
                                   ("/" + "x" * 200, "107 bytes")):
                    for verb in VERBS:
                        with self.subTest(path=path, verb=verb):
                            self.fails(CONNECT, "cannot connect to", word,
                                       args=[verb, "-s", path])

    def test_no_permission(self):
        with FakeQMP() as server:
            os.chmod(server.dir, 0o755)
            os.chmod(server.path, 0)
            args = [CLI, "status", "-s", server.path]
            if os.geteuid() == 0:
                args = ["setpriv", "--reuid=65534", "--clear-groups", *args]
                probe = subprocess.run(args[:3] + ["test", "-x", CLI],
                                       check=False, capture_output=True)
                if probe.returncode:
                    self.skipTest("another user cannot run the binary here")
            done = subprocess.run(args, capture_output=True, text=True,
                                  timeout=30, check=False)
            self.assertEqual(done.returncode, CONNECT, done.stderr)
            self.assertIn("permission denied", done.stderr)

    def test_closed_at_once(self):
        with socket.socket(socket.AF_UNIX) as s, \
                tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "s")
            s.bind(path)
            s.listen(1)
            process = subprocess.Popen([CLI, "status", "-s", path],
                                       stderr=subprocess.PIPE, text=True)
            s.accept()[0].close()
            _, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, CONNECT)
        self.assertIn("before a QMP greeting", err)

    def test_busy(self):
        """The socket has a client, and then a full queue too."""
        with FakeQMP() as server:
            queue = []
            for _ in range(3):
                s = socket.socket(socket.AF_UNIX)
                s.setblocking(False)
                try:
                    s.connect(server.path)
                except BlockingIOError:
                    pass
                queue.append(s)
                begin = time.monotonic()
                self.fails(TIMEOUT, "one client at a time", "within 0.2 s",
                           args=["status", "-t", "0.2"], server=server)
                self.assertLess(time.monotonic() - begin, 3)
            for s in queue:
                s.close()

    # not QMP

    def test_not_qmp(self):
        for raw, word in (
                (b"QEMU 7.2.22 monitor - type 'help' for more information\r\n",
                 "human monitor (HMP)"),
                (b"\xff\xfb\x01\xff\xfb\x03QEMU", "human monitor (HMP)"),
                (b"SSH-2.0-OpenSSH_9.2\r\n", "not JSON"),
                (b"{\"return\": {}}\n", "no QMP greeting"),
                (b"{\"QMP\": 3}\n", "no QMP greeting"),
                (b"{nonsense}\n", "not a JSON object"),
                (b"{\"a\": \"\xff\xfe\"}\n", "not a JSON object"),
                (b"{" + b" " * 100000, "line without end")):
            with self.subTest(raw=raw[:20]), FakeQMP(raw=raw) as server:
                self.fails(PROTOCOL, "does not speak QMP", word,
                           args=["status"], server=server)

    def test_says_nothing(self):
        for raw in (b"", b"{\"QMP\""):
            with self.subTest(raw=raw), FakeQMP(raw=raw) as server:
                self.fails(TIMEOUT, "no QMP greeting",
                           args=["top", "-t", "0.2"], server=server)

    # replies

    def replies(self, reply, command="query-vmheat"):
        return FakeQMP(replies={command: lambda args: reply})

    def test_errors(self):
        gone = error("DeviceNotFound", "there is no vmheat device")
        for verb, command in (("status", "query-vmheat"),
                              ("top", "query-vmheat"),
                              ("snapshot", "query-vmheat-regions"),
                              ("tune", "query-vmheat"),
                              ("pause", "vmheat-pause"),
                              ("resume", "vmheat-resume")):
            for json_ in ([], ["--json"]):
                with self.replies(gone, command) as server:
                    self.fails(QMP, command, "there is no vmheat device",
                               "device_add vmheat,id=heat0",
                               args=[verb, *json_], server=server)
        unknown = error("CommandNotFound", "The command query-vmheat has not "
                        "been found")
        with self.replies(unknown) as server:
            self.fails(QMP, "-plugin vmheat.so", args=["status"],
                       server=server)
        with self.replies(error("GenericError", "no\x1b[2J way")) as server:
            self.fails(QMP, "no?[2J way", args=["status"], server=server)
        with self.replies(error("DeviceNotFound", "no device; add one with "
                                "device_add vmheat,id=heat0")) as server:
            done = vmheat("status", "-s", server.path)
            self.assertEqual(done.stderr.count("device_add"), 1)
        with self.replies({"error": 5}) as server:
            self.fails(QMP, "without a description", args=["status"],
                       server=server)

    def test_tune_is_all_or_nothing(self):
        """One command; what QEMU says is passed on, and nothing changed."""
        with FakeQMP() as server:
            self.fails(QMP, "vmheat-set: sampling-interval 0 us is out of "
                       "range: allowed is 1000 ..",
                       args=["tune", "--sampling-interval", "0",
                             "--max-regions", "500"], server=server)
            self.assertEqual(server.info, load("info"))
            sent = [a for c, a in server.seen if c == "vmheat-set"]
            self.assertEqual(sent, [{"sampling-interval": 0,
                                     "max-regions": 500}])

    def test_tune_sends(self):
        """Units are those of the attributes; what is not given is not sent."""
        for args, sent in (
                (["--sampling-interval", "5ms", "--aggregation-interval=0.1s",
                  "--update-interval", "1s"],
                 {"sampling-interval": 5000, "aggregation-interval": 100000,
                  "update-interval": 1000000}),
                (["--sample", "5000", "--aggr", "100000", "--updr", "1s"],
                 {"sampling-interval": 5000, "aggregation-interval": 100000,
                  "update-interval": 1000000}),
                (["--min-regions", "10", "--max-regions", "500"],
                 {"min-regions": 10, "max-regions": 500}),
                (["--minr", "10", "--maxr", "500"],
                 {"min-regions": 10, "max-regions": 500}),
                (["--traps-per-second", "0"], {"traps-per-second": 0}),
                (["--overhead-budget", "50"], {"overhead-budget": 50}),
                (["--overhead-budget", "0.57%"], {"overhead-budget": 57}),
                (["--overhead-budget", "100%"], {"overhead-budget": 10000})):
            with self.subTest(args=args), FakeQMP() as server:
                done = vmheat("tune", *args, "-s", server.path)
                self.assertEqual(done.returncode, OK, done.stderr)
                self.assertEqual([a for c, a in server.seen
                                  if c == "vmheat-set"], [sent])
                for name, value in sent.items():
                    self.assertEqual(server.info["attrs"][name], value)

    def test_tune_shows_only(self):
        with FakeQMP() as server:
            vmheat("tune", "-s", server.path)
            self.assertEqual([c for c, _ in server.seen],
                             ["qmp_capabilities", "query-vmheat"])

    def test_tune_wrong_reply(self):
        good = load("info")["attrs"]
        for name in good:
            reply = {"return": {**good, name: "x"}}
            with self.subTest(name=name), \
                    self.replies(reply, "vmheat-set") as server:
                self.fails(PROTOCOL, "the reply of vmheat-set has no", name,
                           args=["tune", "--max-regions", "9"], server=server)

    def test_no_answer(self):
        for verb in ("status", "top"):
            with self.replies(None) as server:
                self.fails(TIMEOUT, "query-vmheat", "within 0.2 s",
                           args=[verb, "-t", "0.2"], server=server)

    def test_flood_of_events(self):
        """A server that never stops talking is no excuse to wait on."""
        line = b'{"event": "X", "timestamp": {}}\n'

        def flood(_args):
            end = time.monotonic() + 5
            while time.monotonic() < end:
                server.client.sendall(line * 100)
            return "close"
        with FakeQMP(replies={"query-vmheat": flood}) as server:
            begin = time.monotonic()
            self.fails(TIMEOUT, "within 0.3 s", args=["status", "-t", "0.3"],
                       server=server)
            self.assertLess(time.monotonic() - begin, 3)

    def test_late_reply_is_dropped(self):
        stale = b'{"return": {"state": "stale"}, "id": 1}\n'
        good = json.dumps({"return": load("info"), "id": 2}).encode() + b"\n"
        with self.replies(stale + good) as server:
            done = vmheat("status", "--json", "-s", server.path)
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertEqual(json.loads(done.stdout),
                         {**load("info"), "memory": load("memory")})

    def test_virtual_machine_ends(self):
        for verb in ("status", "top"):
            with self.replies("close") as server:
                self.fails(CONNECT, "virtual machine has ended", args=[verb],
                           server=server)

    def test_virtual_machine_ends_between_pictures(self):
        with FakeQMP() as server:
            process = subprocess.Popen(
                [CLI, "top", "-d", "60", "-s", server.path], text=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertIn("running", process.stdout.readline())
            server.hang_up()
            begin = time.monotonic()
            _, err = process.communicate(timeout=30)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual(process.returncode, CONNECT)
        self.assertIn("virtual machine has ended", err)

    def test_garbage_reply(self):
        for reply, word in ((b"}\n", "not a JSON object"),
                            (b"[]\n", "not a JSON object"),
                            (b"{}\n", "no reply and no event")):
            with self.subTest(reply=reply), self.replies(reply) as server:
                self.fails(PROTOCOL, word, args=["status"], server=server)

    def test_wrong_reply(self):
        """Each member missing, and of a wrong type."""
        for command, verb, good in (
                ("query-vmheat", "status", load("info")),
                ("query-vmheat-memory", "status", {
                    **load("memory"), "balloon-actual": 1,
                    "balloon-target": 1}),
                ("query-vmheat-regions", "snapshot", load("regions"))):
            for name in good:
                if name == "id":  # optional
                    continue
                for wrong in ("missing", [-1]):
                    bad = {**good, name: wrong}
                    if wrong == "missing":
                        if name in ("swapped", "huge", "balloon-actual"):
                            continue
                        del bad[name]
                    with self.subTest(name=name, wrong=wrong), \
                            self.replies({"return": bad}, command) as server:
                        self.fails(PROTOCOL, f"the reply of {command} has no",
                                   args=[verb], server=server)

    def test_memory_is_asked_for_again(self):
        """Until there are figures that are not of an hour ago."""
        old = {**load("memory"), "measured-ms": 3600000}
        for first in ({"size": 1 << 30, "measurements": 0}, old):
            replies = iter([first, first, load("memory")])
            with FakeQMP(replies={"query-vmheat-memory":
                                  lambda a: {"return": next(replies)}}) as s:
                done = vmheat("status", "--json", "-s", s.path)
            self.assertEqual(done.returncode, OK, done.stderr)
            self.assertEqual(json.loads(done.stdout)["memory"],
                             load("memory"))

    def test_memory_is_not_answered(self):
        with self.replies(None, "query-vmheat-memory") as server:
            self.fails(TIMEOUT, "query-vmheat-memory", "within 0.2 s",
                       args=["status", "-t", "0.2"], server=server)
        with self.replies("close", "query-vmheat-memory") as server:
            self.fails(CONNECT, "virtual machine has ended", args=["status"],
                       server=server)

    def test_wrong_return(self):
        for value in (None, [], "x", 3):
            with self.replies({"return": value}) as server:
                self.fails(PROTOCOL, "no object 'return'", args=["status"],
                           server=server)

    def test_regions_out_of_order(self):
        regions = load("regions")
        regions["regions"].reverse()
        with FakeQMP(regions=regions) as server:
            self.fails(PROTOCOL, "no sorted 'regions'", args=["snapshot"],
                       server=server)

    def test_wrong_columns(self):
        good = {"start": [0], "end": [4096], "nr-accesses": [1], "age": [1]}
        for name, wrong in (("start", []), ("end", [1, 2]), ("age", "x"),
                            ("nr-accesses", ["x"]), ("age", [-1]),
                            ("end", [0])):
            regions = {**load("regions"), "regions": [],
                       "columns": {**good, name: wrong}}
            with self.subTest(name=name, wrong=wrong), self.replies(
                    {"return": regions}, "query-vmheat-regions") as server:
                self.fails(PROTOCOL, "the reply of query-vmheat-regions",
                           args=["top", "--once"], server=server)

    def test_wrong_rates(self):
        """In either form; a number without a fraction is right."""
        one = {"start": 0, "end": 4096, "nr-accesses": 1, "age": 1,
               "nr-writes": 1, "rate": 2, "rate-low": 0.5, "rate-high": 3.5,
               "write-rate": 1, "idle-ms": 0}
        bad = [(name, wrong)
               for name in ("rate", "rate-low", "rate-high", "write-rate")
               for wrong in ("x", -0.5, [], None)]
        bad += [("idle-ms", wrong) for wrong in (-1, 0.5, "x")]
        for name, wrong in [("age", 1), *bad]:
            region = {**one, name: wrong}
            row = {"regions": [region]}
            columns = {"regions": [],
                       "columns": {k: [v] for k, v in region.items()}}
            for form, args in ((row, ["snapshot"]),
                               (columns, ["top", "--once"])):
                reply = {"return": {**load("regions"), **form}}
                with self.subTest(name=name, wrong=wrong, args=args), \
                        self.replies(reply, "query-vmheat-regions") as server:
                    if name == "age":
                        self.assertEqual(0, vmheat(
                            *args, "-s", server.path).returncode)
                    else:
                        self.fails(PROTOCOL, f"no rate '{name}'" if
                                   name != "idle-ms" else "'idle-ms'",
                                   args=args, server=server)

    def test_missing_rates(self):
        """Rates come together, with columns of the same length."""
        one = {"start": 0, "end": 4096, "nr-accesses": 1, "age": 1,
               "rate": 2, "rate-low": 0.5, "rate-high": 3.5, "idle-ms": 0}
        for name in ("rate-low", "rate-high", "idle-ms"):
            region = {k: v for k, v in one.items() if k != name}
            short = {k: [] if k == name else [v] for k, v in one.items()}
            for form, args in (({"regions": [region]}, ["snapshot"]),
                               ({"regions": [], "columns": short},
                                ["top", "--once"])):
                reply = {"return": {**load("regions"), **form}}
                with self.subTest(name=name, args=args), \
                        self.replies(reply, "query-vmheat-regions") as server:
                    self.fails(PROTOCOL, f"'{name}'", args=args,
                               server=server)

    # what is sent

    def test_arguments(self):
        with FakeQMP() as server:
            vmheat("snapshot", "--start", "0x10K", "--end", "2G",
                   "--min-nr-accesses", "3", "--limit", "7", "-s", server.path)
            vmheat("snapshot", "--sort", "size", "--limit", "7", "-s",
                   server.path)
            sent = [s for s in server.seen if s[0] == "query-vmheat-regions"]
        self.assertEqual([s[1] for s in sent], [
            {"start": 0x4000, "end": 2 << 30, "min-nr-accesses": 3,
             "limit": 7}, {}])

    def test_greeting_without_version(self):
        raw = GREETING["QMP"].pop("version")
        try:
            with FakeQMP() as server:
                self.assertEqual(vmheat("status", "-s",
                                        server.path).returncode, OK)
        finally:
            GREETING["QMP"]["version"] = raw


if __name__ == "__main__":
    unittest.main()
