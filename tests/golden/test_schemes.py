#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What "vmheat schemes" sends, refuses and hands on.

VMHEAT_CLI names the binary, VMHEAT_RECIPES the folder of the recipes' files.
"""

import ast
import json
import os
import re
import subprocess
import tempfile
import unittest

from fake_qmp import HERE, FakeQMP, error, load

CLI = os.path.abspath(os.environ.get("VMHEAT_CLI", "build/vmheat"))
TOP = os.path.dirname(os.path.dirname(HERE))
RECIPES = os.environ.get("VMHEAT_RECIPES", os.path.join(TOP, "build/recipes"))
SCHEMA = os.path.join(TOP, "qapi", "vmheat.json")
OK, USAGE, CONNECT, QMP, TIMEOUT, PROTOCOL = range(6)


def vmheat(*args, server=None, stdin=""):
    env = {k: v for k, v in os.environ.items() if k != "VMHEAT_SOCKET"}
    args = ["schemes", *args] + (["-s", server.path] if server else [])
    return subprocess.run([CLI, *args], env={**env, "LC_ALL": "C"},
                          input=stdin, capture_output=True, text=True,
                          timeout=30, check=False)


def dry_run(*args, server=None):
    done = vmheat("--dry-run", *args, server=server)
    assert done.returncode == OK, done.stderr
    return json.loads(done.stdout)


def read_guide():
    with open(os.path.join(TOP, "docs", "user", "schemes.md"),
              encoding="utf-8") as f:
        return f.read()


def names():
    """Of the recipes, as the command tells them."""
    told = vmheat("--dry-run", "--apply", "?").stderr
    return re.search(r"there are ([a-z, ]+);", told).group(1).split(", ")


class Schema:
    """As much of QAPI as schemes need."""

    def __init__(self):
        with open(SCHEMA, encoding="utf-8") as f:
            text = re.sub(r"^\s*#.*$", "", f.read(), flags=re.M)
        self.types = {}
        for part in re.split(r"\n(?=\{)", text.strip()):
            entity = ast.literal_eval(part.strip())
            kind = next(iter(entity))
            self.types[entity[kind]] = (kind, entity.get("data"))

    def check(self, value, kind, where):
        """Raises when @value is not of type @kind."""
        if isinstance(kind, list):
            assert isinstance(value, list), where
            for i, v in enumerate(value):
                self.check(v, kind[0], f"{where}[{i}]")
        elif kind in ("uint64", "uint32"):
            assert type(value) is int and \
                0 <= value < 1 << int(kind[4:]), (where, value)
        elif kind == "number":
            assert type(value) in (int, float), (where, value)
        elif kind in ("str", "bool"):
            assert type(value) is {"str": str, "bool": bool}[kind], where
        elif self.types[kind][0] == "enum":
            assert value in self.types[kind][1], (where, value)
        else:
            self.check_struct(value, self.types[kind][1], where)

    def check_struct(self, value, members, where):
        assert isinstance(value, dict), where
        kinds = {k.lstrip("*"): v for k, v in members.items()}
        for k, v in value.items():
            assert k in kinds, f"{where} has no member {k}"
            self.check(v, kinds[k], f"{where}.{k}")
        for k in members:
            assert k.startswith("*") or k in value, f"{where} lacks {k}"


class Schemes(unittest.TestCase):
    def fails(self, code, *words, args=(), stdin="", server=None):
        done = vmheat(*args, server=server, stdin=stdin)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertTrue(done.stderr.startswith("vmheat: "), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def sent(self, server):
        """Lists of schemes that came."""
        return [a["schemes"] for c, a in server.seen
                if c == "vmheat-set-schemes"]

    # recipes

    def test_tried_regions_have_no_rates(self):
        """Those of the snapshot beside them are not theirs: no 0/s, 0 s."""
        with FakeQMP(regions=load("regions-rates")) as server:
            done = vmheat("--tried", server=server)
        self.assertEqual(done.returncode, OK, done.stderr)
        tried = done.stdout[done.stdout.index("Tried by"):]
        self.assertIn("AGE", tried)
        for word in ("RATE", "IDLE", "0/s"):
            self.assertNotIn(word, tried)

    def test_files(self):
        """One for each recipe, and it is what --dry-run prints."""
        files = {f for f in os.listdir(RECIPES) if f.endswith(".json")}
        self.assertEqual(files, {n + ".json" for n in names()})
        for name in names():
            with open(os.path.join(RECIPES, name + ".json"),
                      encoding="utf-8") as f:
                self.assertEqual(json.load(f), dry_run("--apply", name))

    def test_schema(self):
        """All that recipes can make is what the schema says."""
        schema = Schema()
        with self.assertRaises(AssertionError):
            schema.check([{"action": "pageout", "x": 1}], ["VmheatScheme"], "")
        with self.assertRaises(AssertionError):
            schema.check([{"action": "frob"}], ["VmheatScheme"], "")
        with self.assertRaises(AssertionError):
            schema.check([{"name": "x"}], ["VmheatScheme"], "")
        values = {"min-age": "1m", "save": "30%", "ram": "4G", "quota": "64M",
                  "time-quota": "5ms", "floor": "1G", "ceiling": "2G",
                  "step": "1M", "headroom": "10%", "hot-node": "0:1,2",
                  "cold-node": "1", "range": "0-4G", "watermarks": "psi:3,2,1"}
        for name in names():
            schema.check(dry_run("--apply", name), ["VmheatScheme"], name)
            told = vmheat("--apply", name, "--frob").stderr
            self.assertIn("--frob", told)
            options = []
            for option, value in values.items():
                done = vmheat("--dry-run", "--apply", name, f"--{option}",
                              value, *(["--save", "1%"] if option == "ram" else
                                       ["--ram", "1G"] if option == "save" else
                                       []))
                if done.returncode == OK:
                    options += [f"--{option}", value]
                else:
                    self.assertIn("has no option", done.stderr)
            self.assertTrue(options)
            schema.check(dry_run("--apply", name, *options),
                         ["VmheatScheme"], name)

    def test_guide(self):
        """The JSON of the user's guide is JSON, and of the schema."""
        guide = read_guide()
        schema = Schema()
        blocks = re.findall(r"^(?:```json|[^\n]*<<END)\n(.*?)^(?:```|END)$",
                            guide, re.M | re.S)
        self.assertGreater(len(blocks), 4)
        for text in blocks:
            with self.subTest(text=text):
                if not text.startswith("["):  # members of something
                    value = json.loads(f"{{{text}}}")
                    quota = "weights" in value
                    text = json.dumps([{"action": "stat", **(
                        {"quota": value} if quota else value)}])
                schema.check(json.loads(text), ["VmheatScheme"], "guide")

    def test_guide_tables(self):
        """The same of the examples in the tables."""
        schema = Schema()
        kinds = {"pattern": "VmheatPattern", "quota": "VmheatQuota",
                 "filters": "VmheatFilter", "balloon": "VmheatBalloon",
                 "back-off": "VmheatBackOff"}
        kind, checked = None, 0
        for line in read_guide().split("## Coming from")[0].splitlines():
            if line.startswith("#"):
                kind = kinds.get(line.strip("# "), "VmheatScheme")
            for text in re.findall(r'`(\{ .*? \}|"[a-z-]+": [^`]*)`', line):
                value = json.loads(text if text[0] == "{" else f"{{{text}}}")
                if kind == "VmheatScheme":
                    value.setdefault("action", "stat")
                with self.subTest(line=line):
                    schema.check(value, kind, line)
                checked += 1
        self.assertGreater(checked, 25)

    def test_save_asks_for_ram(self):
        with FakeQMP(schemes=[]) as server:
            done = vmheat("--apply", "prcl", "--save", "25%", server=server)
            self.assertEqual(done.returncode, OK, done.stderr)
            ram = sum(r["size"] for r in server.info["ranges"])
            goals = self.sent(server)[0][0]["quota"]["goals"]
        self.assertEqual(goals, [{"metric": "guest-rss",
                                  "target": ram - ram // 4}])
        self.fails(USAGE, "VMHEAT_SOCKET",
                   args=["--dry-run", "--apply", "prcl", "--save", "25%"])

    def test_dry_run_sends_nothing(self):
        with FakeQMP() as server:
            before = [s["scheme"]["name"] for s in server.schemes]
            schemes = dry_run("--apply", "ethp", "--add", server=server)
            self.assertEqual([s["name"] for s in schemes],
                             [*before, "ethp-hot", "ethp-cold"])
            dry_run("--apply", "prcl", "--save", "5%", server=server)
            self.assertEqual(self.sent(server), [])
        dry_run("--apply", "reclaim")  # and needs no server

    def test_replace_and_add(self):
        with FakeQMP() as server:
            old = [s["scheme"]["name"] for s in server.schemes]
            vmheat("--apply", "balloon", "--apply", "ethp", "--add",
                   server=server)
            vmheat("--apply", "prcl", server=server)
            vmheat("--clear", server=server)
            sent = self.sent(server)
        self.assertEqual(
            [[s["name"] for s in schemes] for schemes in sent],
            [[*old, "ethp-hot", "ethp-cold"], ["prcl"], []])
        # one of the same name is replaced where it is
        at = old.index("balloon")
        self.assertEqual(sent[0][at], dry_run("--apply", "balloon")[0])

    # files

    def test_export_and_set(self):
        """What is exported can be set again, by all three ways."""
        with FakeQMP() as server:
            done = vmheat("--export", server=server)
            self.assertEqual(done.returncode, OK, done.stderr)
            exported = json.loads(done.stdout)
            Schema().check(exported, ["VmheatScheme"], "exported")
            vmheat("--set", "-", server=server, stdin=done.stdout)
            path = os.path.join(server.dir, "file")
            with open(path, "w", encoding="utf-8") as f:
                f.write(done.stdout)
            vmheat("--set", path, server=server)
            os.unlink(path)
            vmheat("--set", "-", "--add", server=server, stdin=done.stdout)
            sent = self.sent(server)
        self.assertEqual(sent, [exported] * 3)
        # what means "no limit" is left out, all else is as QEMU told it
        def without(value):
            if isinstance(value, dict):
                return {k: without(v) for k, v in value.items()
                        if (k, v) != ("max", (1 << 64) - 1)}
            return [without(v) for v in value] if isinstance(value, list) \
                else value
        self.assertEqual(exported,
                         [without(s["scheme"]) for s in load("schemes")])

    def test_bad_file(self):
        for text, *words in (
                ("[\n{]\n", "standard input:2:"),
                ("", "standard input is empty"),
                ("{}", "no list of schemes"),
                ("3", "no list of schemes"),
                ("[1]", "no list of schemes"),
                ("[{}, []]", "no list of schemes"),
                ("[] []", "goes on after"),
                ("[],[]", "standard input:1:3:"),
                ('[{"quota": {"size": -5}}]', "'size' is negative"),
                ('[{"a": {"max": -5}}]', "'max' is negative"),
                ('[{"nodes": [{"node": 9223372036854775808}]}]',
                 "'node' is negative or beyond")):
            with self.subTest(text=text), FakeQMP() as server:
                self.fails(USAGE, *words, args=["--set", "-"], stdin=text,
                           server=server)
                self.assertEqual(self.sent(server), [])
        with tempfile.TemporaryDirectory() as d, FakeQMP() as server:
            path = os.path.join(d, "file")
            self.fails(USAGE, path, "No such file", args=["--set", path],
                       server=server)
            self.fails(USAGE, d, args=["--set", d], server=server)
            with open(path, "wb") as f:
                f.write(b"[{\"name\": \"\xff\"}]")
            self.fails(USAGE, path, "UTF-8", args=["--set", path],
                       server=server)
            with open(path, "w", encoding="ascii") as f:
                f.write("[\n  {\"action\": pageout}\n]")
            self.fails(USAGE, path + ":2:", args=["--set", path],
                       server=server)

    def test_file_first(self):
        """A socket has one client at a time: "--export | --set -" on the same
        works, as the file is read before anything is connected to."""
        self.fails(USAGE, "standard input:1:",
                   args=["--set", "-", "-s", "/nowhere"], stdin="[")
        with FakeQMP() as server:
            args = [CLI, "schemes", "-s", server.path]
            with subprocess.Popen([*args, "--set", "-"], text=True,
                                  stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE) as second:
                first = vmheat("--export", server=server)
                second.communicate(first.stdout, timeout=30)
            self.assertEqual((first.returncode, second.returncode), (OK, OK))
            self.assertEqual(self.sent(server), [json.loads(first.stdout)])

    def test_no_limit(self):
        """2^64 - 1 as max is what QEMU may print; it means none."""
        with FakeQMP() as server:
            vmheat("--set", "-", server=server, stdin=json.dumps([
                {"name": "x", "action": "stat",
                 "pattern": {"size": {"min": 1, "max": (1 << 64) - 1}}}]))
            self.assertEqual(self.sent(server)[0][0]["pattern"],
                             {"size": {"min": 1}})

    # errors

    def test_usage(self):
        for args, word in (
                (["--apply"], "'--apply' needs an argument"),
                (["--apply", "frob"], "there are reclaim, prcl, ethp"),
                (["--apply", "prcl", "--apply", "prcl"], "twice"),
                (["--min-age", "2m", "--apply", "prcl"], "after --apply"),
                (["--apply", "prcl", "--floor", "1G"], "no option --floor"),
                (["--apply", "prcl", "--save", "100%"], "--save '100%'"),
                (["--set", ""], "must be a file"),
                (["--add"], "--add makes sense"),
                (["--clear", "--add"], "--add makes sense"),
                (["--dry-run"], "--dry-run makes sense"),
                (["--set", "x", "--dry-run"], "--dry-run makes sense"),
                (["--apply", "prcl"], "VMHEAT_SOCKET"),
                (["--apply", "prcl", "--dry-run", "--add"], "VMHEAT_SOCKET"),
                (["--apply", "prcl", "--set", "x"], "only one of"),
                (["--set", "x", "--clear"], "only one of"),
                (["--clear", "--export"], "only one of"),
                (["--export", "--actions"], "only one of"),
                (["--actions", "--tried"], "only one of")):
            with self.subTest(args=args):
                self.fails(USAGE, word, "'vmheat help", args=args)
        # options of recipes are for schemes only
        for args in (["status", "--min-age", "2m"],
                     ["status", "--apply", "prcl"]):
            done = subprocess.run([CLI, *args, "-s", "x"], text=True,
                                  capture_output=True, timeout=30, check=False)
            self.assertEqual(done.returncode, USAGE, done.stderr)
        # what two options do together is known at the end only
        self.fails(USAGE, "below the floor", args=[
            "--dry-run", "--apply", "balloon", "--ceiling", "1M"])

    def test_qmp_errors(self):
        why = ("scheme 'prcl': action 'pageout' cannot be used: guest memory "
               "can only go to swap, and the host has none")
        refused = error("GenericError", why)
        with FakeQMP(replies={"vmheat-set-schemes": lambda a: refused}) as s:
            self.fails(QMP, "vmheat-set-schemes: " + why,
                       args=["--apply", "prcl"], server=s)
        gone = error("DeviceNotFound", "there is no vmheat device")
        for command, args in (
                ("query-vmheat-schemes", []),
                ("query-vmheat-schemes", ["--export"]),
                ("query-vmheat-schemes", ["--clear"]),
                ("query-vmheat-schemes", ["--apply", "prcl"]),
                ("query-vmheat-schemes",
                 ["--apply", "prcl", "--add", "--dry-run"]),
                ("query-vmheat", ["--apply", "prcl", "--save", "9%"]),
                ("query-vmheat-regions", ["--tried"]),
                ("query-vmheat-actions", ["--actions"])):
            with self.subTest(command=command, args=args), \
                    FakeQMP(replies={command: lambda a: gone}) as server:
                self.fails(QMP, command, "device_add", args=args,
                           server=server)
                self.assertEqual(self.sent(server), [])
        self.fails(CONNECT, "cannot connect", args=["-s", "/nowhere"])

    def test_wrong_reply(self):
        """Each member missing, and of a wrong type."""
        optional = {"reason", "effective-quota", "goal-score", "goal-values",
                    "detail", "tried-regions", "needs"}
        for command, args, good in (
                ("query-vmheat-schemes", [], load("schemes")[0]),
                ("query-vmheat-actions", ["--actions"], load("actions")[0])):
            for name in set(good) - optional:
                for wrong in ("missing", [-1]):
                    bad = {**good, name: wrong}
                    if wrong == "missing":
                        del bad[name]
                    with self.subTest(name=name, wrong=wrong), FakeQMP(
                            replies={command: lambda a, b=bad:
                                     {"return": [b]}}) as server:
                        self.fails(PROTOCOL, f"the reply of {command} has no",
                                   args=args, server=server)
            for value in ({}, 3, None, [3]):
                with self.subTest(value=value), FakeQMP(
                        replies={command: lambda a, v=value:
                                 {"return": v}}) as server:
                    self.fails(PROTOCOL, f"the reply of {command} has no",
                               args=args, server=server)


if __name__ == "__main__":
    unittest.main()
