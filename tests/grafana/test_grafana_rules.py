#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each alert fires when it should and does not when it should not.

promtool evaluates the rules on series made up here. CASES has what each alert
needs; a test fails for an alert without cases.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import made

import alerts

WHO = {"domain": "web", "uuid": "u1", "node": "host1",
       "instance": "h:9724", "job": "vmheat"}
SCHEME = {**WHO, "scheme": "reclaim", "action": "pageout"}
HOST = {k: WHO[k] for k in ("node", "instance", "job")}
EXPORTER = {k: WHO[k] for k in ("instance", "job")}
G = 1 << 30
M = 1 << 20


def text(labels):
    return "{" + ",".join(f"{k}={json.dumps(v)}"
                          for k, v in labels.items()) + "}"


def still(value, minutes=600):
    return f"{value:.12g}x{minutes}"


def slope(begin, each_minute, minutes=600):
    return f"{begin:.12g}{each_minute:+.12g}x{minutes}"


def host(available, total=100 * G, needs=(still(4 * G),),
         resident=still(4 * G)):
    """A host and its machines."""
    out = {"vmheat_host_memory_total_bytes" + text(HOST): still(total),
           "vmheat_host_memory_available_bytes" + text(HOST): available}
    for i, values in enumerate(needs):
        who = text({**WHO, "domain": f"vm{i}", "uuid": f"u{i}"})
        out["vmheat_domain_needs_bytes" + who] = values
        out["vmheat_domain_resident_bytes" + who] = resident
    return out


def pageout(refaulted, applied):
    """Bytes a minute."""
    return {"vmheat_scheme_refaulted_bytes_total" + text(SCHEME):
            slope(0, refaulted),
            "vmheat_scheme_applied_bytes_total" + text(SCHEME):
            slope(0, applied)}


def scheme(metric, values, **labels):
    return {metric + text({**SCHEME, **labels}): values}


def machine(metric, values, **labels):
    return {metric + text({**WHO, **labels}): values}


def state(name, values):
    return machine("vmheat_domain_state", values, state=name)


def spot(values, what):
    return machine("vmheat_domain_blind_spots_info", values, blind_spots=what)


def cpu(each_minute):
    return {**machine("vmheat_domain_monitoring_cpu_seconds_total",
                      slope(0, each_minute), thread="vcpu"),
            **machine("vmheat_domain_monitoring_cpu_seconds_total",
                      slope(0, 30), thread="worker"),
            **machine("vmheat_domain_monitoring_budget_ratio", still(0.005))}


def polls(failed, asked):
    return {"vmheat_exporter_poll_failures_total" + text(EXPORTER):
            slope(0, failed),
            "vmheat_exporter_polls_total" + text(EXPORTER): slope(0, asked)}


def lost(each_minute):
    return {**machine("vmheat_domain_lost_total", slope(0, each_minute)),
            **machine("vmheat_domain_checks_total", slope(0, 6000))}


UP = machine("vmheat_domain_up", still(1))
BUSY_ONCE = f"{4 * G}x100 {30 * G}x5 {4 * G}x495"

