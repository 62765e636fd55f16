#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The board is well-formed, and a wrong name does not get into it."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import made
from promql import BadQuery, Metrics, Query

import alerts
import board
import yaml_out

GENERATE = os.path.join(made.ROOT, "tools", "grafana", "generate.py")


def generate(rows):
    """With another table: (status, what is said)"""
    with tempfile.TemporaryDirectory(prefix="vmheat-board-") as folder:
        path = os.path.join(folder, "table.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(rows, f)
        done = subprocess.run(
            [sys.executable, "-B", GENERATE, "--table", path,
             "--board", os.path.join(folder, "b"),
             "--rules", os.path.join(folder, "r")],
            capture_output=True, text=True, check=False)
        return done.returncode, done.stderr.strip()


def changed(metric, **members):
    return [{**row, **(members if row["name"] == metric else {})}
            for row in made.table()]


class Drift(unittest.TestCase):
    """Whatever changes in the table of metrics is seen."""

    def fails(self, rows, words):
        code, said = generate(rows)
        self.assertEqual((code, len(said.splitlines())), (1, 1), said)
        self.assertIn(words, said)

    def test_as_it_is(self):
        self.assertEqual(generate(made.table()), (0, ""))

    def test_renamed(self):
        self.fails(changed("vmheat_domain_needs_bytes",
                           name="vmheat_domain_need_bytes"),
                   "panel 'Machines need': there is no metric "
                   "vmheat_domain_needs_bytes")

    def test_suffix(self):
        self.fails(changed("vmheat_domain_checks_total",
                           name="vmheat_domain_checks"),
                   "no metric vmheat_domain_checks_total; there is "
                   "vmheat_domain_checks")

    def test_type(self):
        """A gauge has no buckets."""
        self.fails(changed("vmheat_domain_idle_age_seconds", type="gauge"),
                   "no metric vmheat_domain_idle_age_seconds_bucket")

    def test_label(self):
        self.fails(changed("vmheat_domain_class_bytes",
                           labels=["domain", "uuid", "node", "heat"]),
                   "vmheat_domain_class_bytes has no label class; it has "
                   "domain, heat, instance, job, node, uuid")

    def test_label_of_legend(self):
        self.fails(changed("vmheat_domain_working_set_bytes",
                           labels=["domain", "uuid", "node"]),
                   "no label window")

    def test_only_in_alert(self):
        self.fails(changed("vmheat_domain_lost_total",
                           labels=["domain", "uuid", "node", "why", "window"]),
                   "alert VmheatChecksLost: the sides of / never match: only "
                   "one has label why, window")

    def test_unit(self):
        self.fails(changed("vmheat_domain_saved_bytes", unit="pages"),
                   "Grafana's word for unit pages is not in UNITS")

    def test_units_differ(self):
        self.fails(changed("vmheat_domain_saved_bytes", unit="seconds"),
                   "units differ: ")

    def test_each_metric_that_is_used(self):
        """The generator misses none of them when they are gone."""
        used = set(re.findall(r"\b(?:vmheat|process)_\w+",
                              json.dumps(made.board()["panels"]) +
                              made.read(made.RULES)))
        rows = made.table()
        names = {row["name"] for row in rows}
        self.assertGreater(len(used & names), 40)
        for name in sorted(used & names):
            rest = [row for row in rows if row["name"] != name]
            with self.assertRaises(BadQuery, msg=name):
                board.board(Metrics(rest))
                alerts.rules(Metrics(rest))


class Queries(unittest.TestCase):
    """What the parser of queries takes."""

    def setUp(self):
        self.metrics = made.metrics()

    def labels(self, text):
        return Query(text, self.metrics).labels

    def refused(self, text, words):
        with self.assertRaises(BadQuery) as e:
            self.labels(text)
        self.assertIn(words, str(e.exception))

    def test_labels(self):
        up = {"domain", "uuid", "node", "instance", "job"}
        for text, labels in (
                ("vmheat_domain_up", up),
                ("vmheat_domain_up == bool 1", up),
                ('-vmheat_domain_up{node=~"a{b},c",uuid!=""}[5m] offset 1h',
                 up),
                ("sum(vmheat_domain_up)", set()),
                ("sum by (node) (vmheat_domain_up)", {"node"}),
                ("max(vmheat_domain_up) without (uuid, job)",
                 {"domain", "node", "instance"}),
                ("topk(3, vmheat_domain_up)", up),
                ("1 + 2e3 * time()", None),
                ("vmheat_domain_up * on (domain) group_left (access) "
                 "vmheat_domain_heat_hertz", up | {"access"}),
                ("vmheat_domain_up + on (node, domain) "
                 "vmheat_domain_size_bytes", {"node", "domain"}),
                ("vmheat_domain_up and ignoring (access) "
                 "vmheat_domain_heat_hertz", up),
                ("histogram_quantile(0.5, sum by (le, node) "
                 "(vmheat_domain_idle_age_seconds_bucket))", {"node"}),
                ("predict_linear(vmheat_domain_up[1h:5m], 60)", up)):
            self.assertEqual(self.labels(text), labels, text)

    def test_refused(self):
        for text, words in (
                ("vmheat_domain_upp", "no metric vmheat_domain_upp; there is "
                 "vmheat_domain_up"),
                ("vmheat_domain_up{host=\"x\"}", "no label host"),
                ("sum by (host) (vmheat_domain_up)", "no label host"),
                ("sum by (uuid) (sum by (node) (vmheat_domain_up))",
                 "no label uuid"),
                ("vmheat_domain_up / vmheat_domain_heat_hertz",
                 "only one has label access"),
                ("vmheat_domain_up / on (access) vmheat_domain_heat_hertz",
                 "left side of / has no label access"),
                ("vmheat_domain_up / ignoring (le) vmheat_domain_size_bytes",
                 "no label le"),
                ("histogram_quantile(0.5, vmheat_domain_up)", "no label le"),
                ("vmheat_domain_idle_age_seconds_count", "no metric"),
                ("sum(1)", "sum of a number"),
                ("rat(vmheat_domain_up[1m])", "function rat"),
                ("sum(vmheat_domain_up", "it ends too early"),
                ("(vmheat_domain_up", "')' is missing"),
                ("sum by (node", "it ends too early"),
                ("vmheat_domain_up{node=", "it ends too early"),
                ("vmheat_domain_up vmheat_domain_up", "cannot read it"),
                ("vmheat_domain_up ~ 1", "cannot read it"),
                ("", "it ends too early")):
            self.refused(text, words)

    def test_yaml(self):
        text = yaml_out.to_yaml({"a": [{"b": "x: y", "c": 1},
                                       {"d": "two\nlines"}], "e": 'say "x"'})
        self.assertEqual(text.split("\n", 1)[1],
                         'a:\n  - b: "x: y"\n    c: 1\n  - d: |\n'
                         '      two\n      lines\ne: |\n  say "x"\n')


class Board(unittest.TestCase):
    def setUp(self):
        self.board = made.board()

    def everything(self):
        for p in self.board["panels"]:
            yield p
            yield from p.get("panels", ())

    def test_ids(self):
        ids = [p["id"] for p in self.everything()]
        self.assertEqual(sorted(ids), list(range(1, len(ids) + 1)))

    def test_places(self):
        """No two panels are at the same place, none sticks out."""
        outside = {}
        for p in self.board["panels"]:
            self.place(p, outside)
            inside = {}
            for below in p.get("panels", ()):
                self.place(below, inside)

    def place(self, panel, taken):
        g = panel["gridPos"]
        for x in range(g["x"], g["x"] + g["w"]):
            self.assertLess(x, 24, panel["title"])
            for y in range(g["y"], g["y"] + g["h"]):
                self.assertNotIn((x, y), taken, panel["title"])
                taken[x, y] = panel["title"]

    def test_data_source(self):
        """It is a variable, so that the board works everywhere."""
        text = json.dumps(self.board)
        self.assertEqual(set(re.findall(r'"uid": "([^"]*)"', text)),
                         {"${datasource}", "vmheat"})
        for p in made.panels():
            self.assertEqual(p["datasource"]["uid"], "${datasource}")
            for target in p["targets"]:
                self.assertEqual(target["datasource"], p["datasource"])

    def test_variables(self):
        """Those there are, are used; those used are there."""
        known = {v["name"]: v for v in self.board["templating"]["list"]}
        text = json.dumps(self.board)
        used = set(re.findall(r"\$\{?([a-zA-Z]\w*)", text))
        self.assertEqual(used, set(known))
        for name in ("node", "domain"):
            self.assertTrue(known[name]["multi"] and known[name]["includeAll"])

    def test_variables_in_all_queries(self):
        """A panel that forgets one shows what was not chosen."""
        for p in made.panels():
            for target in p["targets"]:
                if "vmheat_exporter_" not in target["expr"]:
                    for selector in Query(target["expr"], self.known()) \
                            .selectors:
                        self.assertRegex(selector, r"\$(node|domain)",
                                         p["title"])

    @staticmethod
    def known():
        metrics = made.metrics()
        board.foreign(metrics)
        return metrics

    def test_texts(self):
        for p in made.panels():
            self.assertTrue(p["description"], p["title"])
            for target in p["targets"]:
                if p["type"] not in ("table", "stat") and \
                        "by (" in target["expr"].split("(", 1)[0] + "(":
                    self.assertTrue(target["legendFormat"], p["title"])
        titles = [p["title"] for p in made.panels()]
        self.assertEqual(len(set(titles)), len(titles))

    def test_columns(self):
        """What names a column, in a table, names one that is there."""
        for p in made.panels():
            if p["type"] != "table":
                continue
            organize = p["transformations"][1]["options"]
            there = set(organize["renameByName"].values())
            self.assertEqual(len(there), len(p["targets"]), p["title"])
            for o in p["fieldConfig"]["overrides"]:
                self.assertIn(o["matcher"]["options"], there)
            for s in p["options"]["sortBy"]:
                self.assertIn(s["displayName"], there)

    def test_references(self):
        for p in made.panels():
            refs = [t["refId"] for t in p["targets"]]
            self.assertEqual(len(set(refs)), len(refs), p["title"])
            for o in p["fieldConfig"]["overrides"]:
                if o["matcher"]["id"] == "byFrameRefID":
                    self.assertIn(o["matcher"]["options"], refs)


class Docs(unittest.TestCase):
    def test_each_alert(self):
        text = made.read("docs", "user", "grafana.md")
        there = re.findall(r"(?m)^### (Vmheat\w+)$", text)
        self.assertEqual(there, [a.name for a in alerts.alerts()])
        for a in alerts.alerts():
            about = text.split(f"### {a.name}\n")[1].split("\n#")[0]
            self.assertIn(a.severity, about.split("\n\n")[0].lower(), a.name)

    def test_each_row(self):
        text = made.read("docs", "user", "grafana.md")
        for p in made.board()["panels"]:
            if p["type"] == "row":
                self.assertIn(p["title"], text)

    def test_job(self):
        """VmheatExporterDown looks at the job of the sample configuration."""
        self.assertIn("job_name: vmheat\n",
                      made.read("tools", "exporter", "prometheus.yml"))


if __name__ == "__main__":
    unittest.main()
