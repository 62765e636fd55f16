#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What reports of heat, the working set, times, profiles and schemes print,
compared with files, and what they say when they cannot.

usage: test_report_numbers.py [--update]    VMHEAT_CLI and VMHEAT_MAKE_RECORD
                                            name the binaries
"""

import difflib
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import xml.dom.minidom
import zlib

import record_file
from fake_qmp import HERE, FakeQMP, load

EXPECTED = os.path.join(HERE, "expected-report-numbers")
CLI = os.path.abspath(os.environ.get("VMHEAT_CLI", "build/vmheat"))
MAKE = os.path.abspath(os.environ.get("VMHEAT_MAKE_RECORD",
                                      "build/tests/golden/make-record"))
OK, USAGE, FILE, DAMAGED = 0, 1, 7, 8
UTF8 = {"LC_ALL": "C.UTF-8"}
WSS, TIMES = ["report", "wss", "-i"], ["report", "times", "-i"]
HEAT = ["report", "heatmap", "-i"]
PROFILE, SCHEMES = ["report", "profile", "-i"], ["report", "schemes", "-i"]
COLD = ["--idle", "10s-20s"]
NOTHING = ["--rate", "100000-"]
# name -> (arguments, environment); r, long and none are records
CASES = {
    "wss": ([*WSS, "r"], {}),
    "wss-20": ([*WSS, "r"], {"COLUMNS": "20"}),
    "wss-40-utf8": ([*WSS, "r"], {"COLUMNS": "40", **UTF8}),
    "wss-color": ([*WSS, "r", "--color"], UTF8),
    "wss-json": ([*WSS, "r", "--json"], {}),
    "wss-raw": ([*WSS, "r", "--raw"], {}),
    "wss-within": ([*WSS, "r", "--within", "1m,1s,10s"], {}),
    "wss-within-20": ([*WSS, "r", "--within", "1s,10s,1m"],
                      {"COLUMNS": "20"}),
    "wss-percentiles": ([*WSS, "r", "--percentiles", "50,99.9"], {}),
    "wss-time": ([*WSS, "r", "--sort", "time"], {}),
    "wss-time-20": ([*WSS, "r", "--sort", "time"], {"COLUMNS": "20"}),
    "wss-time-within": ([*WSS, "r", "--sort", "time", "--within", "1s,1m"],
                        {}),
    "wss-time-json": ([*WSS, "r", "--sort", "time", "--json", "--to", "1s"],
                      {}),
    "wss-time-raw": ([*WSS, "r", "--sort", "time", "--raw", "--from", "103s",
                      "--within", "1s,1m"], {}),
    "wss-filter": ([*WSS, "r", "--rate", "0.1-10", "--start", "1G"], {}),
    "wss-min": ([*WSS, "r", "--min-nr-accesses", "20", "--from", "20s"], {}),
    "wss-nothing": ([*WSS, "r", *NOTHING], {}),
    "wss-plot": ([*WSS, "r", "--plot"], {}),
    "wss-plot-utf8": ([*WSS, "r", "--plot", "--within", "1s"], UTF8),
    "wss-plot-20x10": ([*WSS, "r", "--plot"],
                       {"COLUMNS": "20", "LINES": "10"}),
    "wss-plot-color": ([*WSS, "r", "--plot", "--color"], UTF8),
    "wss-plot-nothing": ([*WSS, "r", "--plot", *NOTHING, "--idle", "1d-"], {}),
    "wss-none": ([*WSS, "none"], {}),
    "wss-none-json": ([*WSS, "none", "--json"], {}),
    "wss-none-of-time": ([*WSS, "r", "--from", "1d"], {}),
    "heatmap": ([*HEAT, "r"], {}),
    "heatmap-20": ([*HEAT, "r", "--height", "6"], {"COLUMNS": "20"}),
    "heatmap-120-utf8": ([*HEAT, "r", "--height", "10"],
                         {"COLUMNS": "120", **UTF8}),
    "heatmap-width": ([*HEAT, "r", "--height", "4", "--width", "60"], {}),
    "heatmap-color": ([*HEAT, "r", "--height", "8", "--color"], UTF8),
    "heatmap-range": ([*HEAT, "r", "--height", "6", "--from", "30s", "--to",
                       "50s", "--start", "512M", "--end", "4224M"], {}),
    "heatmap-json": ([*HEAT, "r", "--json", "--width", "6", "--height", "3"],
                     {}),
    "heatmap-raw": ([*HEAT, "r", "--raw", "--width", "5", "--height", "4"],
                    {}),
    "times": ([*TIMES, "r", *COLD], {}),
    "times-20": ([*TIMES, "r", *COLD], {"COLUMNS": "20"}),
    "times-100": ([*TIMES, "r", *COLD], {"COLUMNS": "100"}),
    "times-color": ([*TIMES, "r", *COLD, "--color"], UTF8),
    "times-all": ([*TIMES, "r"], {}),
    "times-min": ([*TIMES, "r", *COLD, "--min-size", "2G"], {}),
    "times-limit": ([*TIMES, "r", *COLD, "--limit", "1"], {}),
    "times-json": ([*TIMES, "r", *COLD, "--json"], {}),
    "times-raw": ([*TIMES, "r", *COLD, "--raw"], {}),
    "times-nothing": ([*TIMES, "r", *NOTHING], {}),
    "times-none": ([*TIMES, "none"], {}),
    "profile": ([*PROFILE, "r"], {}),
    "profile-20": ([*PROFILE, "r"], {"COLUMNS": "20"}),
    "profile-color": ([*PROFILE, "r", "--color"], UTF8),
    "profile-filter": ([*PROFILE, "r", "--idle", "30s-", "--limit", "1"], {}),
    "profile-json": ([*PROFILE, "r", "--json"], {}),
    "profile-raw": ([*PROFILE, "r", "--raw"], {}),
    "profile-nothing": ([*PROFILE, "r", *NOTHING], {}),
    "profile-none": ([*PROFILE, "none"], {}),
    "profile-none-json": ([*PROFILE, "none", "--json"], {}),
    "schemes": ([*SCHEMES, "r"], {}),
    "schemes-20": ([*SCHEMES, "r"], {"COLUMNS": "20"}),
    "schemes-40": ([*SCHEMES, "r"], {"COLUMNS": "40"}),
    "schemes-color": ([*SCHEMES, "r", "--color"], UTF8),
    "schemes-json": ([*SCHEMES, "r", "--json"], {}),
    "schemes-raw": ([*SCHEMES, "r", "--raw"], {}),
    "schemes-part": ([*SCHEMES, "r", "--from", "45s", "--to", "85s",
                      "--limit", "2"], {}),
    "schemes-without": ([*SCHEMES, "plain"], {}),
    "schemes-none": ([*SCHEMES, "none"], {}),
    "profile-hostile": ([*PROFILE, "hostile"], UTF8),
    "profile-hostile-20": ([*PROFILE, "hostile"], {"COLUMNS": "20"}),
    "profile-hostile-json": ([*PROFILE, "hostile", "--json"], UTF8),
    "profile-hostile-raw": ([*PROFILE, "hostile", "--raw"], UTF8),
    "schemes-hostile": ([*SCHEMES, "hostile"], UTF8),
    "schemes-hostile-raw": ([*SCHEMES, "hostile", "--raw"], UTF8),
    "help-heatmap": (["report", "heatmap", "--help"], {}),
    "help-wss": (["report", "wss", "--help"], {}),
    "help-times": (["report", "times", "--help"], {}),
    "help-profile": (["report", "profile", "--help"], {}),
    "help-schemes": (["report", "schemes", "--help"], {}),
}


def make_hostile(folder):
    """Names that would take over a terminal or a table; and NUMA nodes."""
    info, schemes = load("info"), load("schemes")[:1]
    for i, r in enumerate(info["ranges"]):
        r.update({"block": f"a\x1b[2J\t{i % 2}\u009b31m", "node": i % 2})
    schemes[0]["scheme"]["name"] = "b\x1b[2J\t\n\u202ec"
    out = []
    for name, what in (("info", info), ("schemes", schemes)):
        out.append(os.path.join(folder, name + ".json"))
        with open(out[-1], "w", encoding="utf-8") as f:
            json.dump(what, f)
    return out


def make_records(folder):
    answers = [os.path.join(HERE, "replies", n + ".json")
               for n in ("info", "schemes")]
    for name, args in (("r", ["105", "4", "64", *answers, "history"]),
                       ("hostile", ["21", "4", "64", *make_hostile(folder)]),
                       ("plain", ["2", "4", "64"]), ("none", ["0", "4", "64"])):
        subprocess.run([MAKE, os.path.join(folder, name), *args], check=True,
                       timeout=60)


def vmheat(folder, *arguments, env=None, **kwargs):
    clean = {k: v for k, v in os.environ.items()
             if k not in ("COLUMNS", "LINES", "NO_COLOR", "VMHEAT_SOCKET")}
    return subprocess.run(
        [CLI, *arguments], cwd=folder, timeout=60, check=False,
        env={**clean, "LC_ALL": "C", "TZ": "UTC", "TERM": "xterm-256color",
             **(env or {})},
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
           "stdin": subprocess.DEVNULL, **kwargs})


def problems_of(name, env, text):
    """What is wrong whatever the file says."""
    width = int(env.get("COLUMNS", "80"))
    if "json" in name:
        json.loads(text)
    elif "color" not in name and "raw" not in name and "help" not in name:
        wide = [s for s in text.splitlines() if len(s) > width]
        if wide:
            return f"wider than {width}: {wide[0]!r}"
    if "color" not in name and "\x1b" in text:
        return "has an escape sequence"
    if "LC_ALL" not in env and not text.isascii():
        return "is not ASCII"
    return None


def png(data):
    """(width, height, function of x and y) of a PNG of RGB."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, color = struct.unpack(">IIBB", body[:10])
            assert (depth, color) == (8, 2)
        packed += body if kind == b"IDAT" else b""
        at += size + 12
    raw, rows, before = zlib.decompress(packed), [], bytes(3 * width)
    for y in range(height):
        line = raw[y * (3 * width + 1):(y + 1) * (3 * width + 1)]
        before = unfilter(line[0], bytearray(line[1:]), before)
        rows.append(before)
    return width, height, lambda x, y: tuple(rows[y][3 * x:3 * x + 3])


