# SPDX-License-Identifier: GPL-2.0-or-later
"""Panels of a board of Grafana, as JSON.

A panel says what it asks; its description and unit come from the table of
metrics. Options are those of Grafana's schema (npm: @grafana/schema), which a
test compares them with.
"""

from promql import BadQuery, Query, check_template

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
LEGEND_LABEL = r"\{\{\s*([a-zA-Z_]\w*)\s*\}\}"

# Unit of a metric -> of Grafana: as it is, and a second.
UNITS = {"bytes": ("bytes", "binBps"), "seconds": ("s", "percentunit"),
         "hertz": ("cps", "cps"), "ratio": ("percentunit", "percentunit"),
         "times": ("suffix:x", "suffix:x"), None: ("short", "cps")}


def grafana_unit(unit, per_second=False):
    if unit not in UNITS:
        raise BadQuery(f"Grafana's word for unit {unit} is not in UNITS")
    return UNITS[unit][per_second]


def thresholds(*steps):
    """(color, from), ...; the first from is None"""
    return {"mode": "absolute",
            "steps": [{"color": c, "value": v} for c, v in steps]}


PLAIN = thresholds(("green", None))


class Target:
    """A query. legend: with {{label}}; style: Grafana's custom field options
    of its lines; color: fixed"""

    def __init__(self, expr, legend="", style=None, color=None):
        self.expr = " ".join(expr.split())
        self.legend = legend
        self.style = style or {}
        self.color = color


class Panel:
    """What all have. unit: of metrics ("ratio"), when it is not theirs;
    per_second: they are rates; note: goes before what the table says;
    optional: may be empty where all is well"""

    kind = None
    query = {"range": True}
    # pylint: disable=too-many-arguments
    def __init__(self, title, targets, *, w, h, unit="", per_second=False,
                 note="", steps=PLAIN, optional=False):
        self.title = title
        self.targets = [targets] if isinstance(targets, Target) else targets
        self.w, self.h = w, h
        self.unit, self.per_second = unit, per_second
        self.note, self.steps, self.optional = note, steps, optional

    # ---- from the table ----

    def _rows(self, queries):
        """Rows of the table that are asked, each once."""
        out = {}
        for q in queries:
            for name in q.names:
                row = q.metrics.row(name)
                if not row.get("foreign"):
                    out[row["name"]] = row
        return list(out.values())

    def _unit(self, rows):
        if self.unit != "":
            return grafana_unit(self.unit)
        units = {row["unit"] for row in rows}
        if len(units) > 1:
            raise BadQuery("units differ: " + ", ".join(
                f"{row['name']} is in {row['unit'] or 'numbers'}"
                for row in rows))
        return grafana_unit(units.pop() if units else None, self.per_second)

    def _description(self, rows):
        helps = [row["help"] for row in rows]
        if len(rows) > 1:
            helps = [f"- `{row['name']}`: {row['help']}" for row in rows]
        return "\n\n".join(filter(None, (self.note, "\n".join(helps))))

    # ---- JSON ----

    def _target(self, i, target):
        return {"refId": chr(ord("A") + i), "datasource": SOURCE,
                "expr": target.expr, "legendFormat": target.legend,
                "editorMode": "code", **self.query}

    def _overrides(self):
        out = []
        for i, t in enumerate(self.targets):
            properties = [{"id": "custom." + key, "value": value}
                          for key, value in t.style.items()]
            if t.color:
                properties.append({"id": "color", "value": {
                    "mode": "fixed", "fixedColor": t.color}})
            if properties:
                out.append({"matcher": {"id": "byFrameRefID",
                                        "options": chr(ord("A") + i)},
                            "properties": properties})
        return out

    def _defaults(self, unit):
        return {"unit": unit, "thresholds": self.steps, "mappings": [],
                "color": {"mode": "palette-classic"},
                "custom": self._custom()}

    def _custom(self):
        return {}

    def _options(self):
        raise NotImplementedError

    def json(self, metrics):
        """Without id and place."""
        queries = [Query(t.expr, metrics) for t in self.targets]
        for q, t in zip(queries, self.targets):
            check_template(t.legend, q.labels or (), LEGEND_LABEL)
        rows = self._rows(queries)
        return {"type": self.kind, "title": self.title,
                "description": self._description(rows), "datasource": SOURCE,
                "targets": [self._target(i, t)
                            for i, t in enumerate(self.targets)],
                "fieldConfig": {"defaults": self._defaults(self._unit(rows)),
                                "overrides": self._overrides()},
                "options": self._options()}


class Stat(Panel):
    kind = "stat"

    def _defaults(self, unit):
        return {**super()._defaults(unit), "color": {"mode": "thresholds"}}

    def _options(self):
        return {"colorMode": "value", "graphMode": "area",
                "justifyMode": "auto", "textMode": "auto", "wideLayout": True,
                "orientation": "auto", "showPercentChange": False,
                "percentChangeColorMode": "standard",
                "reduceOptions": {"calcs": ["lastNotNull"], "fields": "",
                                  "values": False}}


