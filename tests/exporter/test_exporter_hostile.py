#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmheat-exporter against clients, sites and guests that mean harm."""

import contextlib
import json
import re
import resource
import time
import unittest

from exporter import (FAST, TOKEN, Case, Events, Exporter, FakeQMP, identity,
                      load, token_file, wait_until)

NASTY = 'x"} 1\nevil{a="b\\\r\t</script><img src=x onerror=alert(1)>&\u202e\0é'


class Hostile(Case):
    # ---- guests ----

    def check_text(self, text):
        """Each line of metrics is one."""
        value = r"(?:[^\"\\\n]|\\[\\n\"])*"
        for line in text.split("\n")[:-1]:
            self.assertRegex(
                line, r"^(# (HELP|TYPE|UNIT|EOF).*"
                rf'|[a-z_]+(\{{([a-z_]+="{value}",?)+\}})? [-+.0-9eInfNa]+)$')

    def test_names(self):
        for i, name in enumerate((NASTY, "A" * 5000, "", "..", "../../x",
                                  "\ud800", "a/b?c#d%00")):
            info = load("info")
            info.update({"version": name, "primitive": name, "state": name,
                         "reason": name, "accelerator": name})
            info["primitives"][0].update({"blind-spots": name, "name": name})
            info["ranges"][0]["block"] = name
            schemes = load("schemes")[:1]
            schemes[0]["scheme"]["name"] = name
            self.folder.add(f"vm{i}", info=info, schemes=schemes * 3,
                            replies=identity(name))
        x = self.start(*FAST)

        def there():
            vms = x.json("/api/v1/vms")["vms"]
            return len(vms) == 7 and all(v["state"] == "failed" for v in vms
                                         if v["state"] != "unreachable")
        self.assertTrue(wait_until(there), x.log)
        vms = x.json("/api/v1/vms")["vms"]
        # a lone surrogate is no JSON: that machine does not speak QMP
        self.assertEqual(len([v for v in vms if v["state"] == "failed"]), 6)
        for v in vms:
            self.assertRegex(v["id"], r"^[A-Za-z0-9_-][A-Za-z0-9._-]*$")
            self.assertLessEqual(len(v["domain"].encode()), 270)
            self.assertFalse(re.search(r"[\0-\x1f\x7f]", v["domain"]))
            self.assertEqual(x.json(f"/api/v1/vms/{v['id']}")["id"], v["id"])
        for accept in ("text/plain", "application/openmetrics-text"):
            text = x.get("/metrics", Accept=accept)[2]
            self.check_text(text)
            self.assertNotIn("\nevil", text)
            self.assertNotIn("A" * 1000, text)
            lines = [line.rsplit(" ", 1)[0] for line in text.split("\n")]
            self.assertEqual(len(lines), len(set(lines)), "a series twice")
        # in the log a name is no line of its own
        self.assertFalse([line for line in x.log
                          if not line.startswith("vmheat-exporter: ")])
        for path in ("/api/v1/vms", "/metrics"):
            self.assertNotIn("text/html", x.get(path)[1]["Content-Type"])

    def test_file_names(self):
        for name in (b'q"\n\xff\xfe.qmp', b"<b>.sock"):
            self.folder.add(name.decode("utf-8", "surrogateescape"))
        x = self.start()
        x.wait_for("<b>")
        self.assertTrue(wait_until(lambda: len(x.vms()) == 2))
        self.check_text(x.get("/metrics")[2])

    def test_replies(self):
        """Nothing of these is believed, and nothing else suffers."""
        nonsense = {
            "none": [], "text": "hello", "list": [1, 2], "null": None,
            "huge": {**load("info"), "total-size": -1}}
        for name, reply in nonsense.items():
            self.folder.add(name, replies={
                "query-vmheat": lambda a, reply=reply: {"return": reply}})
        self.folder.add("regions", replies={
            "query-vmheat-regions": lambda a: {"return": {"packed": "AAAA"}}})
        self.folder.add("names", replies={
            "query-name": lambda a: {"return": [1]},
            "query-uuid": lambda a: {"return": {"UUID": 7}}})
        self.folder.add("memory", replies={
            "query-vmheat-memory": lambda a: {"return": {
                "size": -5, "resident": "x", "swapped": 1 << 62}}})
        deep = (b'{"return": ' + b"[" * 3000000 + b"]" * 3000000 + b"}\n",
                b'{"return": /* " */ ' + b"[" * 3000000 + b"\n",
                b"{\"return\": '\"' " + b"[" * 3000000 + b"\n")
        for i, reply in enumerate(deep):
            self.folder.add(f"deep{i}", replies={
                "query-vmheat": lambda a, reply=reply: reply})
        self.folder.add("good")
        x = self.start(*FAST)
        x.wait_for("good", "names")
        x.wait_for("deep0", "deep1", "deep2", state="unreachable")
        x.wait_for("none", "text", "list", "null", "huge", "regions", "memory",
                   state="unreachable")
        self.check_text(x.get("/metrics")[2])

    # ---- requests ----

    def test_malformed(self):
        self.folder.add("vm")
        x = self.start()
        x.wait_for("vm")
        host = b"Host: localhost\r\n"
        for data in (b"\0" * 100, b"GET\r\n\r\n", b"GET /\r\n\r\n",
                     b"GET / HTTP/9.9\r\n" + host + b"\r\n",
                     b"GET / HTTP/1.1\r\n" + host + b"Bad Header\r\n\r\n",
                     b"GET / HTTP/1.1\r\n" + host + b" : x\r\n\r\n",
                     b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
                     b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 100000,
                     b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000,
                     b"POST / HTTP/1.1\r\n" + host +
                     b"Content-Length: -1\r\n\r\n",
                     b"POST / HTTP/1.1\r\n" + host +
                     b"Content-Length: 99999999999999999999\r\n\r\n",
                     b"GET /metrics HTTP/1.1\r\n" + host +
                     b"Content-Length: 5\r\n\r\nhello",
                     b"GET /metrics HTTP/1.1\r\n" + host +
                     b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                     b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
            with self.subTest(data=data[:60]):
                with x.connect() as s:
                    with contextlib.suppress(ConnectionError):
                        s.sendall(data)
                    with contextlib.suppress(OSError):
                        s.shutdown(1)
                    out = b""
                    s.settimeout(1)  # what has no end is waited for longer
                    with contextlib.suppress(ConnectionError, TimeoutError):
                        while part := s.recv(65536):
                            out += part
                self.assertFalse(re.match(rb"HTTP/1.. 2", out), out[:200])
                self.assertEqual(x.get("/healthz")[0], 200)
        self.assertIn("vm", x.vms())

    def test_host(self):
        self.folder.add("vm")
        x = self.start("--host-name", "vmheat.example", "--host-name", "two")
        for host, status in (
                ("127.0.0.1", 200), ("127.0.0.1:9", 200), ("[::1]:80", 200),
                ("localhost", 200), ("LOCALHOST:1", 200),
                ("vmheat.example", 200), ("Vmheat.Example:443", 200),
                ("two", 200), ("evil.example", 403), ("127.0.0.1.evil", 403),
                ("localhost.evil:80", 403), ("localhost:80:90", 403),
                ("[::1", 403), ("", 403), ("vmheat.example.", 403),
                ("user@localhost", 403), ("localhost:", 403)):
            self.assertEqual(x.get("/healthz", Host=host)[0], status, host)
        self.assertIn(b" 400 ", x.raw(b"GET / HTTP/1.0\r\n\r\n")[:20])
        m = x.metrics()
        self.assertEqual(m['vmheat_exporter_refused_total{reason="host"}'],
                         "10")

    def test_control_is_off(self):
        self.folder.add("vm")
        x = self.start()
        x.wait_for("vm")
        for method, what in (("POST", "pause"), ("PUT", "schemes")):
            status, _, text = x.control(method, f"/api/v1/vms/vm/{what}", "{}")
            self.assertEqual(status, 403)
            self.assertIn("--allow-control", text)

    def test_control(self):
        server = self.folder.add("vm")
        x = self.start("--allow-control", "--token-file", token_file(self))
        x.wait_for("vm")
        self.assertIs(x.json("/api/v1/host")["control"], True)
        path = "/api/v1/vms/vm/"
        own = f"http://{x.host}:{x.port}"
        bad = [({"Authorization": a}, 401) for a in (
            "", "Bearer", "Bearer ", "Bearer " + TOKEN[:-1], "Basic " + TOKEN,
            "Bearer " + TOKEN + "x", TOKEN)]
        bad += [({"Origin": o}, 403) for o in (
            "null", "http://evil.example", f"{own}.evil", "", "file://",
            f"http://{x.host}:1")]
        bad += [({"Sec_Fetch_Site": s}, 403) for s in (
            "cross-site", "same-site", "none")]
        bad += [({"Content_Type": t}, 415) for t in (
            "text/plain", "application/x-www-form-urlencoded",
            "application/jsonp", "")]
        bad += [({"Host": "evil.example"}, 403)]
        for headers, status in bad:
            done = x.control("POST", path + "pause", "{}", **headers)
            self.assertEqual(done[0], status, (headers, done))
        self.assertNotIn("vmheat-pause", [c for c, _ in server.seen])
        for headers in ({}, {"Origin": own}, {"Sec_Fetch_Site": "same-origin"},
                        {"Content_Type": "application/json; charset=utf-8"}):
            done = x.control("POST", path + "pause", "{}", **headers)
            self.assertEqual((done[0], done[2]), (200, "{}"), (headers, done))
        self.assertEqual([c for c, _ in server.seen].count("vmheat-pause"), 4)
        self.assertEqual(x.control("POST", path + "resume", "{}")[0], 200)
        done = x.control("POST", path + "attrs",
                         json.dumps({"max-regions": 500}))
        self.assertEqual(json.loads(done[2])["max-regions"], 500)
        done = x.control("POST", path + "attrs", json.dumps({"max-regions": 1}))
        self.assertEqual(done[0], 422)
        self.assertIn("max-regions 1 is out of range", done[2])
        done = x.control("PUT", path + "schemes", json.dumps(
            {"schemes": [{"name": "s", "action": "stat"}]}))
        self.assertEqual(done[0], 200)
        self.assertTrue(wait_until(lambda: [s["scheme"]["name"] for s in x.json(
            "/api/v1/vms/vm")["schemes"]] == ["s"]))
        for what, body in (("pause", "[]"), ("pause", '{"a": 1}'),
                           ("pause", "{"), ("pause", ""), ("attrs", "null"),
                           ("attrs", '{"a": ' + "[" * 50000 + "}"),
                           ("attrs", "\0"), ("attrs", b'{"a": "\xff"}')):
            done = x.control("POST", path + what, body)
            self.assertEqual(done[0], 400, (what, body[:50]))
        for body in ("{}", '{"schemes": [], "x": 1}'):
            self.assertEqual(x.control("PUT", path + "schemes", body)[0], 400)
        self.assertEqual(x.control("POST", path + "attrs",
                                   " " * (256 * 1024 + 1))[0], 413)
        self.assertEqual(
            x.metrics()['vmheat_exporter_refused_total{reason="token"}'], "7")

    def test_chunked_without_end(self):
        self.folder.add("vm")
        x = self.start("--allow-control", "--token-file", token_file(self))
        x.wait_for("vm")
        head = ("POST /api/v1/vms/vm/attrs HTTP/1.1\r\nHost: localhost\r\n"
                f"Authorization: Bearer {TOKEN}\r\n"
                "Content-Type: application/json\r\n"
                "Transfer-Encoding: chunked\r\n\r\n").encode()
        out = x.raw(head + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 64)
        self.assertFalse(re.match(rb"HTTP/1.. 2", out), out[:100])
        self.assertEqual(x.get("/healthz")[0], 200)

    def test_control_of_one_that_hangs(self):
        self.folder.add("vm", replies={"vmheat-pause": lambda a: None})
        x = self.start("--allow-control", "--token-file", token_file(self),
                       "--timeout", "500ms")
        x.wait_for("vm")
        done = x.control("POST", "/api/v1/vms/vm/pause", "{}")
        self.assertEqual(done[0], 504)
        self.assertIn("within 0.5 s", done[2])

    def test_end_while_a_command_waits(self):
        """The one that asked is told, and nothing hangs."""
        server = self.folder.add("vm", replies={"vmheat-pause": lambda a: None})
        x = self.start("--allow-control", "--token-file", token_file(self),
                       "--timeout", "1m")
        x.wait_for("vm")
        body = b"{}"
        with x.connect() as s:
            s.sendall((f"POST /api/v1/vms/vm/pause HTTP/1.1\r\nHost: a\r\n"
                       "Host: localhost\r\n").replace("Host: a\r\n", "").encode()
                      + f"Authorization: Bearer {TOKEN}\r\n"
                      "Content-Type: application/json\r\n"
                      f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            self.assertTrue(wait_until(lambda: "vmheat-pause" in [
                c for c, _ in server.seen]))
            x.process.terminate()
            out = b""
            with contextlib.suppress(ConnectionError):
                while part := s.recv(4096):
                    out += part
        self.assertIn(b" 5", out[:14])
        self.assertEqual(x.process.wait(15), 0)

    # ---- clients ----

    def test_rate(self):
        self.folder.add("vm")
        x = self.start("--max-rate", "5")
        codes = [x.get("/healthz")[0] for _ in range(40)]
        self.assertIn(429, codes)
        self.assertEqual(codes[:10], [200] * 10)
        status, headers, _ = x.get("/healthz")
        if status == 429:
            self.assertEqual(headers["Retry-After"], "1")
        # a scraper has its own
        self.assertEqual(x.get("/metrics")[0], 200)

    def test_idle_and_slow_clients(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 4096:
            print(f"SKIP: at most {hard} descriptors")
            return
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
        self.folder.add("vm")
        for limit in ("1024", "100"):
            x = self.start("--max-clients", limit)
            x.wait_for("vm")
            with contextlib.ExitStack() as stack:
                for _ in range(1000):
                    stack.enter_context(x.connect())
                slow = [stack.enter_context(x.connect()) for _ in range(50)]
                for i in range(5):
                    for s in slow:
                        with contextlib.suppress(OSError):
                            s.send(b"GET /"[i:i + 1])
                    status, _, text = x.get("/metrics")
                    self.assertEqual(status, 200)
                    self.assertIn('domain="vm"', text)
                clients = int(x.metrics()["vmheat_exporter_clients"])
                self.assertLessEqual(clients, int(limit) + 64)
                refused = int(x.metrics()[
                    'vmheat_exporter_refused_total{reason="clients"}'])
                self.assertGreaterEqual(refused, 1000 - int(limit))
            x.__exit__()

    def test_a_client_that_does_not_take_its_answer(self):
        self.folder.add("vm")
        x = self.start()
        x.wait_for("vm")
        with contextlib.ExitStack() as stack:
            for _ in range(50):
                s = stack.enter_context(x.connect())
                s.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
                          * 20)
            begin = time.monotonic()
            self.assertEqual(x.get("/metrics")[0], 200)
            self.assertLess(time.monotonic() - begin, 10)

    def test_events_that_are_not_taken(self):
        """Its queue is full: it is dropped, and others are not held up."""
        info = load("info")
        info["ranges"] *= 2000  # a view of a megabyte
        server = self.folder.add("vm", info=info)
        x = self.start(*FAST)
        x.wait_for("vm")
        lazy = x.connect()
        self.addCleanup(lazy.close)
        lazy.sendall(b"GET /api/v1/vms/vm/events HTTP/1.1\r\n"
                     b"Host: localhost\r\n\r\n")
        good = Events(x, "/api/v1/vms/vm/events")
        self.addCleanup(good.close)

        def dropped():
            good.next()
            return x.metrics()["vmheat_exporter_event_clients_dropped_total"]
        self.assertTrue(wait_until(lambda: dropped() == "1", 60))
        self.assertEqual(good.next()[0], "vm")
        self.assertTrue(server.seen)

    def test_too_many_streams(self):
        self.folder.add("vm")
        x = self.start("--max-rate", "1000")
        x.wait_for("vm")
        with contextlib.ExitStack() as stack:
            for _ in range(128):
                stack.callback(Events(x, "/api/v1/events").close)
            self.assertIn("too many", x.json("/api/v1/events", 503)["error"])
            self.assertEqual(x.get("/metrics")[0], 200)


if __name__ == "__main__":
    unittest.main()