# alert -> (series, minute, whether it fires, value in words or None), ...
CASES = {
    "VmheatHostHeadroomLow": (
        (host(still(4 * G)), 10, True, "4%"),
        (host(still(4 * G)), 3, False, None),
        (host(still(6 * G)), 60, False, None),
        # a guest was busy in the day, and had its memory taken since
        (host(still(20 * G), needs=(BUSY_ONCE,)), 300, True, "-6%"),
        (host(still(40 * G), needs=(BUSY_ONCE,)), 300, False, None),
        # what it needed is still there
        (host(still(20 * G), needs=(BUSY_ONCE,), resident=still(30 * G)),
         300, False, None),
        # one that needs less than it has gives nothing to another
        (host(still(20 * G), needs=(BUSY_ONCE, still(0))), 300, True, "-6%"),
        # no machines at all
        (host(still(4 * G), needs=()), 10, True, "4%"),
    ),
    "VmheatHostHeadroomSinks": (
        (host(slope(40 * G, -0.1 * G)), 300, True, "-14GiB"),
        (host(slope(40 * G, -0.1 * G)), 120, False, None),
        (host(slope(70 * G, -0.1 * G)), 300, False, None),
        (host(slope(10 * G, 0.1 * G)), 300, False, None),
        (host(still(10 * G)), 300, False, None),
        # a machine started: a step
        (host(f"{40 * G}x199 {15 * G}x400"), 232, False, None),
        (host(f"{40 * G}x199 {15 * G}x400"), 250, False, None),
    ),
    "VmheatRefaultStorm": (
        (pageout(30 * M, 100 * M), 40, True, "30%"),
        (pageout(30 * M, 100 * M), 8, False, None),
        (pageout(20 * M, 100 * M), 60, False, None),
        # it takes nothing more, and all comes back
        (pageout(30 * M, 0), 40, True, "+Inf%"),
        (pageout(3 * M, 1 * M), 60, False, None),
        (pageout(0, 0), 60, False, None),
    ),
    "VmheatRefaultRateHigh": (
        (pageout(60 * 40 * M, 60 * 400 * M), 20, True, "40MiB"),
        (pageout(60 * 40 * M, 60 * 400 * M), 4, False, None),
        (pageout(60 * 30 * M, 60 * 30 * M), 60, False, None),
    ),
    "VmheatSchemeRefused": (
        (scheme("vmheat_scheme_errors_total", slope(5, 1)), 60, True, "15"),
        (scheme("vmheat_scheme_errors_total", still(5)), 60, False, None),
        (scheme("vmheat_scheme_errors_total", "0x20 1x400"), 32, False, None),
        (scheme("vmheat_scheme_errors_total", "0x20 1x400"), 60, False, None),
    ),
    "VmheatSchemeBacksOff": (
        (scheme("vmheat_scheme_state", still(1), state="back-off"), 90, True,
         "100%"),
        (scheme("vmheat_scheme_state", "0x60 1 0 1 0 1 0x300",
                state="back-off"), 90, False, None),
        (scheme("vmheat_scheme_state", still(1), state="active"), 90, False,
         None),
    ),
    "VmheatMonitorFailed": (
        (state("failed", still(1)), 6, True, None),
        (state("failed", "1x3 0x60"), 6, False, None),
        (state("running", still(1)), 60, False, None),
    ),
    "VmheatMonitorSuspended": (
        (state("suspended", still(1)), 61, True, None),
        (state("suspended", still(1)), 59, False, None),
    ),
    "VmheatMachineUnreachable": (
        (state("unreachable", still(1)), 6, True, None),
        # libvirt's domains without vmheat are well
        (state("absent", still(1)), 60, False, None),
        (state("unreachable", still(0)), 60, False, None),
    ),
    "VmheatThrottled": (
        (machine("vmheat_domain_throttled", still(1)), 31, True, None),
        (machine("vmheat_domain_throttled", still(1)), 29, False, None),
        (machine("vmheat_domain_throttled", still(0)), 60, False, None),
    ),
    "VmheatOverBudget": (
        (cpu(60 * 0.015), 60, True, "3"),
        (cpu(60 * 0.009), 60, False, None),
    ),
    "VmheatConfidenceLow": (
        (machine("vmheat_domain_confidence_ratio", still(0.4)), 40, True,
         "40%"),
        (machine("vmheat_domain_confidence_ratio", "0.1x20 0.9x300"), 45,
         False, None),
        (machine("vmheat_domain_confidence_ratio", still(0.6)), 60, False,
         None),
    ),
    "VmheatChecksLost": (
        (lost(600), 40, True, "10%"),
        (lost(200), 60, False, None),
    ),
    "VmheatNewBlindSpot": (
        ({**UP, **spot("_x120 1x300", "vfio")}, 130, True, None),
        ({**UP, **spot("1x119 stale", "vfio"),
          **spot("_x120 1x300", "reads")}, 130, True, None),
        ({**UP, **spot("1x119 stale", "vfio"),
          **spot("_x120 1x300", "reads")}, 200, False, None),
        ({**UP, **spot(still(1), "vfio")}, 130, False, None),
        # it sees more than before
        ({**UP, **spot("1x119 stale", "vfio")}, 130, False, None),
        # a new machine
        ({**machine("vmheat_domain_up", "_x120 1x300"),
          **spot("_x120 1x300", "vfio")}, 130, False, None),
    ),
    "VmheatExporterDown": (
        ({"up" + text(EXPORTER): still(0)}, 6, True, None),
        ({"up" + text(EXPORTER): still(1)}, 60, False, None),
        ({"up" + text({**EXPORTER, "job": "node"}): still(0)}, 60, False,
         None),
    ),
    "VmheatExporterPollsFail": (
        (polls(45, 60), 40, True, "75%"),
        (polls(15, 60), 60, False, None),
        (polls(0, 0), 60, False, None),
    ),
}


