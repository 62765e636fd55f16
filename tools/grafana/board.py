# SPDX-License-Identifier: GPL-2.0-or-later
"""The board: rows, panels, variables. See docs/user/grafana.md.

In queries %h stands for the chosen hosts, %d for the chosen machines.
"""

from panels import (SOURCE, Column, Heatmap, Lines, Panel, Stat, Table, Target,
                    thresholds)
from promql import TARGET, BadQuery, Query
from queries import AVAILABLE, TOTAL, WORST, headroom, where

HOSTS = 'node=~"$node"'
MACHINES = 'node=~"$node",domain=~"$domain"'
EVERY = "[$__rate_interval]"

UID = "vmheat"
WIDTH = 24

HEAT = {"hot": "red", "warm": "orange", "cold": "blue", "idle": "light-blue",
        "never": "gray"}
STATES = {"running": "green", "paused": "blue", "suspended": "yellow",
          "failed": "red", "unreachable": "red", "absent": "gray"}
SCHEME_STATES = {"active": "green", "inactive": "gray", "back-off": "yellow",
                 "finished": "blue"}

CONFIDENT = thresholds(("red", None), ("yellow", 0.5), ("green", 0.8))
REFAULTS = thresholds(("green", None), ("yellow", 0.1), ("red", 0.25))
HEADROOM = thresholds(("red", None), ("green", 0))
OVERCOMMIT = thresholds(("green", None), ("yellow", 1.5), ("red", 2))
BAD = thresholds(("green", None), ("red", 1))

# How a target that others are compared with is drawn.
DASHED = {"lineStyle": {"fill": "dash", "dash": [8, 6]}, "fillOpacity": 0}

# Not of vmheat: the row about them stays empty without.
LIBVIRT = ("available", "usable", "swap_in")


def q(text):
    """%h and %d as matchers of variables"""
    return text.replace("%h", "{" + HOSTS + "}") \
        .replace("%d", "{" + MACHINES + "}")


def t(expr, legend="", **kwargs):
    return Target(q(expr), legend, **kwargs)


def total(metric):
    return f"sum({metric}%h)"


# ---- hosts ----

def host_stats():
    def stat(title, expr, **kwargs):
        return Stat(title, t(expr), w=3, h=4, **kwargs)
    return [
        stat("RAM", "sum(max by (node) (vmheat_host_memory_total_bytes%h))"),
        stat("Available",
             "sum(max by (node) (vmheat_host_memory_available_bytes%h))"),
        stat("Size of machines", total("vmheat_domain_size_bytes")),
        stat("Machines have", total("vmheat_domain_resident_bytes")),
        stat("Machines need", total("vmheat_domain_needs_bytes")),
        stat("Saved", total("vmheat_domain_saved_bytes")),
        stat("Overcommit", "sum(vmheat_domain_size_bytes%h) / "
             "sum(max by (node) (vmheat_host_memory_total_bytes%h))",
             unit="times", steps=OVERCOMMIT,
             note="Memory of all guests by RAM of their hosts."),
        stat("Headroom", f"sum({headroom(HOSTS)})", steps=HEADROOM,
             note="What would be available if each machine needed as much as "
             "at its busiest of the last day, all at once."),
    ]


def host_lines():
    worst = headroom(HOSTS, WORST)
    return [
        Lines("RAM of hosts", [
            t(where(TOTAL, HOSTS), "total ({{node}})", style=DASHED),
            t(where(AVAILABLE, HOSTS), "available ({{node}})"),
            t(headroom(HOSTS), "headroom ({{node}})"),
            t(worst, "if all were used ({{node}})"),
        ], w=12, h=8, line=True, steps=HEADROOM,
            note="Headroom: what would be available if each machine needed as "
            "much as at its busiest of the last day, all at once. Below it: if "
            "each used all that its balloon, or its size, lets it. Below zero "
            "the host would have to swap."),
        Lines("Machines together", [
            t(total("vmheat_domain_size_bytes"), "size", style=DASHED),
            t(total("vmheat_domain_resident_bytes"), "have"),
            t(total("vmheat_domain_needs_bytes"), "need"),
            t(total("vmheat_domain_saved_bytes"), "saved"),
        ], w=6, h=8),
        Lines("Swap", [
            t("max by (node) (vmheat_host_swap_used_bytes%h)",
              "used ({{node}})"),
            t("max by (node) (vmheat_host_compressed_original_bytes%h)",
              "held compressed ({{node}})"),
            t("max by (node) (vmheat_host_compressed_stored_bytes%h)",
              "RAM for it ({{node}})"),
        ], w=6, h=4, optional=True),
        Lines("Compression", t(
            "max by (node) (vmheat_host_compressed_original_bytes%h) / "
            "max by (node) (vmheat_host_compressed_stored_bytes%h)",
            "{{node}}"), w=6, h=4, unit="times", optional=True,
            note="How many bytes zram and zswap keep in one byte of RAM."),
    ]