def unfilter(kind, line, up):
    for i, v in enumerate(line):
        a, b = (line[i - 3] if i > 2 else 0), up[i]
        c = up[i - 3] if i > 2 else 0
        p = a + b - c
        paeth = min((a, b, c), key=lambda q, p=p: abs(p - q))
        line[i] = v + (0, a, b, (a + b) // 2, paeth)[kind] & 0xff
    return bytes(line)


class Reports(unittest.TestCase):
    update = False

    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="vmheat-reports-")
        make_records(cls.dir)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def compare(self, name, text):
        path = os.path.join(EXPECTED, name + ".txt")
        if self.update:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            return
        want = ""
        if os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                want = f.read()
        if want != text:
            self.fail("".join(difflib.unified_diff(
                want.splitlines(True), text.splitlines(True), path, "now")) +
                f"\nIf that is right: VMHEAT_CLI={CLI} {sys.argv[0]} --update")

    def test_outputs(self):
        for name, (args, env) in CASES.items():
            with self.subTest(name=name):
                done = vmheat(self.dir, *args, env=env)
                self.assertEqual((done.returncode, done.stderr), (OK, b""))
                text = done.stdout.decode()
                self.assertIsNone(problems_of(name, env, text))
                self.compare(name, text)
        self.assertEqual(set(os.listdir(EXPECTED)),
                         {n + ".txt" for n in CASES})

    def fails(self, code, word, *args, **kwargs):
        done = vmheat(self.dir, *args, **kwargs)
        text = done.stderr.decode()
        self.assertEqual(done.returncode, code, text)
        self.assertTrue(text.startswith("vmheat: "), text)
        self.assertEqual(text.count("\n"), 1, text)
        self.assertIn(word, text)
        return done

    def test_usage(self):
        for word, *args in (
                ("must be size or time", "wss", "--sort", "heat"),
                ("--sort 'x' is not", "wss", "--sort", "x"),
                ("does not go with", "wss", "--sort", "time", "--percentiles",
                 "50"),
                ("0 .. 100 each", "wss", "--percentiles", "101"),
                ("0 .. 100 each", "wss", "--percentiles", "50,"),
                ("0 .. 100 each", "wss", "--percentiles", ""),
                ("0 .. 100 each", "wss", "--percentiles", "1," * 32 + "1"),
                ("6 times with", "wss", "--within", "10"),
                ("6 times with", "wss", "--within", "1s,1s,1s,1s,1s,1s,1s"),
                ("must end in .png", "wss", "-o", "x.jpg"),
                ("must end in .png", "wss", "-o", ".png"),
                ("only one of", "wss", "--json", "--raw"),
                ("only one of", "wss", "--plot", "-o", "x.png"),
                ("only one of", "times", "--json", "--raw"),
                ("only one of", "profile", "--json", "--raw"),
                ("only one of", "schemes", "--json", "--raw"),
                ("must end in .png", "heatmap", "-o", "x.gif"),
                ("only one of", "heatmap", "--json", "-o", "x.png"),
                ("1 .. 10000", "heatmap", "--width", "0"),
                ("1 .. 10000", "heatmap", "--height", "10001"),
                ("at most 16000000", "heatmap", "--height", "10000", "--width",
                 "1601"),
                ("at most 16000000", "heatmap", "-o", "x.png", "--height",
                 "10000", "--width", "10000"),
                ("above --start", "heatmap", "--start", "2G", "--end", "1G"),
                ("with K, M, G", "times", "--min-size", "x"),
                ("--to must be", "times", "--from", "2s", "--to", "1s"),
                ("no option --plot", "times", "--plot"),
                ("unexpected argument", "wss", "guest"),
                ("not both", "schemes", "-i", "r", "guest"),
                ("are of a record", "schemes", "-s", "x", "--raw"),
                ("are of a record", "schemes", "-s", "x", "--from", "1s")):
            with self.subTest(args=args):
                done = self.fails(USAGE, word, "report", *args)
                self.assertEqual(done.stdout, b"")
        self.fails(USAGE, "'report wss' only", "snapshot", "-s", "x", "--sort",
                   "time")

    def test_no_record(self):
        with open(self.path("foreign"), "w", encoding="ascii") as f:
            f.write("a text that is no record\n" * 10)
        for verb in ("heatmap", "wss", "times", "profile", "schemes"):
            for word, args in (("vmheat.data", []),
                               ("missing", ["-i", "missing"]),
                               ("foreign", ["-i", "foreign"])):
                with self.subTest(verb=verb, args=args):
                    done = self.fails(FILE, word, "report", verb, *args)
                    self.assertEqual(done.stdout, b"")

    def test_damaged(self):
        """What is before the damage is told, and that there is some."""
        with open(self.path("r"), "rb") as f:
            data = bytearray(f.read())
        data[len(data) * 2 // 3] ^= 0x55
        with open(self.path("damaged"), "wb") as f:
            f.write(data)
        for verb in ("heatmap", "wss", "times", "profile", "schemes"):
            with self.subTest(verb=verb):
                done = self.fails(DAMAGED, "damage", "report", verb, "-i",
                                  "damaged", "--json")
                told = json.loads(done.stdout)["snapshots"]
                self.assertTrue(100 < told < 420, told)

    def test_nothing_for_programs(self):
        for args in (["wss", "--raw"], ["times", "--raw"],
                     ["profile", "--raw"], ["wss", "-o", "x.png"],
                     ["heatmap", "--raw"], ["heatmap", "-o", "x.png"]):
            with self.subTest(args=args):
                done = vmheat(self.dir, "report", *args, "-i", "none")
                self.assertEqual((done.returncode, done.stdout), (OK, b""))
                self.assertIn(b"has no snapshots", done.stderr)
        self.assertFalse(os.path.exists(self.path("x.png")))

    def test_raw_tells_its_columns(self):
        """Lines with # are comments of gnuplot, and tell what follows."""
        for verb, extra in (("access", []), ("access", ["--style", "size-hist"]),
                            ("heatmap", ["--width", "2", "--height", "2"]),
                            ("wss", []), ("wss", ["--within", "1s,10s"]),
                            ("wss", ["--sort", "time"]), ("times", []),
                            ("profile", []), ("schemes", [])):
            with self.subTest(verb=verb, extra=extra):
                done = vmheat(self.dir, "report", verb, "-i", "r", "--raw",
                              *extra)
                lines = done.stdout.decode().splitlines()
                heads = [s[2:].split("\t") for s in lines if s[0] == "#"]
                rows = [s.split("\t") for s in lines if s[0] != "#"]
                self.assertTrue(rows)
                widths = {len(h) for h in heads}
                self.assertFalse([r for r in rows if len(r) not in widths])

    def test_nothing_of_that_time(self):
        """All reports do the same; JSON is JSON, whatever there is."""
        for verb in ("access", "heatmap", "wss", "times", "profile",
                     "schemes"):
            for record, why in ((["r", "--from", "1d"], "'r' has no snapshots "
                                 "of the time asked for\n"),
                                (["none"], "'none' has no snapshots\n")):
                args = ["report", verb, "-i", *record]
                with self.subTest(args=args):
                    done = vmheat(self.dir, *args, "--json")
                    self.assertEqual((done.returncode, done.stderr), (OK, b""))
                    told = json.loads(done.stdout)
                    if verb == "access":
                        self.assertEqual((told["sequence"], told["regions"]),
                                         (0, []))
                    else:
                        self.assertEqual(told["snapshots"], 0)
                    done = vmheat(self.dir, *args)
                    self.assertEqual((done.returncode, done.stderr), (OK, b""))
                    self.assertIn(why, done.stdout.decode())
                    done = vmheat(self.dir, *args, "--raw")
                    self.assertEqual(done.returncode, OK)
                    if verb != "schemes":
                        self.assertEqual((done.stdout, done.stderr.decode()),
                                         (b"", "vmheat: " + why))

    def test_disk_full(self):
        for args in (["wss"], ["wss", "--plot"], ["wss", "--json"],
                     ["wss", "-o", "-"], ["heatmap"], ["heatmap", "-o", "-"],
                     ["heatmap", "--raw"], ["times"], ["profile"],
                     ["profile", "--raw"], ["schemes"], ["schemes", "--json"]):
            with self.subTest(args=args), open("/dev/full", "wb") as full:
                code = FILE if "-o" in args else USAGE
                self.fails(code, "cannot write to standard output", "report",
                           *args, "-i", "r", stdout=full)
        self.fails(FILE, "full.png", "report", "wss", "-i", "r", "-o",
                   self.link("/dev/full"))
        self.assertTrue(os.path.islink(self.path("full.png")))

    def test_force(self):
        """A picture replaces a file only when asked to, as a record does."""
        for verb in ("wss", "heatmap"):
            args = ["report", verb, "-i", "r", "-o", "old.png"]
            with self.subTest(verb=verb):
                with open(self.path("old.png"), "wb") as f:
                    f.write(b"precious")
                self.fails(FILE, "'old.png' exists; --force replaces it", *args)
                with open(self.path("old.png"), "rb") as f:
                    self.assertEqual(f.read(), b"precious")
                done = vmheat(self.dir, *args, "--force")
                self.assertEqual((done.returncode, done.stderr), (OK, b""))
                with open(self.path("old.png"), "rb") as f:
                    self.assertEqual(f.read(4), b"\x89PNG")
                os.unlink(self.path("old.png"))
                os.symlink("/dev/full", self.path("old.png"))
                self.fails(FILE, "is no regular file", *args, "--force")
                os.unlink(self.path("old.png"))

    def link(self, target):
        os.symlink(target, self.path("full.png"))
        return "full.png"

    def test_images(self):
        for args, name in (([], "a.png"), ([], "a.svg"),
                           (["--within", "1s"], "b.SVG")):
            done = vmheat(self.dir, "report", "wss", "-i", "r", *args, "-o",
                          name)
            self.assertEqual((done.returncode, done.stdout, done.stderr),
                             (OK, b"", b""))
            with open(self.path(name), "rb") as f:
                data = f.read()
            if name == "a.png":
                self.is_png(data)
            else:
                svg = xml.dom.minidom.parseString(data)
                self.assertEqual(svg.documentElement.tagName, "svg")
        done = vmheat(self.dir, "report", "wss", "-i", "r", "-o", "-")
        self.is_png(done.stdout)
        self.assertFalse([n for n in os.listdir(self.dir)
                          if n.startswith(("a.png.", ".goutput", "a.svg."))])

    def is_png(self, data):
        self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual(struct.unpack(">II", data[16:24]), (1000, 480))

    def test_heatmap_image(self):
        """What is hot is light, what is cold is dark, at its place."""
        done = vmheat(self.dir, *HEAT, "r", "-o", "heat.png")
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (OK, b"", b""))
        with open(self.path("heat.png"), "rb") as f:
            width, height, pixels = png(f.read())
        self.assertEqual((width, height), (1200, 800))

        def light(part_of_time, gib):
            """gib: on a line without the hole of 1 GiB."""
            x = int(100 + (1090 - 100) * part_of_time)
            y = int(750 - (750 - 66) * gib / 4) - (5 if gib > 3 else 0)
            r, g, b = pixels(x, y)
            return 0.2126 * r + 0.7152 * g + 0.0722 * b

        for moment in range(5, 100, 5):
            hot = moment // 20 % 3  # which half GiB, as make-record does
            if moment % 20 in (0, 1, 19):
                continue
            for half in range(8):
                value = light(moment / 105, half / 2 + 0.25)
                where = (moment, half, value)
                if half == hot:
                    self.assertGreater(value, 180, where)
                elif half == 3:
                    self.assertTrue(60 < value < 130, where)
                else:
                    self.assertLess(value, 20, where)
        self.assertEqual(pixels(600, 237), (255, 255, 255))  # the hole
        done = vmheat(self.dir, *HEAT, "r", "-o", "heat.svg", "--width", "640",
                      "--height", "400")
        self.assertEqual(done.returncode, OK, done.stderr)
        svg = xml.dom.minidom.parse(self.path("heat.svg")).documentElement
        self.assertTrue(svg.getAttribute("width").startswith("640"))

    def test_heatmap_numbers(self):
        """The same cells in every form."""
        args = ["--width", "16", "--height", "21"]
        told = json.loads(vmheat(self.dir, *HEAT, "r", "--json", *args).stdout)
        raw = [line.split("\t") for line in vmheat(
            self.dir, *HEAT, "r", "--raw", *args).stdout.decode().splitlines()
               if not line.startswith("#")]
        flat = [v for row in told["heat"] for v in row]
        self.assertEqual(len(flat), 16 * 21)
        self.assertEqual([float(r[2]) for r in raw],
                         [float(f"{v:.6g}") for v in flat])
        self.assertEqual([int(r[1]) for r in raw[:16]], told["addresses"])
        self.assertEqual([int(r[0]) + told["times"][0] for r in raw[::16]],
                         told["times"][:-1])
        self.assertEqual(told["addresses"][12:], [
            (4 << 30) + i * (256 << 20) for i in range(4)])
        self.assertGreater(told["heat"][1][0], 200)
        self.assertEqual(told["heat"][1][15], 0)

    def flip(self, name, place, bit):
        """r with a bit of a block of snapshots flipped; place: (which, byte)."""
        with open(self.path("r"), "rb") as f:
            data = bytearray(f.read())
        at, starts = record_file.HEADER.size, []
        while at < len(data):
            kind, stored = struct.unpack_from("<4xH2xI", data, at)
            if kind == record_file.SNAPSHOTS:
                starts.append(at)
            at += record_file.BLOCK.size + stored
        data[starts[place[0]] + place[1]] ^= bit
        with open(self.path(name), "wb") as f:
            f.write(data)

    def test_heatmap_damaged(self):
        """Nothing that a damaged block says is believed."""
        whole = json.loads(vmheat(self.dir, *HEAT, "r", "--json").stdout)
        for place, bit in (((20, 31), 0x20), ((-1, 31), 0x20), ((-1, 24), 1),
                           ((20, 23), 0x40), ((20, 45), 1)):
            self.flip("flipped", place, bit)
            with self.subTest(place=place):
                done = self.fails(DAMAGED, "damage", *HEAT, "flipped",
                                  "--json")
                told = json.loads(done.stdout)
                self.assertEqual(told["begin"], whole["begin"])
                self.assertTrue(told["begin"] < told["end"] < whole["end"])
                self.assertEqual(len(told["heat"]), 500)
                self.assertFalse([r for r in told["heat"] if None in r])
        self.flip("flipped", (0, 45), 1)
        for args in ([], ["-o", "nothing.png"], ["--json"]):
            done = vmheat(self.dir, *HEAT, "flipped", *args)
            self.assertEqual((done.returncode, done.stdout), (DAMAGED, b""))
            self.assertIn(b"is damaged at byte", done.stderr)
        self.assertFalse(os.path.exists(self.path("nothing.png")))

    def test_heatmap_largest_picture(self):
        """It stays within some memory, whatever is asked for."""
        for size in (["--width", "10000", "--height", "1600"],
                     ["--width", "1600", "--height", "10000"]):
            p = subprocess.Popen([CLI, *HEAT, "r", "-o", "large.png",
                                  "--force", *size], cwd=self.dir)
            _, status, usage = os.wait4(p.pid, 0)
            p.returncode = status
            self.assertEqual(status, 0)
            with open(self.path("large.png"), "rb") as f:
                self.assertEqual(struct.unpack(">II", f.read(24)[16:]),
                                 (int(size[1]), int(size[3])))
            self.assertLess(usage.ru_maxrss, 1 << 20)  # KiB; ASan has more

    def test_heatmap_without_a_clock(self):
        """The first row begins before the record does: that is its begin."""
        s = 10**9
        record_file.write(self.path("bare"), [
            record_file.snapshot(i, (9 + i) * s, (10 + i) * s,
                                 [(0, 1 << 30, 10)]) for i in range(1, 5)])
        done = vmheat(self.dir, *HEAT, "bare", "--height", "4")
        labels = [line.partition("[")[0].strip() for line in
                  done.stdout.decode().splitlines()[2:6]]
        self.assertEqual(labels, ["0 s", "0 s", "1 s", "2 s"])
        told = json.loads(vmheat(self.dir, *HEAT, "bare", "--json").stdout)
        self.assertNotIn("begin-unix", told)

    def test_heatmap_ranges(self):
        """Where there is memory, and the wall clock."""
        told = json.loads(vmheat(self.dir, *HEAT, "r", "--json", "--width",
                                 "8", "--height", "2").stdout)
        gib = 1 << 30
        self.assertEqual(told["ranges"], [
            {"start": 0, "end": 3 * gib}, {"start": 4 * gib, "end": 5 * gib}])
        self.assertEqual(told["times"][0], told["begin"])
        self.assertGreater(told["begin-unix"], 10**18)

    def test_heatmap_two_units(self):
        """Rates and parts of checks are not mixed, and that is told."""
        s = 10**9
        for rates in (True, False):
            record_file.write(self.path("two"), [
                record_file.snapshot(i, (9 + i) * s, (10 + i) * s,
                                     [(0, 1 << 30, 10)], rates != (i == 3))
                for i in range(1, 6)])
            done = self.fails(OK, "1 snapshots are left out", *HEAT, "two",
                              "--json", "--width", "1", "--height", "5")
            told = json.loads(done.stdout)
            self.assertEqual(told["unit"],
                             "accesses/s" if rates else "of checks")
            heat = [row[0] for row in told["heat"]]
            self.assertEqual([v is None for v in heat], [i == 2
                                                         for i in range(5)])
            if not rates:
                self.assertEqual(heat[0], 0.5)

    def test_heatmap_largest_addresses(self):
        """A picture comes to its end, whatever a record says."""
        last = 2**64 - 1
        for low in (0, 4096, 2**63, last - 2**40):
            record_file.write(self.path("far"), [
                record_file.snapshot(i, i * 10**9, (i + 1) * 10**9,
                                     [(low, last, 2000)]) for i in (1, 2)])
            for args in (["-o", "far.png", "--force"], ["--height", "4"]):
                done = vmheat(self.dir, *HEAT, "far", *args)
                self.assertEqual((done.returncode, done.stderr), (OK, b""))

    def test_image_cannot_be_written(self):
        """What was there stays."""
        os.mkdir(self.path("dir.png"))
        self.fails(FILE, "dir.png", "report", "wss", "-i", "r", "-o",
                   "dir.png")
        self.fails(FILE, "no/x.png", "report", "wss", "-i", "r", "-o",
                   "no/x.png")

    def test_schemes_of_a_machine(self):
        """The same as "schemes"."""
        with FakeQMP() as server:
            a, b = (vmheat(self.dir, *verb, "-s", server.path)
                    for verb in (["schemes"], ["report", "schemes"]))
        self.assertEqual((a.returncode, a.stdout), (b.returncode, b.stdout))
        self.assertIn(b"reclaim", b.stdout)


if __name__ == "__main__":
    Reports.update = "--update" in sys.argv
    unittest.main(argv=[a for a in sys.argv if a != "--update"])