class Rules(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="vmheat-rules-")
        self.addCleanup(shutil.rmtree, self.folder)

    def promtool(self, *args):
        return subprocess.run(["promtool", *args], capture_output=True,
                              text=True, check=False)

    def test_check(self):
        done = self.promtool("check", "rules", made.RULES)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"SUCCESS: {len(alerts.alerts()) + 1} rules found",
                      done.stdout)

    def test_configuration(self):
        """As docs/user/grafana.md has it."""
        path = os.path.join(self.folder, "prometheus.yml")
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"rule_files": [made.RULES]}, f)
        done = self.promtool("check", "config", path)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_all_have_cases(self):
        self.assertEqual(set(CASES), {a.name for a in alerts.alerts()})
        for name, cases in CASES.items():
            self.assertEqual({fires for _, _, fires, _ in cases},
                             {True, False}, name)

    def test_series_are_real(self):
        """Names and labels of the series are those of the table."""
        metrics = made.metrics()
        metrics.add("up", EXPORTER, None, "")
        for cases in CASES.values():
            for series in (s for case in cases for s in case[0]):
                name, labels = re.fullmatch(r"(\w+)\{(.*)\}", series).groups()
                self.assertEqual(set(re.findall(r"(\w+)=\"", labels)),
                                 set(metrics.labels(name)), series)

    def evaluate(self, expected, first=False):
        """promtool on all cases; @expected: of (alert, case); @first: only on
        the first of each alert"""
        tests = []
        for name, cases in CASES.items():
            for case in cases[:1] if first else cases:
                series, minute, _, _ = case
                tests.append({
                    "interval": "1m",
                    "input_series": [{"series": s, "values": v}
                                     for s, v in series.items()],
                    "alert_rule_test": [{
                        "eval_time": f"{minute}m", "alertname": name,
                        "exp_alerts": expected(name, case)}]})
        path = os.path.join(self.folder, "test.yml")
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"rule_files": [made.RULES],
                       "evaluation_interval": "1m", "tests": tests}, f)
        return self.promtool("test", "rules", path)

    def test_fires(self):
        """What fires has the labels and texts that are expected, too."""
        done = self.evaluate(self.expected)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_can_fail(self):
        """promtool says so when no alert is expected."""
        done = self.evaluate(lambda name, case: [], first=True)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        said = set(re.findall(r"alertname: ?(\w+)", done.stdout + done.stderr))
        self.assertEqual(said, set(CASES))

    @staticmethod
    def expected(name, case):
        series, _, fires, value = case
        if not fires:
            return []
        alert = {a.name: a for a in alerts.alerts()}[name]
        labels = OUT[name](list(series))
        said = {}
        for key, template in (("summary", alert.summary),
                              ("description", alert.text)):
            out = re.sub(r"\{\{ \$labels\.(\w+) \}\}",
                         lambda m: labels.get(m[1], ""), template)
            unit = re.search(r"\{\{ \$value[^}]*\}\}B?", out)
            said[key] = out.replace(unit[0], value) if unit else out
        return [{"exp_labels": {**labels, "severity": alert.severity},
                 "exp_annotations": {
                     **said, "runbook": alerts.DOCS + name.lower()}}]


def _last(series):
    return dict(re.findall(r"(\w+)=\"([^\"]*)\"", series[-1]))


def _only(*names):
    return lambda series: {k: v for k, v in _last(series).items()
                           if k in names}


# alert -> labels that it has, of its series
OUT = {name: _last for name in CASES}
OUT["VmheatHostHeadroomLow"] = OUT["VmheatHostHeadroomSinks"] = _only("node")
OUT["VmheatRefaultRateHigh"] = OUT["VmheatOverBudget"] = \
    _only("node", "domain")

if __name__ == "__main__":
    if not shutil.which("promtool"):
        print("SKIP: promtool is not installed (package prometheus)")
        sys.exit(77)
    unittest.main()