# ---- machines ----

def by_machine(metric, how="max"):
    return f"{how} by (node, domain) ({metric}%d)"


def machine_table():
    def column(title, expr, **kwargs):
        return Column(title, q(expr), **kwargs)
    cold = ('sum by (node, domain) (vmheat_domain_class_bytes'
            '{class=~"cold|idle|never",' + MACHINES + "}) / "
            "sum by (node, domain) (vmheat_domain_class_bytes%d)")
    return Table("Machines", [
        column("state", "max by (node, domain, state) "
               "(vmheat_domain_state%d == 1)", key="state", mappings=STATES),
        column("size", by_machine("vmheat_domain_size_bytes")),
        column("has", by_machine("vmheat_domain_resident_bytes")),
        column("needs", by_machine("vmheat_domain_needs_bytes")),
        column("saved", by_machine("vmheat_domain_saved_bytes")),
        column("cold", cold, unit="ratio"),
        column("primitive", "max by (node, domain, primitive) "
               "(vmheat_domain_primitive_info%d)", key="primitive"),
        column("cost", by_machine("vmheat_domain_monitoring_cost_ratio")),
        column("confidence", by_machine("vmheat_domain_confidence_ratio"),
               steps=CONFIDENT),
    ], by=("domain", "node"), sort="needs", w=24, h=9)


def machine_lines():
    heat = [t('sum(vmheat_domain_class_bytes{class="%s",%s})' % (c, MACHINES),
              c, color=color) for c, color in HEAT.items()]
    return [
        Lines("Memory by heat", heat, w=8, h=8, stacked=True,
              note="Of the chosen machines together."),
        Lines("Working set by window",
              t("sum by (window) (vmheat_domain_working_set_bytes%d)",
                "{{window}}"), w=8, h=8,
              note="Of the chosen machines together."),
        Lines("Needs by machine", t(by_machine("vmheat_domain_needs_bytes"),
                                    "{{domain}} ({{node}})"), w=8, h=8),
        Heatmap("Idle age", t(
            "sum by (le) (vmheat_domain_idle_age_seconds_bucket%d)",
            "{{le}}"), w=12, h=8, note="Of the chosen machines together."),
        Heatmap("Access rate", t(
            "sum by (le) (vmheat_domain_access_rate_hertz_bucket%d)",
            "{{le}}"), w=12, h=8, note="Of the chosen machines together."),
        Lines("Reads and writes", t(
            "sum by (access) (vmheat_domain_heat_hertz%d)", "{{access}}"),
            w=8, h=7, note="Of the chosen machines together."),
        Lines("Balloon", [
            t(by_machine("vmheat_domain_balloon_actual_bytes"),
              "{{domain}} ({{node}})"),
            t(by_machine("vmheat_domain_balloon_target_bytes"),
              "{{domain}} ({{node}}) target", style=DASHED),
        ], w=8, h=7, optional=True),
        Lines("Huge pages", t(
            "sum by (node, domain) (vmheat_domain_hugepage_bytes%d) / "
            "sum by (node, domain) (vmheat_domain_resident_bytes%d)",
            "{{domain}} ({{node}})"), w=8, h=7, unit="ratio", optional=True,
            note="Part of what is in RAM that huge pages back."),
    ]


