#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What vmheat-exporter tells, and where it finds machines."""

import json
import os
import subprocess
import tempfile
import time
import unittest

from exporter import (BINARY, FAST, Case, Events, Exporter, FakeQMP, identity,
                      load, token_file, wait_until)

UUID = "6a2b1c3d-0000-4000-8000-0123456789ab"


def run(*args):
    return subprocess.run([BINARY, *args], capture_output=True, text=True,
                          timeout=60, check=False)


class Api(Case):
    def test_list_and_details(self):
        self.folder.add("web.qmp", regions=load("regions-rates"),
                        replies=identity("web", UUID))
        self.folder.add("db.sock", regions=load("regions"))
        x = self.start()
        vms = x.wait_for("web", "db")
        self.assertEqual(list(vms), ["db", "web"])
        web = vms["web"]
        self.assertEqual((web["id"], web["uuid"]), (UUID, UUID))
        self.assertEqual((vms["db"]["id"], vms["db"]["uuid"]), ("db", None))
        snapshot = load("regions-rates")
        size = {}
        for r in snapshot["regions"]:
            for seconds in (10, 60, 600, 3600):
                if r["idle-ms"] >= seconds * 1000:
                    size[seconds] = size.get(seconds, 0) + r["end"] - r["start"]
        self.assertEqual({i["seconds"]: i["bytes"] for i in web["idle"]}, size)
        total = sum(r["end"] - r["start"] for r in snapshot["regions"])
        self.assertEqual(sum(web["classes"].values()), total)
        self.assertEqual(web["needs"], total - size[60])
        self.assertEqual(web["working_set"], snapshot["working-set-size"])
        # the one that is idle for longer than the monitor runs
        self.assertEqual(web["classes"]["never"], 8522825728 - 7516192768)
        self.assertTrue(0 < web["confidence"] < 1)
        self.assertIsNone(vms["db"]["confidence"])
        details = x.json(f"/api/v1/vms/{UUID}")
        for key, value in web.items():
            if key not in ("asked", "cost"):
                self.assertEqual(details[key], value, key)
        self.assertEqual(details["attrs"], load("info")["attrs"])
        self.assertEqual(len(details["ranges"]), 5)
        for h in (details["rate_histogram"], details["idle_histogram"]):
            self.assertEqual(len(h["bytes"]), len(h["bounds"]) + 1)
            self.assertEqual(sum(h["bytes"]), total)
        self.assertEqual(details["schemes"][0]["scheme"]["name"], "reclaim")
        self.assertEqual(details["qemu_version"], "7.2.22")

    def test_other_paths(self):
        self.folder.add("vm")
        x = self.start()
        x.wait_for("vm")
        self.assertEqual(x.get("/healthz")[::2], (200, "ok\n"))
        status, headers, text = x.get("/")
        self.assertEqual(status, 200)
        self.assertIn("text/html", headers["Content-Type"])
        self.assertIn("default-src 'self'", headers["Content-Security-Policy"])
        self.assertIn("frame-ancestors 'none'",
                      headers["Content-Security-Policy"])
        self.assertNotIn("<script>", text)
        self.assertEqual(x.ask("HEAD", "/metrics")[::2], (200, ""))
        for path in ("/nothing", "/api/v1/vms/none", "/api/v1/vms/", "/api",
                     "/api/v1/vms/vm/nothing", "/../etc/passwd",
                     "/..%2f..%2fetc/passwd", "//metrics",
                     "/api/v1/vms/none/actions", "/api/v1/vms/none/events"):
            self.assertIn("error", x.json(path, 404), path)
        for method, path, allow in (
                ("POST", "/metrics", "GET, HEAD"), ("DELETE", "/", "GET, HEAD"),
                ("GET", "/api/v1/vms/vm/pause", "POST"),
                ("OPTIONS", "/api/v1/vms/vm/schemes", "PUT")):
            status, headers, _ = x.ask(method, path)
            self.assertEqual((status, headers["Allow"]), (405, allow), path)
        for _, headers, _ in (x.get("/"), x.get("/metrics"), x.get("/none")):
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(headers["X-Frame-Options"], "DENY")
        self.assertEqual(
            [a["name"] for a in x.json("/api/v1/vms/vm/actions")],
            [a["name"] for a in load("actions")])

    def test_host(self):
        root = tempfile.mkdtemp(prefix="vmheat-root-")
        files = {
            "proc/meminfo": "MemTotal: 1000 kB\nMemAvailable: 400 kB\n"
                            "SwapTotal: 200 kB\nSwapFree: 150 kB\n"
                            "Zswap: 4 kB\nZswapped: 16 kB\n",
            "proc/swaps": "Filename Type Size Used Priority\n"
                          "/dev/zram0 partition 100 20 5\n"
                          "/dev/sda2 partition 100 30 -2\n",
            "sys/block/zram0/mm_stat": "16384 3000 4096 0 5000 0 0 0 0\n",
            "sys/block/zram1/mm_stat": "999999 9 999 0 5000 0 0 0 0\n",
        }
        for name, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, name)),
                        exist_ok=True)
            with open(os.path.join(root, name), "w", encoding="ascii") as f:
                f.write(text)
        self.folder.add("vm", replies={
            "query-vmheat-memory": lambda a: {"error": {
                "class": "CommandNotFound", "desc": "no such command"}},
            "query-balloon": lambda a: {"return": {"actual": 6442233856 -
                                                   4096}}})
        x = self.start(env={"VMHEAT_HOST_ROOT": root})
        host = x.json("/api/v1/host")
        self.assertEqual(host["node"], "host1")
        self.assertIs(host["control"], False)
        self.assertEqual(host["memory"], {"total": 1024000,
                                          "available": 409600})
        self.assertEqual(host["swap"], {"total": 204800, "used": 51200})
        self.assertEqual(host["compressed"], {"original": 32768,
                                              "stored": 8192})
        vm = x.wait_for("vm")["vm"]
        self.assertEqual(vm["balloon"], {"actual": 6442233856 - 4096,
                                         "target": None})
        self.assertEqual(vm["saved"],
                         4096 + vm["paged_out"] - vm["compressed"])
        self.assertTrue(0 < vm["compressed"] <= 8192)

    def test_memory_of_a_later_plugin(self):
        """query-vmheat-memory has the last word, also on the balloon."""
        self.folder.add("vm", replies={
            "query-vmheat-memory": lambda a: {"return": {
                "size": 8000, "measurements": 1, "measured-ms": 9,
                "resident": 5000, "swapped": 1000, "huge": 2000,
                "balloon-actual": 7000, "balloon-target": 6000}},
            "query-balloon": lambda a: {"return": {"actual": 1}}})
        x = self.start(env={"VMHEAT_HOST_ROOT": "/nonexistent"})
        vm = x.wait_for("vm")["vm"]
        self.assertEqual({k: vm[k] for k in ("size", "has", "paged_out", "huge",
                                             "saved", "compressed")},
                         {"size": 8000, "has": 5000, "paged_out": 1000,
                          "huge": 2000, "saved": 2000, "compressed": None})
        self.assertEqual(vm["balloon"], {"actual": 7000, "target": 6000})

    def test_memory_that_is_not_measured_yet(self):
        self.folder.add("vm", replies={
            "query-vmheat-memory": lambda a: {"return": {
                "size": 8000, "measurements": 0}}})
        vm = self.start().wait_for("vm")["vm"]
        self.assertEqual((vm["huge"], vm["balloon"]), (None, None))

    def test_states(self):
        def absent(_):
            return {"error": {"class": "CommandNotFound", "desc": "unknown"}}
        self.folder.add("plain", replies={"query-vmheat": absent})
        info = load("info")
        info.update({"state": "suspended", "reason": "migration"})
        self.folder.add("moving", info=info)
        self.folder.add("odd", raw=b"hello\n")
        self.folder.add("new", regions={**load("regions"), "sequence": 0,
                                        "nr-regions": 0, "regions": []})
        x = self.start()
        self.assertIsNone(x.wait_for("new")["new"]["rate"])
        self.assertFalse([k for k in x.metrics() if k.startswith(
            "vmheat_domain_working_set_bytes") and 'domain="new"' in k])
        x.wait_for("plain", state="absent")
        self.assertEqual(x.wait_for("moving", state="suspended")["moving"]
                         ["reason"], "migration")
        odd = x.wait_for("odd", state="unreachable")["odd"]
        self.assertIn("does not speak QMP", odd["reason"])
        m = x.metrics()
        labels = '{domain="odd",uuid="",node="host1"'
        self.assertEqual(m[f"vmheat_domain_up{labels}}}"], "0")
        self.assertEqual(
            m[f'vmheat_domain_state{labels},state="unreachable"}}'], "1")
        # old figures must not look new
        self.assertFalse([k for k in m if labels in k and "_bytes" in k])

    def test_one_that_hangs_delays_nobody(self):
        for i in range(8):
            self.folder.add(f"mute{i}",
                            replies={"query-vmheat": lambda a: None})
        good = self.folder.add("good")
        x = self.start(*FAST, "-t", "1m")
        x.wait_for("good")
        asked = len(good.seen)
        self.assertTrue(wait_until(lambda: len(good.seen) > asked + 20))
        begin = time.monotonic()
        self.assertIn("good", x.get("/metrics")[2])
        self.assertLess(time.monotonic() - begin, 10)
        begin = time.monotonic()
        x.__exit__()
        self.assertLess(time.monotonic() - begin, 15)

    def test_it_comes_back(self):
        server = self.folder.add("vm")
        x = self.start(*FAST)
        x.wait_for("vm")
        server.raw = b""
        server.hang_up()
        x.wait_for("vm", state="unreachable")
        server.raw = None
        server.hang_up()
        x.wait_for("vm")
        self.assertIn("running", "".join(x.log))

    def test_sockets_come_and_go(self):
        """By inotify: far sooner than the folder is looked at anyway."""
        self.folder.add("first")
        x = self.start()
        x.wait_for("first")
        begin = time.monotonic()
        self.folder.add("second")
        x.wait_for("second")
        self.folder.remove("first")
        self.assertTrue(wait_until(lambda: list(x.vms()) == ["second"]))
        self.assertLess(time.monotonic() - begin, 8)

    def test_named_sockets(self):
        with FakeQMP(name="one.qmp") as one, FakeQMP(name="two.qmp") as two, \
                Exporter("-s", one.path, "-s", two.path) as x:
            x.wait_for("one", "two")

    def test_two_of_one_name(self):
        """No two have the same labels, or Prometheus would take neither."""
        for name in ("a", "b", "c"):
            self.folder.add(name, replies=identity("twin", UUID))
        x = self.start()
        self.assertTrue(wait_until(lambda: len(x.vms()) == 3))
        vms = x.json("/api/v1/vms")["vms"]
        self.assertTrue(wait_until(lambda: all(
            v["domain"].startswith("twin")
            for v in x.json("/api/v1/vms")["vms"])))
        vms = x.json("/api/v1/vms")["vms"]
        self.assertEqual(len({v["id"] for v in vms}), 3)
        self.assertEqual(len({v["domain"] for v in vms}), 3)
        self.assertIn("twin", [v["domain"] for v in vms])
        lines = [line.rsplit(" ", 1)[0] for line in
                 x.get("/metrics")[2].splitlines() if line[0] != "#"]
        self.assertEqual(len(lines), len(set(lines)))

    def test_pace(self):
        """One that somebody looks at is asked more often than others."""
        seen = self.folder.add("seen")
        other = self.folder.add("other")
        x = self.start("--interval", "250ms", "--idle-interval", "1h")
        self.assertTrue(wait_until(lambda: 'domain="other"' in
                                   x.get("/metrics")[2]))
        self.assertTrue(wait_until(lambda: 'domain="seen"' in
                                   x.get("/metrics")[2]))
        events = Events(x, "/api/v1/vms/seen/events")
        self.addCleanup(events.close)
        count = [c for c, _ in seen.seen].count("query-vmheat")
        for _ in range(6):
            self.assertEqual(events.next()[0], "vm")
        self.assertGreater([c for c, _ in seen.seen].count("query-vmheat"),
                           count)
        self.assertEqual([c for c, _ in other.seen].count("query-vmheat"), 1)

    def test_events(self):
        server = self.folder.add("vm")
        x = self.start(*FAST)
        x.wait_for("vm")
        everything = Events(x, "/api/v1/events")
        one = Events(x, "/api/v1/vms/vm/events?rows=100&start=0&end=4096")
        self.addCleanup(everything.close)
        self.addCleanup(one.close)
        self.assertEqual(one.response.getheader("Content-Type"),
                         "text/event-stream")
        for _ in range(3):
            name, data = everything.next()
            self.assertEqual(name, "vms")
            self.assertEqual([v["domain"] for v in data["vms"]], ["vm"])
        name, data = one.next()
        self.assertEqual((name, data["domain"]), ("vm", "vm"))
        self.assertIn("ranges", data)
        server.events = [{"event": "VMHEAT_STATE_CHANGED",
                          "data": {"state": "paused"}, "timestamp": {
                              "seconds": 1, "microseconds": 0}}]
        _, data = one.next("qmp")
        self.assertEqual(data["name"], "VMHEAT_STATE_CHANGED")
        self.assertEqual(data["data"], {"state": "paused"})
        for query in ("rows=0", "rows=2049", "rows=x", "start=-1",
                      "start=2&end=2"):
            self.assertIn("error", x.json("/api/v1/vms/vm/events?" + query,
                                          400))
        x.process.terminate()
        with self.assertRaises(EOFError):
            while True:
                one.next()

    def test_unix_socket(self):
        self.folder.add("vm")
        path = os.path.join(self.folder.path, "..",
                            os.path.basename(self.folder.path) + ".http")
        x = self.start(listen="unix:" + path)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o660)
        done = subprocess.run(
            ["curl", "-sS", "--unix-socket", path, "http://any.name/healthz"],
            capture_output=True, text=True, timeout=20, check=False) \
            if os.path.exists("/usr/bin/curl") else None
        if done:
            self.assertEqual(done.stdout, "ok\n", done.stderr)
        second = run("-s", "x", "-l", "unix:" + path)
        self.assertEqual(second.returncode, 6)
        self.assertIn("something else listens there", second.stderr)
        x.__exit__()
        self.assertFalse(os.path.exists(path))

    def test_a_port_that_is_taken(self):
        x = self.start()
        done = run("-s", "x", "--listen", f"127.0.0.1:{x.port}")
        self.assertEqual(done.returncode, 6)
        self.assertRegex(done.stderr, r"^vmheat-exporter: cannot listen on "
                         r"'127.0.0.1:\d+': something else listens there .*\n$")


