# SPDX-License-Identifier: GPL-2.0-or-later
"""Which labels a PromQL expression gives, so that wrong ones are found early.

Prometheus takes any name: a query of a metric that was renamed is no error, it
gives nothing, and an alert on it never fires. So queries are parsed here with
the table of metrics at hand. What is checked:

- each metric is in the table, with its suffix (_total, _bucket, ...);
- each label of a matcher, of by, without, on, ignoring and group_left is one
  that the expression it is about has;
- both sides of an operator without on or ignoring have the same labels, else
  nothing would match.

What is not: values of labels, and types of what functions take. For these the
queries are run in a real Prometheus (tests/grafana).
"""

import re

# What a scrape adds to each metric.
TARGET = frozenset(("job", "instance"))

TOKEN = re.compile(r"""
    (?P<space>\s+)
  | (?P<range>\[[^\]]*\])
  | (?P<string>"(?:[^"\\]|\\.)*")
  | (?P<number>(?:\d+\.?\d*(?:e[+-]?\d+)?)[smhdwy]?)
  | (?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
  | (?P<op>==|!=|=~|!~|<=|>=|[-+*/%^<>=(){},])
""", re.VERBOSE)

PRECEDENCE = ({"or"}, {"and", "unless"},
              {"==", "!=", "<=", ">=", "<", ">"},
              {"+", "-"}, {"*", "/", "%"}, {"^"})
SETS = {"or", "and", "unless"}
AGGREGATIONS = {"sum", "min", "max", "avg", "count", "group", "topk", "bottomk",
                "quantile", "stddev"}
WITH_ARGUMENT = {"topk", "bottomk", "quantile"}
# Function -> which argument its labels are of.
FUNCTIONS = {"rate": 0, "increase": 0, "delta": 0, "deriv": 0, "changes": 0,
             "avg_over_time": 0, "max_over_time": 0, "min_over_time": 0,
             "sum_over_time": 0, "count_over_time": 0, "last_over_time": 0,
             "predict_linear": 0, "clamp_min": 0, "clamp_max": 0, "abs": 0,
             "round": 0, "timestamp": 0, "histogram_quantile": 1}
NUMBERS = {"time"}


class BadQuery(Exception):
    """What is wrong with an expression, as a sentence without its end."""


class Metrics:
    """Names of samples -> labels, units and help."""

    SUFFIXES = {"gaugehistogram": ("_bucket",)}

    def __init__(self, table):
        self.rows = {}
        for row in table:
            for suffix in self.SUFFIXES.get(row["type"], ("",)):
                self.rows[row["name"] + suffix] = row

    def add(self, name, labels, unit, about):
        """One that is not in the table, with all of its labels."""
        self.rows[name] = {"name": name, "labels": sorted(labels),
                           "unit": unit, "help": about, "foreign": True}

    def row(self, name):
        if name in self.rows:
            return self.rows[name]
        near = [n for n in self.rows
                if n.startswith(name) or name.startswith(n)]
        hint = f"; there is {near[0]}" if near else ""
        raise BadQuery(f"there is no metric {name}{hint}")

    def labels(self, name):
        row = self.row(name)
        return frozenset(row["labels"]) | \
            (frozenset() if row.get("foreign") else TARGET)


def _tokens(text):
    at = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if not found:
            raise BadQuery(f"cannot read it from {text[at:at + 20]!r} on")
        if found.lastgroup != "space":
            yield found.lastgroup, found.group(), at
        at = found.end()
    yield "end", "", at


def _need(what, labels, have, of):
    for label in sorted(set(labels) - set(have)):
        raise BadQuery(f"{what}: {of} has no label {label}; it has "
                       f"{', '.join(sorted(have)) or 'none'}")


