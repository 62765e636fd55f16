# SPDX-License-Identifier: GPL-2.0-or-later
"""Alerts, and the one rule that records. What each means and what to do is in
docs/user/grafana.md, under the alert's name.

Severity: critical, guests suffer or will; warning, look today; info, figures
are worse than they could be.
"""

from promql import TARGET, BadQuery, Query, check_template
from queries import TOTAL, headroom, where

LABEL = r"\$labels\.([a-zA-Z_]\w*)"
DOCS = "docs/user/grafana.md#"
HEADROOM = "node:vmheat_headroom_bytes:peak1d"

# (of host, machine, scheme) how texts name it.
MACHINE = "{{ $labels.domain }} on {{ $labels.node }}"
SCHEME = "scheme {{ $labels.scheme }} of " + MACHINE
PERCENT = "{{ $value | humanizePercentage }}"
BYTES = "{{ $value | humanize1024 }}B"

TOTAL_RAM = where(TOTAL)


class Alert:
    """expr: fires where it gives something; wait: for so long"""

    # pylint: disable=too-many-arguments
    def __init__(self, name, expr, *, wait, severity, summary, text):
        self.name, self.expr, self.wait = name, expr, wait
        self.severity, self.summary, self.text = severity, summary, text

    def json(self, metrics):
        labels = Query(self.expr, metrics).labels
        for text in (self.summary, self.text):
            check_template(text, labels, LABEL)
        return {"alert": self.name, "expr": self.expr, "for": self.wait,
                "labels": {"severity": self.severity},
                "annotations": {"summary": self.summary,
                                "description": self.text,
                                "runbook": DOCS + self.name.lower()}}


HOST = (
    Alert("VmheatHostHeadroomLow",
          f"{HEADROOM} / {TOTAL_RAM} < 0.05",
          wait="5m", severity="critical",
          summary="{{ $labels.node }} could not hold what its machines need "
          "at their busiest",
          text=f"{PERCENT} of its RAM would be available if each machine "
          "needed as much as at its busiest of the last day. Below zero the "
          "host swaps."),
    Alert("VmheatHostHeadroomSinks",
          # the short one: a machine that starts is a step, no slope
          f"predict_linear({HEADROOM}[1h], 4 * 3600) < 0\n"
          f"and predict_linear({HEADROOM}[15m], 4 * 3600) < 0\n"
          f"and {HEADROOM} / {TOTAL_RAM} < 0.25",
          wait="30m", severity="warning",
          summary="{{ $labels.node }} runs out of headroom within four hours",
          text="Going on as in the last hour, its headroom would be "
          f"{BYTES} in four hours."),
)

SCHEMES = (
    Alert("VmheatRefaultStorm",
          "increase(vmheat_scheme_refaulted_bytes_total[10m])\n"
          "  / increase(vmheat_scheme_applied_bytes_total[10m]) > 0.25\n"
          "and increase(vmheat_scheme_refaulted_bytes_total[10m]) > 64 * "
          "1024 * 1024",
          wait="10m", severity="warning",
          summary=f"Of what {SCHEME} takes, much comes back",
          text=f"In ten minutes {PERCENT} of what it paged out was needed "
          "again."),
    Alert("VmheatRefaultRateHigh",
          "sum by (node, domain) "
          "(rate(vmheat_scheme_refaulted_bytes_total[5m]))\n"
          "  > 32 * 1024 * 1024",
          wait="5m", severity="critical",
          summary=f"{MACHINE} waits for memory that was paged out",
          text=f"{BYTES} a second come back from swap."),
    Alert("VmheatSchemeRefused",
          "increase(vmheat_scheme_errors_total[15m]) > 0",
          wait="15m", severity="warning",
          summary=f"The host refuses what {SCHEME} asks",
          text="{{ $value | humanize }} times in 15 minutes: no memory, or "
          "swap is full."),
    Alert("VmheatSchemeBacksOff",
          'avg_over_time(vmheat_scheme_state{state="back-off"}[1h]) > 0.5',
          wait="15m", severity="warning",
          summary=f"Most of the time {SCHEME} leaves the guest alone",
          text=f"In the last hour it backed off {PERCENT} of the time."),
)

