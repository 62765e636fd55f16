# SPDX-License-Identifier: GPL-2.0-or-later
"""What the build made: the board, the rules, the table they are made from."""

import json
import os
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path[:0] = [os.path.join(ROOT, "tools", "grafana"),
                os.path.join(ROOT, "tests", "exporter")]

from promql import Metrics  # noqa: E402

RULES = os.environ.get("VMHEAT_RULES", "")
BOARD = os.environ.get("VMHEAT_BOARD", "")
TABLE = os.environ.get("VMHEAT_METRICS_TABLE", "")


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def table():
    return load(TABLE)


def metrics():
    return Metrics(table())


def board():
    return load(BOARD)


def panels():
    """Without rows."""
    for p in board()["panels"]:
        yield from p["panels"] if p["type"] == "row" else [p]


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as f:
        return f.read()


__all__ = ["BOARD", "ROOT", "RULES", "TABLE", "board", "load", "metrics",
           "panels", "read", "table"]
