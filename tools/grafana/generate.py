#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the board of Grafana and the rules of Prometheus.

  vmheat-exporter --metrics-table > table.json
  generate.py --table table.json --board vmheat.json --rules vmheat.rules.yml

A metric, label or unit that is not in the table is an error.
"""

import argparse
import json
import sys

from alerts import rules
from board import board
from promql import BadQuery, Metrics
from yaml_out import to_yaml


def read_table(path):
    with open(path, encoding="utf-8") as f:
        return Metrics(json.load(f))


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--table", required=True, metavar="FILE",
                        help="of vmheat-exporter --metrics-table")
    parser.add_argument("--board", metavar="FILE", help="write the board")
    parser.add_argument("--rules", metavar="FILE", help="write the rules")
    args = parser.parse_args()
    try:
        if args.board:
            made = board(read_table(args.table))
            write(args.board, json.dumps(made, indent=1) + "\n")
        if args.rules:
            write(args.rules, to_yaml(rules(read_table(args.table))))
    except (BadQuery, OSError, ValueError, KeyError) as e:
        sys.exit(f"generate.py: {e}")


if __name__ == "__main__":
    main()