class Lines(Panel):
    """stacked: areas upon each other; line: where thresholds are drawn"""

    kind = "timeseries"

    def __init__(self, *args, stacked=False, line=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.stacked, self.line = stacked, line

    def _defaults(self, unit):
        return {**super()._defaults(unit), "min": 0} if self.stacked else \
            super()._defaults(unit)

    def _custom(self):
        return {"drawStyle": "line", "lineWidth": 1,
                "fillOpacity": 60 if self.stacked else 8,
                "showPoints": "never", "spanNulls": False,
                "axisSoftMin": 0,
                "stacking": {"group": "A",
                             "mode": "normal" if self.stacked else "none"},
                "thresholdsStyle": {"mode": "dashed" if self.line else "off"}}

    def _options(self):
        return {"legend": {"displayMode": "list", "placement": "bottom",
                           "showLegend": True, "calcs": []},
                "tooltip": {"mode": "multi", "sort": "desc"}}


class Heatmap(Panel):
    """Bytes by bucket of a histogram of what is now, which needs no rate().
    Colors go by the root of bytes: what is hot is small."""

    kind = "heatmap"

    def _target(self, i, target):
        return {**super()._target(i, target), "format": "heatmap"}

    def _defaults(self, unit):
        return {"custom": self._custom()}

    def _custom(self):
        return {"hideFrom": {"legend": False, "tooltip": False, "viz": False},
                "scaleDistribution": {"type": "linear"}}

    def _overrides(self):
        return []

    def json(self, metrics):
        out = super().json(metrics)
        q = Query(self.targets[0].expr, metrics)
        out["options"]["yAxis"]["unit"] = self._unit(self._rows([q]))
        return out

    def _options(self):
        return {"calculate": False, "cellGap": 1,
                "cellValues": {"unit": "bytes"},
                "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64,
                          "exponent": 0.5, "fill": "dark-orange",
                          "reverse": False, "scale": "exponential"},
                "exemplars": {"color": "rgba(255,0,255,0.7)"},
                "filterValues": {"le": 1e-9}, "legend": {"show": True},
                "rowsFrame": {"layout": "auto"}, "showValue": "never",
                "tooltip": {"mode": "single", "yHistogram": True,
                            "showColorScale": False},
                "yAxis": {"axisPlacement": "left", "reverse": False}}


class Column(Target):
    """Of a table. key: the label whose value is shown instead of the number;
    steps: thresholds that color it; mappings: text -> color"""

    # pylint: disable=too-many-arguments
    def __init__(self, title, expr, *, unit="", key=None, steps=None,
                 mappings=None):
        super().__init__(expr)
        self.title, self.unit, self.key = title, unit, key
        self.steps, self.mappings = steps, mappings

    def properties(self, unit):
        out = [{"id": "unit", "value": unit}] if not self.key else []
        if self.steps or self.mappings:
            out.append({"id": "custom.cellOptions",
                        "value": {"type": "color-text"}})
        if self.steps:
            out.append({"id": "thresholds", "value": self.steps})
        if self.mappings:
            out.append({"id": "mappings", "value": [{
                "type": "value", "options": {
                    text: {"color": color, "index": i}
                    for i, (text, color) in enumerate(self.mappings.items())
                }}]})
        return out


class Table(Panel):
    """A row for each value of the labels in by; a column for each target.
    sort: by which column, the largest first"""

    kind = "table"
    query = {"instant": True, "range": False, "format": "table"}

    def __init__(self, title, columns, *, by, sort=None, **kwargs):
        super().__init__(title, columns, **kwargs)
        self.by, self.sort = by, sort

    def _value(self, i):
        """What Grafana calls the number of a target."""
        return f"Value #{chr(ord('A') + i)}" if len(self.targets) > 1 \
            else "Value"

    def json(self, metrics):
        out = super().json(metrics)
        for t in self.targets:
            labels = Query(t.expr, metrics).labels or set()
            wanted = set(self.by) | ({t.key} if t.key else set())
            if labels != wanted:
                raise BadQuery(f"column {t.title!r} has labels "
                               f"{sorted(labels)}, not {sorted(wanted)}")
        out["fieldConfig"]["overrides"] = self._columns(metrics)
        out["transformations"] = [{"id": "merge", "options": {}},
                                  self._organize()]
        return out

    def _unit(self, rows):
        return "short"

    def _defaults(self, unit):
        return {**super()._defaults(unit), "color": {"mode": "thresholds"}}

    def _columns(self, metrics):
        out = []
        for t in self.targets:
            rows = self._rows([Query(t.expr, metrics)])
            unit = grafana_unit(t.unit) if t.unit != "" else \
                Panel._unit(self, rows)
            properties = t.properties(unit)
            if properties:
                out.append({"matcher": {"id": "byName", "options": t.title},
                            "properties": properties})
        return out

    def _organize(self):
        names, order, hidden = {}, {}, {"Time": True}
        for label in self.by:
            order[label] = len(order)
        for i, t in enumerate(self.targets):
            if t.key:
                hidden[self._value(i)] = True
            source = t.key or self._value(i)
            order[source] = len(order)
            names[source] = t.title
        return {"id": "organize", "options": {
            "excludeByName": hidden, "indexByName": order,
            "renameByName": names}}

    def _custom(self):
        return {"align": "auto", "cellOptions": {"type": "auto"},
                "filterable": True, "inspect": False}

    def _options(self):
        return {"showHeader": True, "cellHeight": "sm", "frameIndex": 0,
                "sortBy": [{"displayName": self.sort, "desc": True}]
                if self.sort else []}