def libvirt_lines():
    """Joined by the name of the domain, as other exporters have no node."""
    def of_guest(expr):
        return q(f"sum by (domain) ({expr}" '{domain=~"$domain"})')

    here = q(" and on (domain) sum by (domain) (vmheat_domain_up%d)")
    used = of_guest("libvirt_domain_memory_stats_available_bytes") + " - " + \
        of_guest("libvirt_domain_memory_stats_usable_bytes")
    needs = q("sum by (domain) (vmheat_domain_needs_bytes%d)")
    swap = q("sum by (domain) (rate(libvirt_domain_memory_stats_swap_in_bytes"
             '{domain=~"$domain"}' + EVERY + "))")
    return [
        Lines("Used, as the guest says, and needed", [
            Target(f"({used}){here}", "{{domain}} uses", style=DASHED),
            Target(needs, "{{domain}} needs")],
            w=8, h=8, unit="bytes", optional=True,
            note="Of a libvirt exporter: what is not usable of what the guest "
            "has (needs the guest's balloon driver)."),
        Lines("Used but not needed", Target(
            f"{used} - on (domain) {needs}", "{{domain}}"),
            w=8, h=8, unit="bytes", optional=True,
            note="What the guest could not give back by itself, though it did "
            "not access it for a minute."),
        Lines("Guests swap in", Target(swap + here, "{{domain}}"),
              w=8, h=8, unit="bytes", optional=True,
              note="By the guests' own swap, per second: a balloon that takes "
              "too much shows here."),
    ]


# ---- schemes ----

SCHEME = "by (scheme)"


# What else is done does not come back.
PAGEOUT = '{action="pageout",' + MACHINES + "}"


def scheme_rate(metric, seconds=EVERY, which="%d"):
    return f"sum {SCHEME} (rate({metric}{which}{seconds}))"


def scheme_lines():
    done = [t(scheme_rate(f"vmheat_scheme_{what}_bytes_total", which=which),
              "{{scheme}} " + says)
            for what, which, says in (("tried", "%d", "tried"),
                                      ("applied", "%d", "applied"),
                                      ("refaulted", PAGEOUT, "came back"))]
    share = " / ".join(scheme_rate(f"vmheat_scheme_{what}_bytes_total",
                                   "[10m]", PAGEOUT)
                       for what in ("refaulted", "applied"))
    return [
        Lines("What schemes do", done, w=8, h=8, per_second=True,
              note="Schemes of one name together."),
        Lines("Came back of what was paged out", t(
            share, "{{scheme}}"), w=8, h=8, unit="ratio", line=True,
            optional=True,
            steps=REFAULTS, note="In ten minutes. Above a tenth the age of "
            "the pattern is too low."),
        Lines("Time of actions", t(
            scheme_rate("vmheat_scheme_apply_seconds_total"), "{{scheme}}"),
            w=8, h=8, per_second=True),
        Lines("Quota", t(f"sum {SCHEME} (vmheat_scheme_quota_bytes%d)",
                         "{{scheme}}"), w=6, h=7),
        Lines("Quota used up", t(
            scheme_rate("vmheat_scheme_quota_exceeds_total"), "{{scheme}}"),
            w=6, h=7, per_second=True),
        Lines("Back-offs and errors in ten minutes", [
            t(f"sum {SCHEME} (increase(vmheat_scheme_{what}_total%d[10m]))",
              "{{scheme}} " + says)
            for what, says in (("back_offs", "backed off"),
                               ("errors", "was refused"))], w=6, h=7),
        Lines("Goals", t("max by (node, domain, scheme) "
                         "(vmheat_scheme_goal_score_ratio%d)",
                         "{{scheme}} of {{domain}} ({{node}})"), w=6, h=7),
    ]