class CommandLine(unittest.TestCase):
    def test_usage(self):
        token = token_file(self)
        for args, words in (
                ([], "which virtual machines?"),
                (["-s", "x", "more"], "unexpected argument 'more'"),
                (["-s", "x", "--interval", "100ms"], "250ms .. 1h"),
                (["-s", "x", "--interval", "2h"], "250ms .. 1h"),
                (["-s", "x", "--idle-interval", "7"], "250ms .. 1h"),
                (["-s", "x", "--timeout", "0"], "100ms .. 1m"),
                (["-s", "x", "--history", "99d"], "0 (none) .. 31d"),
                (["-s", "x", "--history-memory", "1M"], "4M .. 1T"),
                (["-s", "x", "--max-clients", "1"], "8 .. 100000"),
                (["-s", "x", "--max-rate", "0"], "1 .. 100000"),
                (["-s", "x", "--node", ""], "--node cannot be empty"),
                (["-s", "x", "--allow-control"], "needs --token-file"),
                (["-s", "x", "--token-file", token], "with --allow-control"),
                (["-s", "x", "--listen", "host.example:1"], "IP address"),
                (["-s", "x", "--listen", "127.0.0.1"], "ADDR:PORT"),
                (["-s", "x", "--listen", "127.0.0.1:99999"], "ADDR:PORT"),
                (["-s", "x", "--listen", "::1:80"], "ADDR:PORT"),
                (["--no-such"], "--no-such")):
            done = run(*args)
            self.assertEqual(done.returncode, 1, (args, done))
            self.assertIn(words, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_files(self):
        for text, mode, words in (
                (TOKEN_TEXT, 0o604, "read or written by others"),
                ("short\n", 0o600, "16 .. 1024"),
                ("", 0o600, "16 .. 1024"),
                ("two words are no token\n", 0o600, "more than a word"),
                ("x" * 1025, 0o600, "16 .. 1024")):
            done = run("-s", "x", "--allow-control", "--token-file",
                       token_file(self, text, mode))
            self.assertEqual(done.returncode, 7, done)
            self.assertIn(words, done.stderr)
        done = run("-s", "x", "--allow-control", "--token-file", "/none")
        self.assertEqual(done.returncode, 7)
        self.assertIn("cannot read token file '/none'", done.stderr)
        done = run("--sockets", "/nonexistent", "-l", "127.0.0.1:0")
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot read the folder '/nonexistent'", done.stderr)

    def test_words(self):
        self.assertRegex(run("--version").stdout, r"^vmheat-exporter \d")
        self.assertIn("--metrics-table", run("--help").stdout)
        table = json.loads(run("--metrics-table").stdout)
        names = [m["name"] for m in table]
        self.assertEqual(len(names), len(set(names)))
        for m in table:
            self.assertEqual(set(m), {"name", "type", "unit", "help",
                                      "labels"})
            self.assertTrue(m["help"].endswith("."), m)
            if m["unit"]:
                self.assertIn(m["unit"], m["name"])
            self.assertEqual(m["type"] == "counter",
                             m["name"].endswith("_total"), m)


TOKEN_TEXT = "a-token-of-enough-characters\n"


if __name__ == "__main__":
    unittest.main()