class Query:
    """An expression. labels: of its result, None for a number; selectors: the
    text of each; names: of metrics."""

    def __init__(self, text, metrics):
        self.text = text
        self.metrics = metrics
        self.tokens = list(_tokens(text))
        self.at = 0
        self.selectors = []
        self.names = []
        self.labels = self._binary(0)
        if self._kind() != "end":
            raise BadQuery(f"cannot read it from {self._word()!r} on")

    # ---- tokens ----

    def _kind(self):
        return self.tokens[self.at][0]

    def _word(self, ahead=0):
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)][1]

    def _next(self):
        if self._kind() == "end":
            raise BadQuery("it ends too early")
        self.at += 1
        return self.tokens[self.at - 1][1]

    def _expect(self, word):
        if self._word() != word:
            raise BadQuery(f"{word!r} is missing before {self._word()!r}")
        return self._next()

    def _list(self):
        """(a, b)"""
        self._expect("(")
        out = []
        while self._word() != ")":
            out.append(self._next())
            if self._word() == ",":
                self._next()
        self._next()
        return out

    # ---- operators ----

    def _binary(self, level):
        if level == len(PRECEDENCE):
            return self._unary()
        left = self._binary(level + 1)
        while self._word() in PRECEDENCE[level]:
            op = self._next()
            if self._word() == "bool":
                self._next()
            match = self._matching()
            left = self._match(op, left, self._binary(level + 1), *match)
        return left

    def _matching(self):
        how = labels = extra = None
        if self._word() in ("on", "ignoring"):
            how = self._next()
            labels = self._list()
        if self._word() == "group_left":
            self._next()
            extra = self._list() if self._word() == "(" else []
        return how, labels, extra

    @staticmethod
    def _match(op, left, right, how, labels, extra):
        if left is None or right is None:
            return right if left is None else left
        if how == "on":
            _need("on", labels, left, "the left side of " + op)
            _need("on", labels, right, "the right side of " + op)
        elif how == "ignoring":
            _need("ignoring", labels, left | right, op)
        compared = how != "on" and \
            (left - set(labels or ())) ^ (right - set(labels or ()))
        if compared and op != "or" and extra is None:
            raise BadQuery(f"the sides of {op} never match: only one has label "
                           + ", ".join(sorted(compared)))
        if op == "or":
            return left & right
        if op in SETS:
            return left
        if extra is not None:
            _need("group_left", extra, right, "the right side of " + op)
            return left | set(extra)
        return frozenset(labels) if how == "on" else left - set(labels or ())

    def _unary(self):
        if self._word() in ("-", "+"):
            self._next()
            return self._unary()
        labels = self._primary()
        while self._kind() == "range" or self._word() == "offset":
            if self._next() == "offset":
                self._next()
        return labels

    # ---- what operators are between ----

    def _primary(self):
        if self._kind() in ("number", "string", "end"):
            self._next()
            return None
        if self._word() == "(":
            self._next()
            labels = self._binary(0)
            self._expect(")")
            return labels
        if self._kind() != "name":
            raise BadQuery(f"cannot read it from {self._word()!r} on")
        if self._word() in AGGREGATIONS:
            return self._aggregation()
        if self._word(1) == "(":
            return self._function()
        return self._selector()

    def _grouping(self):
        if self._word() in ("by", "without"):
            return self._next(), self._list()
        return None, []

    def _arguments(self):
        self._expect("(")
        out = []
        while self._word() != ")":
            out.append(self._binary(0))
            if self._word() == ",":
                self._next()
        self._next()
        return out

    def _aggregation(self):
        name = self._next()
        how, labels = self._grouping()
        values = self._arguments()
        if not how:
            how, labels = self._grouping()
        value = values[1 if name in WITH_ARGUMENT else 0]
        if value is None:
            raise BadQuery(f"{name} of a number")
        _need(f"{name} {how}", labels, value, "what is in its parentheses")
        if name in ("topk", "bottomk"):
            return value
        if how == "without":
            return value - set(labels)
        return frozenset(labels)

    def _function(self):
        name = self._next()
        values = self._arguments()
        if name in NUMBERS:
            return None
        if name not in FUNCTIONS:
            raise BadQuery(f"function {name} is not known here")
        labels = values[FUNCTIONS[name]]
        if name == "histogram_quantile":
            _need(name, ("le",), labels, "what is in its parentheses")
            return labels - {"le"}
        return labels

    def _selector(self):
        begin = self.tokens[self.at][2]
        name = self._next()
        labels = self.metrics.labels(name)
        if self._word() == "{":
            self._next()
            while self._word() != "}":
                _need("matcher", (self._next(),), labels, name)
                self._next()
                self._next()
                if self._word() == ",":
                    self._next()
            self._next()
        self.names.append(name)
        last = self.tokens[self.at - 1]
        self.selectors.append(self.text[begin:last[2] + len(last[1])])
        return labels


def check_template(text, labels, pattern):
    """Labels that a legend or an annotation names."""
    _need(f"{text!r}", re.findall(pattern, text), labels, "the result")