def scheme_table():
    by = "(node, domain, scheme)"

    def column(title, expr, **kwargs):
        return Column(title, q(expr), **kwargs)
    applied = f"max by {by} (vmheat_scheme_applied_bytes_total%d)"
    refaulted = f"max by {by} (vmheat_scheme_refaulted_bytes_total{PAGEOUT})"
    return Table("Schemes", [
        column("action", "group by (node, domain, scheme, action) "
               "(vmheat_scheme_applied_bytes_total%d)", key="action"),
        column("state", "max by (node, domain, scheme, state) "
               "(vmheat_scheme_state%d == 1)", key="state",
               mappings=SCHEME_STATES),
        column("applied", applied),
        column("came back", refaulted),
        column("part", f"{refaulted} / ({applied} > 0)", unit="ratio",
               steps=REFAULTS),
        column("quota", f"max by {by} (vmheat_scheme_quota_bytes%d)"),
        column("backed off",
               f"max by {by} (vmheat_scheme_back_offs_total%d)"),
        column("refused", f"max by {by} (vmheat_scheme_errors_total%d)",
               steps=BAD),
    ], by=("scheme", "domain", "node"), sort="came back", w=24, h=8,
        note="Bytes and counts are since the scheme was set.")


# ---- monitoring ----

def monitoring_lines():
    ours = " and on (instance, job) vmheat_exporter_build_info"

    def per_second(what, legend):
        return t(f"sum(rate(vmheat_domain_{what}_total%d{EVERY}))", legend)
    return [
        Lines("Cost and budget", [
            t(by_machine("vmheat_domain_monitoring_cost_ratio"),
              "{{domain}} ({{node}})"),
            t("3 * max(vmheat_domain_monitoring_budget_ratio%d)",
              "what the largest budget allows", style=DASHED),
        ], w=8, h=8, note="What it allows: the budget on vCPUs, and twice "
            "that on a CPU of the host for the worker thread."),
        Lines("CPU time by thread", t(
            "sum by (thread) (rate(vmheat_domain_monitoring_cpu_seconds_total"
            f"%d{EVERY}))", "{{thread}}"), w=8, h=8, per_second=True,
            note="Of the chosen machines together."),
        Lines("Checks", [per_second("checks", "checks"),
                         per_second("traps", "traps"),
                         per_second("lost", "lost")],
              w=8, h=8, per_second=True,
              note="Of the chosen machines together."),
        Lines("Confidence", t(by_machine("vmheat_domain_confidence_ratio"),
                              "{{domain}} ({{node}})"), w=8, h=8,
              line=True, steps=CONFIDENT),
        Lines("Machines by state", [
            t("sum by (state) (vmheat_domain_state%d)", "{{state}}"),
            t("sum(vmheat_domain_throttled%d)", "throttled", style=DASHED)],
            w=8, h=8),
        Lines("Delays", [
            t(by_machine("vmheat_domain_answer_seconds"),
              "answer of {{domain}} ({{node}})"),
            t(by_machine("vmheat_domain_bql_hold_max_seconds"),
              "QEMU's lock, {{domain}} ({{node}})", style=DASHED)],
            w=8, h=8),
        Table("Blind spots", [
            Column("access", q("max by (node, domain, access) "
                               "(vmheat_domain_sees%d == 0)"), key="access"),
            Column("not seen", q("max by (node, domain, blind_spots) "
                                 "(vmheat_domain_blind_spots_info%d)"),
                   key="blind_spots"),
        ], by=("domain", "node"), w=12, h=8, optional=True,
            note="Access: of a kind that is not seen at all."),
        Lines("Exporters", [
            t(f"sum by (instance) (rate(vmheat_exporter_{what}_total{EVERY}))",
              "{{instance}} " + says)
            for what, says in (("polls", "asks"), ("poll_failures", "fails"),
                               ("refused", "turns away"))],
            w=6, h=8, per_second=True),
        Lines("Memory of exporters", t(
            f"process_resident_memory_bytes{ours}", "{{instance}}"),
            w=6, h=8, unit="bytes"),
    ]


# ---- all ----

# Title, collapsed, panels.
ROWS = (
    ("Hosts", False, lambda: host_stats() + host_lines()),
    ("Machines", False, lambda: [machine_table()] + machine_lines()),
    ("Machines, with a libvirt exporter", True, libvirt_lines),
    ("Schemes", False, lambda: scheme_lines() + [scheme_table()]),
    ("Monitoring", False, monitoring_lines),
)


