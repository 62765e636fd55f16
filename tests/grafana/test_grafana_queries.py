#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""All queries of the board and the rules, in a real Prometheus.

It scrapes a real exporter, which asks servers whose figures are known, on a
host that is a folder. So a label's value that does not exist, or a figure that
is wrong by a factor, shows. VMHEAT_SHOW=1 prints what each panel would show.
"""

import http.server
import json
import os
import shutil
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import made
from promql import Query

import alerts
import board
from exporter import Exporter, Folder, identity, load, wait_until
from test_exporter_prometheus import TOOLS, LibvirtExporter, Prometheus

G = 1 << 30
M = 1 << 20
SIZE = 6442233856  # of each guest, as tests/golden/replies has it
CREATED = time.monotonic()

HOST = {
    "proc/meminfo": f"MemTotal: {16 << 20} kB\nMemAvailable: {6 << 20} kB\n"
                    f"SwapTotal: {4 << 20} kB\nSwapFree: {2 << 20} kB\n",
    "proc/swaps": "Filename Type Size Used Priority\n"
                  f"/dev/zram0 partition {4 << 20} {2 << 20} 5\n",
    "sys/block/zram0/mm_stat": f"{2 * G} {G // 2} {G // 2} 0 0 0 0 0 0\n",
}
MEASURED = {"size": SIZE, "measurements": 3, "measured-ms": 100}
MEMORY = {"web": {**MEASURED, "resident": 4 * G, "swapped": G, "huge": G,
                  "balloon-actual": SIZE - G, "balloon-target": SIZE - 2 * G},
          # has less than it needs
          "db": {**MEASURED, "resident": G // 8, "swapped": G, "huge": 0}}

# What comes each second.
STATS = {"worker-time": 9e6, "vcpu-time": 4e6, "main-time": 1e5,
         "checks": 5000, "traps": 100, "lost": 10}
SCHEME = {"sz-tried": 40 * M, "sz-applied": 20 * M, "refaulted": 1 * M,
          "time": 5e6, "qt-exceeds": 0.5, "errors": 0.01, "back-offs": 0.02}

# Stat -> bytes, or a factor. Not those that need no arithmetic.
STAT = {"RAM": 16 * G, "Available": 6 * G, "Size of machines": 2 * SIZE,
        "Machines have": 4 * G + G // 8, "Overcommit": 2 * SIZE / (16 * G),
        # ballooned, and paged out less a quarter of it in zram
        "Saved": G + 2 * (G - G // 4)}

# (panel, legend) -> value; of both machines.
SEEN = {
    ("Compression", "host1"): 4,
    ("Huge pages", "web (host1)"): 0.25,
    ("Balloon", "web (host1)"): SIZE - G,
    ("Balloon", "web (host1) target"): SIZE - 2 * G,
    ("Came back of what was paged out", "reclaim"): 0.05,
    ("What schemes do", "reclaim applied"): 2 * 20 * M,
    ("Time of actions", "reclaim"): 0.01,
    ("Quota used up", "reclaim"): 1,
    ("CPU time by thread", "worker"): 0.018,
    ("CPU time by thread", "vcpu"): 0.008,
    ("Cost and budget", "web (host1)"): 0.0131,
    ("Cost and budget", "what the largest budget allows"): 0.015,
    ("Checks", "checks"): 10000,
    ("Checks", "lost"): 20,
    ("Machines by state", "running"): 2,
    ("Machines by state", "throttled"): 2,
    ("Swap", "used (host1)"): 2 * G,
    ("Used, as the guest says, and needed", "web uses"): 2 * G,
}


def growing(start, each_second):
    """As they are now."""
    past = time.monotonic() - CREATED
    return {**start, **{key: start[key] + int(rate * past)
                        for key, rate in each_second.items()}}


def info(name):
    """Accesses of devices are not seen in db."""
    out = load("info")
    out["primitives"][0]["sees-dma"] = name != "db"
    out["stats"] = growing(out["stats"], STATS)
    return out


def regions():
    """A quarter of all accesses write."""
    out = load("regions-rates")
    for r in out["regions"]:
        r.update({"write-rate": r["rate"] / 4})
    return out


def schemes():
    out = load("schemes")
    for s in out:
        s["stats"] = growing(s["stats"], SCHEME)
    return out


def machine(name):
    return {**identity(name, f"6a2b1c3d-0000-4000-8000-00000000000{len(name)}"),
            "query-vmheat": lambda a: {"return": info(name)},
            "query-vmheat-schemes": lambda a: {"return": schemes()},
            "query-vmheat-memory": lambda a: {"return": MEMORY[name]}}


class Libvirt(LibvirtExporter):
    values = {"available": SIZE, "usable": SIZE - 2 * G, "swap_in": 4096}


class Strict(Prometheus):
    """An error is none of "there is nothing"."""

    def api(self, path, **arguments):
        url = (f"http://127.0.0.1:{self.port}/api/v1/{path}?" +
               urllib.parse.urlencode(arguments))
        try:
            with urllib.request.urlopen(url, timeout=20) as r:
                return json.load(r)["data"]
        except urllib.error.HTTPError as e:
            raise AssertionError(f"{arguments}: {e.read().decode()}") from None

    def ask(self, text):
        result = self.api("query", query=text)["result"]
        return [(x["metric"], float(x["value"][1])) for x in result]


def filled(expr, node="host1", domain="web|db"):
    """As Grafana fills variables in; a peak is looked for each second."""
    return expr.replace("$node", node).replace("$domain", domain) \
        .replace("[$__rate_interval]", "[15s]").replace("1d:1m]", "1h:1s]") \
        .replace("[10m]", "[15s]")


def legend(template, labels):
    for key, value in labels.items():
        template = template.replace("{{" + key + "}}", value)
    return template


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Folder(cls)
        for name in MEMORY:
            cls.folder.add(name, regions=regions(), replies=machine(name))
        cls.folder.add("gone", raw=b"no\n")
        cls.x = Exporter("--sockets", cls.folder.path, "--interval", "250ms",
                         "--idle-interval", "250ms",
                         env={"VMHEAT_HOST_ROOT": cls.host()})
        cls.addCleanup(cls.x.__exit__)
        cls.x.wait_for(*MEMORY)
        cls.x.wait_for("gone", state="unreachable")
        libvirt = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                  Libvirt)
        cls.addCleanup(libvirt.server_close)
        cls.addCleanup(libvirt.shutdown)
        threading.Thread(target=libvirt.serve_forever, daemon=True).start()
        cls.p = Strict(cls, (cls.x.port, libvirt.server_port), job="vmheat",
                       rules=(made.RULES,))
        assert wait_until(cls.scraped, 60), cls.p.log()

    @classmethod
    def addCleanup(cls, *args):  # of Folder, Prometheus
        cls.addClassCleanup(*args)

    @classmethod
    def host(cls):
        root = tempfile.mkdtemp(prefix="vmheat-root-")
        cls.addClassCleanup(shutil.rmtree, root)
        for name, text in HOST.items():
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="ascii") as f:
                f.write(text)
        return root

    @classmethod
    def scraped(cls):
        """Often enough for rates. Before it is ready it says 503."""
        try:
            return any(n >= 6 for _, n in cls.p.ask(
                "sum(count_over_time(vmheat_domain_size_bytes[1m]))/2"))
        except (OSError, AssertionError):
            return False

    def some(self, expr, why):
        """What a query gives once it gives something."""
        out = []
        wait_until(lambda: out.extend(self.p.ask(expr)) or out, 30)
        self.assertTrue(out, f"{why}: nothing for {expr}")
        return out

    # ---- the board ----

    def test_panels(self):
        """Each query of each panel gives something."""
        for p in made.panels():
            for target in p["targets"]:
                got = self.some(filled(target["expr"]), p["title"])
                self.show(p, target, got)

    @staticmethod
    def show(panel, target, got):
        if os.environ.get("VMHEAT_SHOW"):
            unit = panel["fieldConfig"]["defaults"].get("unit")
            for labels, value in got[:6]:
                said = legend(target["legendFormat"], labels) or labels
                print(f"{panel['title']} [{unit}]: {said} = {value:.6g}",
                      file=sys.stderr)

    def test_all(self):
        """"All" is another text for the same; none chosen shows nothing."""
        for p in made.panels():
            for target in p["targets"]:
                self.some(filled(target["expr"], ".*", ".*"), p["title"])
                if "exporter_" not in target["expr"] and \
                        "$domain" in target["expr"]:
                    self.assertEqual(self.p.ask(filled(
                        target["expr"], "host2", "web")), [], p["title"])

    def test_lines_are_told_apart(self):
        """No two lines of a panel have one legend."""
        for p in made.panels():
            if p["type"] != "timeseries":
                continue
            names = [legend(t["legendFormat"], labels) for t in p["targets"]
                     for labels, _ in self.p.ask(filled(t["expr"]))]
            self.assertEqual(len(set(names)), len(names), (p["title"], names))
            for name in names:
                self.assertNotIn("{{", name, p["title"])

    def test_ranges(self):
        """Over time they are no error either."""
        now = time.time()
        for p in made.panels():
            for target in p["targets"]:
                self.p.api("query_range", query=filled(target["expr"]),
                           start=now - 20, end=now, step=5)

    def value(self, title, name):
        for p in made.panels():
            for t in p["targets"] if p["title"] == title else ():
                for labels, value in self.p.ask(filled(t["expr"])):
                    if legend(t["legendFormat"], labels) == name:
                        return value
        return None

    def test_stats(self):
        for title, wanted in STAT.items():
            self.assertEqual(self.value(title, ""), wanted, title)

    def test_values(self):
        """Of lines whose figures are known; a rate is right once there are
        as many samples as it looks at."""
        for (title, name), wanted in SEEN.items():
            def near(title=title, name=name, wanted=wanted):
                got = self.value(title, name)
                return got is not None and abs(got / wanted - 1) < 0.15
            self.assertTrue(wait_until(near, 40), (
                title, name, self.value(title, name), wanted))

    def test_headroom(self):
        """Only db can grow: to what it needed."""
        needs = {m["domain"]: v for m, v in
                 self.p.ask("vmheat_domain_needs_bytes")}
        self.assertGreater(needs["db"], G // 8)
        self.assertLess(needs["web"], 4 * G)
        left = 6 * G - (needs["db"] - G // 8)
        self.assertEqual(self.value("Headroom", ""), left)
        self.assertEqual(self.value("RAM of hosts", "headroom (host1)"), left)
        worst = 6 * G - (SIZE - G - 4 * G) - (SIZE - G // 8)
        self.assertEqual(self.value("RAM of hosts",
                                    "if all were used (host1)"), worst)

    def test_classes(self):
        """They are all of the memory, and cold is a part of it."""
        p = {x["title"]: x for x in made.panels()}
        parts = [self.p.ask(filled(t["expr"]))[0][1]
                 for t in p["Memory by heat"]["targets"]]
        self.assertEqual(sum(parts), 2 * SIZE)
        cold = p["Machines"]["targets"][5]["expr"]
        self.assertIn("cold|idle|never", cold)
        for _, value in self.p.ask(filled(cold)):
            self.assertAlmostEqual(value, sum(parts[2:]) / (2 * SIZE))

    def test_writes(self):
        heat = {name: self.value("Reads and writes", name)
                for name in ("any", "read", "write")}
        self.assertAlmostEqual(heat["write"] / heat["any"], 0.25, 3)
        self.assertAlmostEqual(heat["read"] / heat["any"], 0.75, 3)

    def test_heatmaps(self):
        """Buckets add up to all memory, and have bounds in the unit shown."""
        units = {"Idle age": "s", "Access rate": "cps"}
        for p in made.panels():
            if p["type"] == "heatmap":
                got = {m["le"]: v for m, v in
                       self.p.ask(filled(p["targets"][0]["expr"]))}
                self.assertEqual(got["+Inf"], 2 * SIZE)
                self.assertGreater(len(got), 8)
                self.assertEqual(p["options"]["yAxis"]["unit"],
                                 units[p["title"]])

    def test_parts(self):
        """What is shown as a percentage is a part of something."""
        for p in made.panels():
            if p["fieldConfig"]["defaults"].get("unit") == "percentunit":
                for t in p["targets"]:
                    for labels, value in self.p.ask(filled(t["expr"])):
                        self.assertTrue(0 <= value <= 1,
                                        (p["title"], labels, value))

    def test_tables(self):
        """A row for each machine; those that do not answer have a state."""
        for p in made.panels():
            if p["title"] == "Machines":
                state, size = (self.p.ask(filled(t["expr"], domain=".*"))
                               for t in p["targets"][:2])
                self.assertEqual({(m["domain"], m["state"])
                                  for m, _ in state},
                                 {("web", "running"), ("db", "running"),
                                  ("gone", "unreachable")})
                self.assertEqual(len(size), 2)

    def test_variables(self):
        """label_values() is answered as Grafana asks it."""
        wanted = {"node": ["host1"], "domain": ["db", "gone", "web"]}
        for v in made.board()["templating"]["list"]:
            if v["type"] == "query":
                selector, label = v["query"]["query"][
                    len("label_values("):-1].rsplit(", ", 1)
                self.assertEqual(
                    self.p.api(f"label/{label}/values",
                               **{"match[]": filled(selector)}),
                    wanted[v["name"]])

    # ---- rules ----

    def test_rules(self):
        """All were evaluated, without an error."""
        def all_good():
            groups = self.p.api("rules")["groups"]
            return all(r["health"] == "ok" for g in groups for r in g["rules"])
        wait_until(all_good, 30)
        seen = 0
        for group in self.p.api("rules")["groups"]:
            for rule in group["rules"]:
                self.assertEqual((rule["health"], rule.get("lastError")),
                                 ("ok", None), rule["name"])
                seen += 1
        self.assertEqual(seen, len(alerts.alerts()) + 1)
        self.some(alerts.HEADROOM, "the recorded rule")

    def test_what_rules_look_at(self):
        """What each alert selects, values of labels and all, is there."""
        metrics = made.metrics()
        alerts.rules(metrics)
        for a in alerts.alerts():
            for selector in Query(a.expr, metrics).selectors:
                self.some(selector, a.name)

    def test_what_panels_look_at(self):
        metrics = made.metrics()
        board.foreign(metrics)
        for p in made.panels():
            for t in p["targets"]:
                for selector in Query(t["expr"], metrics).selectors:
                    self.some(filled(selector), p["title"])

    def test_alert_is_pending(self):
        """One machine does not answer, and that is all that is wrong besides
        what the figures made up here have, and a start looks like."""
        self.assertTrue(wait_until(lambda: self.p.ask(
            'ALERTS{alertname="VmheatMachineUnreachable",domain="gone"}'),
            20))
        names = {m["alertname"] for m, _ in self.p.ask("ALERTS")}
        self.assertLessEqual(names, {
            "VmheatMachineUnreachable", "VmheatThrottled",
            "VmheatConfidenceLow", "VmheatSchemeRefused",
            "VmheatSchemeBacksOff", "VmheatHostHeadroomSinks"})


if __name__ == "__main__":
    missing = [t for t in TOOLS if not shutil.which(t)]
    if missing:
        print(f"SKIP: {missing[0]} is not installed (package prometheus)")
        sys.exit(77)
    unittest.main()
