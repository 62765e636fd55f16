#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The board against Grafana's own schema: types of npm's @grafana/schema.

The TypeScript compiler, in its strictest, is given the board as a literal, and
the options and fields of each panel as what their kind of panel has. So a
member that Grafana does not know, or one with a value it does not, is an error.
Versions are those of schema/package-lock.json; what npm gets goes into a folder
that is removed.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import made

SCHEMA = os.path.join(made.ROOT, "tests", "grafana", "schema")
RAW = "@grafana/schema/dist/esm/raw/composable/"
KINDS = {"stat": "stat/panelcfg/x/StatPanelCfg_types.gen",
         "timeseries": "timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen",
         "heatmap": "heatmap/panelcfg/x/HeatmapPanelCfg_types.gen",
         "table": "table/panelcfg/x/TablePanelCfg_types.gen"}

# JSON has the values of enums, not the enums.
HEAD = """import type { Dashboard } from "@grafana/schema";
type Plain<T> =
  T extends string ? `${T}` :
  T extends boolean ? T :
  T extends number ? (`${T}` extends `${infer N extends number}` ? N : T) :
  T extends (infer U)[] ? Plain<U>[] :
  T extends object ? { [K in keyof T]: Plain<T[K]> } :
  T;
"""


def skip(reason):
    print("SKIP: " + reason)
    sys.exit(77)


def install(folder):
    for name in ("package.json", "package-lock.json", "tsconfig.json"):
        shutil.copy(os.path.join(SCHEMA, name), folder)
    try:
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund",
             "--fetch-retries=0", "--fetch-timeout=60000"], cwd=folder,
            capture_output=True, text=True, timeout=90, check=False)
    except (OSError, subprocess.TimeoutExpired) as e:
        skip(f"npm cannot be used: {e}")
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["npm ci failed"]
        skip("npm gets no packages: " + said[0])


def board_without_alerts_expr():
    """Of annotations only what the data source defines is not in the schema:
    expr, step and formats."""
    board = made.board()
    for a in board["annotations"]["list"]:
        for member in ("expr", "step", "titleFormat", "textFormat"):
            del a[member]
    for v in board["templating"]["list"]:
        v.pop("definition", None)  # written by Grafana, not in the schema
    return board


def source(board, panels):
    """A program that has the types of all."""
    out = [HEAD]
    for kind, path in KINDS.items():
        out.append(f'import type * as {kind} from "{RAW}{path}";')
    out.append("export const board: Plain<Dashboard> = "
               f"{json.dumps(board)};")
    for p in panels:
        kind, number = p["type"], p["id"]
        field = p["fieldConfig"]["defaults"]["custom"]
        out.append(f"export const options{number}: Plain<{kind}.Options> = "
                   f"{json.dumps(p['options'])};")
        if kind != "stat":
            out.append(f"export const field{number}: "
                       f"Plain<Partial<{kind}.FieldConfig>> = "
                       f"{json.dumps(field)};")
    return "\n".join(out) + "\n"


class Schema(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = FOLDER

    def compile(self, text):
        path = os.path.join(self.folder, "board.ts")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        done = subprocess.run(["node_modules/.bin/tsc"], cwd=self.folder,
                              capture_output=True, text=True, timeout=200,
                              check=False)
        return done.stdout + done.stderr

    def test_board(self):
        self.assertEqual(self.compile(source(board_without_alerts_expr(),
                                             list(made.panels()))), "")

    def test_wrong_boards(self):
        """Each of these is an error, so that the test above says something."""
        def option(panels, kind):
            return next(p for p in panels if p["type"] == kind)["options"]

        wrong = (
            (lambda b, p: b.update(schemaVersion="39"),
             "'string' is not assignable to type 'number'"),
            (lambda b, p: b.update(tag=["x"]), "tag"),
            (lambda b, p: b["panels"][1].update(gridpos={}), "gridpos"),
            (lambda b, p: b["panels"][1]["fieldConfig"]["defaults"]["color"]
             .update(mode="palette"), '"palette"'),
            (lambda b, p: b["templating"]["list"][1].update(refresh=5), "5"),
            (lambda b, p: option(p, "timeseries")["legend"].update(
                placement="left"), '"left"'),
            (lambda b, p: option(p, "heatmap").update(calculated=False),
             "calculated"),
            (lambda b, p: option(p, "stat").update(colorMode="text"),
             '"text"'),
        )
        for change, words in wrong:
            board = board_without_alerts_expr()
            panels = list(made.panels())
            change(board, panels)
            said = self.compile(source(board, panels))
            self.assertEqual(len(said.splitlines()), 1, said)
            self.assertIn(words, said)


if __name__ == "__main__":
    if not shutil.which("npm"):
        skip("npm is not installed")
    with tempfile.TemporaryDirectory(prefix="vmheat-schema-") as FOLDER:
        install(FOLDER)
        unittest.main()