def _place(panels, y):
    """From left to right; a panel goes where the lowest free place is."""
    floor = [y] * WIDTH
    for p, out in panels:
        x = min(range(WIDTH - p.w + 1),
                key=lambda x, w=p.w: (max(floor[x:x + w]), x))
        top = max(floor[x:x + p.w])
        out["gridPos"] = {"x": x, "y": top, "w": p.w, "h": p.h}
        floor[x:x + p.w] = [top + p.h] * p.w
    return max(floor)


def _panel_json(panel, metrics):
    try:
        return panel.json(metrics)
    except BadQuery as e:
        raise BadQuery(f"panel {panel.title!r}: {e}") from None


def _panels(metrics):
    out, y = [], 0
    for title, collapsed, make in ROWS:
        panels = [(p, _panel_json(p, metrics)) for p in make()]
        row = {"type": "row", "title": title, "collapsed": collapsed,
               "panels": [], "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1}}
        end = _place(panels, y + 1)
        inside = [p for _, p in panels]
        out.append(row)
        if collapsed:
            row["panels"] = inside
            y += 1
        else:
            out += inside
            y = end
    for number, panel in enumerate(_all(out), 1):
        panel["id"] = number
    return out


def _all(panels):
    """Rows, and what is in them."""
    for p in panels:
        yield p
        yield from p.get("panels", ())


def _variable(name, label, selector, metrics):
    """All values of a label."""
    query = Query(q(selector), metrics)
    if name not in query.labels:
        raise BadQuery(f"variable {name!r}: {selector} has no such label")
    text = f"label_values({q(selector)}, {name})"
    return {"type": "query", "name": name, "label": label,
            "datasource": SOURCE, "definition": text,
            "query": {"query": text, "refId": name, "qryType": 1},
            "refresh": 2, "sort": 7, "multi": True, "includeAll": True,
            "allValue": ".*", "regex": "", "options": [],
            "current": {"selected": True, "text": ["All"],
                        "value": ["$__all"]}}


def _variables(metrics):
    source = {"type": "datasource", "name": "datasource",
              "label": "Data source", "query": "prometheus", "refresh": 1,
              "regex": "", "options": [], "current": {"text": "", "value": ""},
              "multi": False, "includeAll": False}
    return [source,
            _variable("node", "Host", "vmheat_host_memory_total_bytes",
                      metrics),
            _variable("domain", "Machine", "vmheat_domain_up%h", metrics)]


def _annotations():
    """Alerts of vmheat, as marks in all panels."""
    return [{"name": "Alerts of vmheat", "datasource": SOURCE, "enable": True,
             "hide": False, "iconColor": "red",
             "expr": 'ALERTS{alertname=~"Vmheat.*",alertstate="firing"}',
             "step": "60s", "titleFormat": "{{alertname}}",
             "textFormat": "{{domain}} {{scheme}} {{node}}"}]


def foreign(metrics):
    """Metrics of others that the board asks."""
    for what in LIBVIRT:
        metrics.add(f"libvirt_domain_memory_stats_{what}_bytes",
                    TARGET | {"domain"}, "bytes", "")


def board(metrics):
    """The whole board. Raises BadQuery."""
    foreign(metrics)
    return {"uid": UID, "title": "vmheat", "tags": ["vmheat", "qemu"],
            "description": "Heat of virtual machines' memory; made from "
            "vmheat's table of metrics.", "id": None, "editable": True,
            "schemaVersion": 39, "version": 1, "graphTooltip": 1,
            "refresh": "30s", "time": {"from": "now-6h", "to": "now"},
            "timezone": "browser", "timepicker": {}, "links": [],
            "fiscalYearStartMonth": 0, "weekStart": "",
            "annotations": {"list": _annotations()},
            "templating": {"list": _variables(metrics)},
            "panels": _panels(metrics)}


def optional_titles():
    """Panels that may be empty where all is well."""
    return {p.title for _, _, make in ROWS for p in make() if p.optional}


__all__ = ["Panel", "board", "optional_titles"]