MONITORING = (
    Alert("VmheatMonitorFailed",
          'vmheat_domain_state{state="failed"} == 1',
          wait="5m", severity="warning",
          summary=f"The memory of {MACHINE} is not watched: the monitor "
          "failed",
          text="Its last figures are old, and schemes do nothing."),
    Alert("VmheatMonitorSuspended",
          'vmheat_domain_state{state="suspended"} == 1',
          wait="1h", severity="info",
          summary=f"Monitoring of {MACHINE} stands aside for an hour",
          text="A migration, a background snapshot or dirty page tracking "
          "goes on, or the guest is stopped."),
    Alert("VmheatMachineUnreachable",
          'vmheat_domain_state{state="unreachable"} == 1',
          wait="5m", severity="warning",
          summary=f"{MACHINE} does not answer",
          text="QEMU hangs, something else has its QMP socket, or the "
          "exporter may not open it."),
    Alert("VmheatThrottled",
          "vmheat_domain_throttled == 1",
          wait="30m", severity="info",
          summary=f"The budget slows the monitor of {MACHINE} down",
          text="Figures are less fine than asked for."),
    Alert("VmheatOverBudget",
          "sum by (node, domain) (rate("
          'vmheat_domain_monitoring_cpu_seconds_total{thread="vcpu"}[15m]))\n'
          "  / max by (node, domain) (vmheat_domain_monitoring_budget_ratio)"
          " > 2",
          wait="15m", severity="warning",
          summary=f"Monitoring of {MACHINE} costs more than its budget",
          text="Its vCPUs give {{ $value | humanize }} times the budget."),
    Alert("VmheatConfidenceLow",
          "avg_over_time(vmheat_domain_confidence_ratio[15m]) < 0.5",
          wait="30m", severity="info",
          summary=f"How hot the memory of {MACHINE} is, is not sure",
          text=f"Of {PERCENT} of it the heat is known."),
    Alert("VmheatChecksLost",
          "rate(vmheat_domain_lost_total[15m])\n"
          "  / rate(vmheat_domain_checks_total[15m]) > 0.05",
          wait="15m", severity="warning",
          summary=f"Checks of {MACHINE} are lost",
          text=f"{PERCENT} of the answers are thrown away; what was accessed "
          "may look idle."),
    Alert("VmheatNewBlindSpot",
          "vmheat_domain_blind_spots_info\n"
          "  unless on (domain, uuid, node, blind_spots)\n"
          "    vmheat_domain_blind_spots_info offset 1h\n"
          "  and on (domain, uuid, node) (vmheat_domain_up offset 1h == 1)",
          wait="5m", severity="warning",
          summary=f"vmheat sees less of {MACHINE} than an hour ago",
          text="Not seen: {{ $labels.blind_spots }}."),
)

EXPORTER = (
    Alert("VmheatExporterDown",
          'up{job="vmheat"} == 0',
          wait="5m", severity="critical",
          summary="vmheat-exporter at {{ $labels.instance }} does not answer",
          text="There are no figures of that host."),
    Alert("VmheatExporterPollsFail",
          "rate(vmheat_exporter_poll_failures_total[10m])\n"
          "  / rate(vmheat_exporter_polls_total[10m]) > 0.5",
          wait="15m", severity="warning",
          summary="vmheat-exporter at {{ $labels.instance }} reaches few of "
          "its machines",
          text=f"{PERCENT} of its questions get no answer."),
)

GROUPS = (("vmheat-host", HOST), ("vmheat-schemes", SCHEMES),
          ("vmheat-monitoring", MONITORING), ("vmheat-exporter", EXPORTER))


def alerts():
    return [a for _, group in GROUPS for a in group]


def _record(metrics):
    """Headroom is asked in three ways, and predict_linear wants a series."""
    expr = headroom()
    try:
        labels = Query(expr, metrics).labels
    except BadQuery as e:
        raise BadQuery(f"rule {HEADROOM}: {e}") from None
    metrics.add(HEADROOM, labels, "bytes", "")
    return {"record": HEADROOM, "expr": expr}


def _alert_json(alert, metrics):
    try:
        return alert.json(metrics)
    except BadQuery as e:
        raise BadQuery(f"alert {alert.name}: {e}") from None


def rules(metrics):
    """The file of rules. Raises BadQuery."""
    metrics.add("up", TARGET, None, "")
    record = _record(metrics)
    made = [{"name": name, "rules": [_alert_json(a, metrics) for a in group]}
            for name, group in GROUPS]
    made[0]["rules"].insert(0, record)
    return {"groups": made}
