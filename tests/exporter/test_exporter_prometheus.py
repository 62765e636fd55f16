#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmheat-exporter with promtool, a real Prometheus and systemd.

VMHEAT_EXPORTER names the binary, VMHEAT_EXPORTER_UNIT its unit,
VMHEAT_SCRAPE_CONFIG the sample configuration.
"""

import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse
import urllib.request

from exporter import BINARY, Exporter, Folder, identity, load, wait_until

UUID = "6a2b1c3d-0000-4000-8000-0123456789ab"
TOOLS = ("promtool", "prometheus")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class LibvirtExporter(http.server.BaseHTTPRequestHandler):
    """What a libvirt exporter says of the same machine."""

    values = {"available": 6442233856}

    def do_GET(self):  # pylint: disable=invalid-name
        body = "".join(
            f"# TYPE libvirt_domain_memory_stats_{what}_bytes gauge\n"
            f'libvirt_domain_memory_stats_{what}_bytes{{domain="web"}} {n}\n'
            for what, n in self.values.items()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):  # pylint: disable=arguments-differ
        pass


class Prometheus:
    """One of our own, that scrapes these ports each second.

    rules: files of rules
    """

    def __init__(self, test, ports, job="all", rules=()):
        self.dir = tempfile.mkdtemp(prefix="vmheat-prom-")
        test.addCleanup(shutil.rmtree, self.dir, True)
        config = os.path.join(self.dir, "prometheus.yml")
        with open(config, "w", encoding="ascii") as f:
            json.dump({
                "global": {"scrape_interval": "1s",
                           "evaluation_interval": "1s"},
                "rule_files": rules, "scrape_configs": [
                    {"job_name": job, "static_configs": [
                        {"targets": [f"127.0.0.1:{p}" for p in ports]}]}]}, f)
        self.port = free_port()
        self.log_path = os.path.join(self.dir, "log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", "--config.file", config, "--storage.tsdb.path",
                 os.path.join(self.dir, "data"), "--web.listen-address",
                 f"127.0.0.1:{self.port}"], stdout=log, stderr=log)
        test.addCleanup(self.end)

    def end(self):
        self.process.terminate()
        self.process.wait(20)

    def log(self):
        with open(self.log_path, encoding="utf-8") as f:
            return f.read()

    def query(self, text):
        """List of (labels, value)."""
        url = (f"http://127.0.0.1:{self.port}/api/v1/query?query=" +
               urllib.parse.quote(text))
        try:
            with urllib.request.urlopen(url, timeout=10) as r:
                reply = json.load(r)
        except OSError:
            return []
        return [(x["metric"], float(x["value"][1]))
                for x in reply["data"]["result"]]

    def metadata(self):
        """Of all metrics; types are those that OpenMetrics has."""
        url = f"http://127.0.0.1:{self.port}/api/v1/targets/metadata"
        with urllib.request.urlopen(url, timeout=10) as r:
            return json.load(r)["data"]


class WithTools(unittest.TestCase):
    def setUp(self):
        self.folder = Folder(self)
        self.folder.add("web", regions=load("regions-rates"),
                        replies=identity("web", UUID))
        self.folder.add("db", replies=identity('d"b\\'))
        self.folder.add("gone", raw=b"no\n")
        self.x = Exporter("--sockets", self.folder.path, "--interval", "250ms",
                          "--idle-interval", "1s")
        self.addCleanup(self.x.__exit__)
        self.x.wait_for("web", 'd"b\\')
        self.x.wait_for("gone", state="unreachable")

    def test_promtool(self):
        text = self.x.get("/metrics")[2]
        done = subprocess.run(["promtool", "check", "metrics"], input=text,
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_sample_configuration(self):
        done = subprocess.run(
            ["promtool", "check", "config", os.environ["VMHEAT_SCRAPE_CONFIG"]],
            capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("SUCCESS", done.stdout)

    def test_prometheus_scrapes(self):
        libvirt = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                  LibvirtExporter)
        threading.Thread(target=libvirt.serve_forever, daemon=True).start()
        self.addCleanup(libvirt.server_close)
        self.addCleanup(libvirt.shutdown)
        p = Prometheus(self, (self.x.port, libvirt.server_port))
        self.assertTrue(wait_until(
            lambda: len(p.query("up == 1")) == 2 and
            p.query("libvirt_domain_memory_stats_available_bytes") and
            p.query("vmheat_domain_size_bytes"), 30), p.log())
        size = dict((m["domain"], (m, v)) for m, v in
                    p.query("vmheat_domain_size_bytes"))
        self.assertEqual(set(size), {"web", 'd"b\\'})
        labels, value = size["web"]
        self.assertEqual(value, 6442233856)
        self.assertEqual({k: labels[k] for k in ("domain", "uuid", "node")},
                         {"domain": "web", "uuid": UUID, "node": "host1"})
        join = p.query("libvirt_domain_memory_stats_available_bytes - "
                       "on(domain) vmheat_domain_size_bytes")
        self.assertEqual([(m["domain"], v) for m, v in join], [("web", 0)])
        quantile = p.query("histogram_quantile(0.5, "
                           "vmheat_domain_idle_age_seconds_bucket)")
        self.assertEqual(len(quantile), 2)
        kind = {}
        for m in p.metadata():
            kind[m["metric"]] = m["type"]
        for m in json.loads(subprocess.run(
                [BINARY, "--metrics-table"], capture_output=True, text=True,
                check=True).stdout):
            name = re.sub("_(total|info)$", "", m["name"])
            if name in kind:
                self.assertEqual(kind[name], m["type"], name)
        self.assertIn("vmheat_domain_idle_age_seconds", kind)
        self.assertNotIn("err=", "".join(
            line for line in p.log().splitlines() if "scrape" in line))


class Unit(unittest.TestCase):
    def test_systemd(self):
        """The unit is one, and leaves little that could be attacked."""
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed")
        folder = tempfile.mkdtemp(prefix="vmheat-unit-")
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, "vmheat-exporter.service")
        with open(os.environ["VMHEAT_EXPORTER_UNIT"], encoding="utf-8") as f:
            text = re.sub(r"(?m)^ExecStart=\S+", "ExecStart=" + BINARY,
                          f.read())
        text = text.replace("man:vmheat-exporter(1)", "https://localhost/")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", path],
                              capture_output=True, text=True, check=False)
        about = [line for line in (done.stdout + done.stderr).splitlines()
                 if "vmheat" in line]
        self.assertEqual((done.returncode, about), (0, []))
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=true",
             "--threshold=15", path], capture_output=True, text=True,
            check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-300:] + done.stderr)


if __name__ == "__main__":
    missing = [t for t in TOOLS if not shutil.which(t)]
    if missing:
        print(f"SKIP: {missing[0]} is not installed (package prometheus)")
        sys.exit(77)
    unittest.main()
