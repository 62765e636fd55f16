#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What does it cost to export --vms machines?

One process serves as many QMP sockets, with snapshots of --regions regions, of
which --changing percent are different from those before, and --schemes schemes
(5 at most), and vmheat-exporter is scraped each --every seconds for --seconds.
scrape_ms is the median, and the most, of --scrapes more in a row; cpu_pct the
exporter's CPU time, of one core, over --seconds, beginning --warm-up seconds
after its start: by then its buffers have grown. idle_clients and slow_clients
are connected meanwhile: the former say nothing, the latter send a byte a second.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "tests", "golden")]

from fake_qmp import GREETING, load  # noqa: E402
from packed import pack  # noqa: E402

GIB = 1 << 30


def parse_args():
    p = argparse.ArgumentParser(prog="exporter",
                                description=__doc__.split("\n\n", 1)[0])
    for name, default in (("vms", 100), ("regions", 1000), ("changing", 30),
                          ("schemes", 5),
                          ("warm-up", 60), ("seconds", 60),
                          ("every", 15), ("scrapes", 20), ("idle", 1000),
                          ("slow", 50)):
        p.add_argument(f"--{name}", type=int, default=default)
    p.add_argument("exporter_options", nargs="*",
                   help="for vmheat-exporter, after --")
    args = p.parse_args()
    for name in ("vms", "regions", "seconds", "every", "scrapes"):
        if getattr(args, name) < 1:
            p.error(f"--{name} must be 1 or more")
    return args


def region(rng, start, end):
    rate = rng.choice((0, 0, 0, 0.01, 0.5, 20, 300))
    return {"start": start, "end": end,
            "nr-accesses": min(int(rate), 20), "age": rng.randrange(1000),
            "rate": rate, "rate-low": rate / 2, "rate-high": rate * 2,
            "idle-ms": 10 if rate > 1 else rng.randrange(10 ** 7)}


def snapshot(rng, args, before):
    regions = args.regions
    each = 16 * GIB // regions // 4096 * 4096
    out = [region(rng, i * each, (i + 1) * each)
           if not before or rng.randrange(100) < args.changing
           else before["regions"][i] for i in range(regions)]
    return {"sampling-interval": 50000, "aggregation-interval": 1000000,
            "max-nr-accesses": 20, "working-set-size": 2 * GIB,
            "total-size": regions * each, "nr-regions": regions,
            "truncated": False, "regions": out}


class Machines(threading.Thread):
    """Answers on all sockets, from replies that are text already."""

    def __init__(self, folder, args):
        super().__init__(daemon=True)
        self.folder, self.args = folder, args
        self.ready = threading.Event()
        self.replies = self.make_replies()
        self.asked = 0

    def make_replies(self):
        rng = random.Random(1)
        info = load("info")
        info["primitives"] *= 2  # as many as there are
        self.snapshots = []
        for _ in range(8):
            self.snapshots.append(snapshot(
                rng, self.args, self.snapshots and self.snapshots[-1]))
        fixed = {"qmp_capabilities": {}, "query-vmheat": info,
                 "query-vmheat-schemes": [
                     {k: v for k, v in s.items() if k != "tried-regions"}
                     for s in load("schemes")[:self.args.schemes]],
                 "query-balloon": {"actual": 8 * GIB},
                 "query-uuid": {"UUID": "00000000-0000-0000-0000-000000000000"}}
        return {k: self.text(v) for k, v in fixed.items()}

    def regions(self):
        """One more snapshot, taken in the second before now."""
        now = time.monotonic_ns()
        snap = {**self.snapshots[self.asked % len(self.snapshots)],
                "sequence": now // 10 ** 9, "start-time": now - 10 ** 9,
                "end-time": now}
        return self.text({**snap, "regions": [], "packed": pack(snap)})

    @staticmethod
    def text(reply):
        return ('{"return": ' + json.dumps(reply) + ', "id": ').encode()

    def run(self):
        asyncio.run(self.serve())

    async def serve(self):
        for i in range(self.args.vms):
            await asyncio.start_unix_server(
                self.talk, os.path.join(self.folder, f"vm{i:03}.qmp"))
        self.ready.set()
        await asyncio.Event().wait()

    async def talk(self, reader, writer):
        with contextlib.suppress(ConnectionError):
            await self.answer(reader, writer)

    async def answer(self, reader, writer):
        writer.write(json.dumps(GREETING).encode() + b"\r\n")
        while line := await reader.readline():
            request = json.loads(line)
            reply = self.regions() \
                if request["execute"] == "query-vmheat-regions" \
                else self.replies.get(request["execute"])
            tail = str(request["id"]).encode() + b"}\r\n"
            self.asked += 1
            if reply:
                writer.write(reply + tail)
            else:
                writer.write(b'{"error": {"class": "CommandNotFound", '
                             b'"desc": "unknown"}, "id": ' + tail)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


class Exporter:
    def __init__(self, folder, options):
        self.process = subprocess.Popen(
            [os.environ["VMHEAT_EXPORTER"], "--sockets", folder, "--listen",
             "127.0.0.1:0", "--max-clients", "2000", "--max-rate", "1000",
             *options],
            stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            found = re.search(r"serving on http://127.0.0.1:(\d+)/", line)
            if found:
                self.address = ("127.0.0.1", int(found[1]))
                break
        else:
            sys.exit("exporter: vmheat-exporter did not start")
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def scrape(self):
        """Milliseconds, and what came."""
        begin = time.perf_counter()
        with socket.create_connection(self.address, 10) as s:
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
                      b"Connection: close\r\n\r\n")
            parts = []
            while data := s.recv(1 << 20):
                parts.append(data)
        took = (time.perf_counter() - begin) * 1e3
        return took, b"".join(parts)

    def end(self):
        self.process.terminate()
        return self.process.wait(10)


def measure_cpu(exporter, args):
    time.sleep(args.warm_up)
    end = time.monotonic() + args.seconds
    before, began = cpu_seconds(exporter.process.pid), time.monotonic()
    while time.monotonic() < end:
        exporter.scrape()
        time.sleep(max(min(args.every, end - time.monotonic()), 0))
    used = cpu_seconds(exporter.process.pid) - before
    return 100 * used / (time.monotonic() - began)


def measure_scrapes(exporter, args):
    times = [exporter.scrape()[0] for _ in range(args.scrapes)]
    return statistics.median(times), max(times)


def connect(exporter, args, stop):
    """Clients that say nothing, and others that say it slowly."""
    idle = [socket.create_connection(exporter.address)
            for _ in range(args.idle)]
    slow = [socket.create_connection(exporter.address)
            for _ in range(args.slow)]

    def drip():
        while not stop.wait(1):
            for s in slow:
                try:
                    s.send(b"G")
                except OSError:
                    pass
    threading.Thread(target=drip, daemon=True).start()
    return idle + slow


def wait_for_all(exporter, args):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        text = exporter.scrape()[1].decode()
        if text.count("\nvmheat_domain_regions{") == args.vms:
            return text
        time.sleep(0.1)
    sys.exit("exporter: not all machines answered within 30 s")


def main():
    args = parse_args()
    folder = tempfile.mkdtemp(prefix="vmheat-bench-")
    machines = Machines(folder, args)
    machines.start()
    machines.ready.wait()
    exporter = Exporter(folder, args.exporter_options)
    stop = threading.Event()
    try:
        text = wait_for_all(exporter, args)
        cpu = measure_cpu(exporter, args)
        median, most = measure_scrapes(exporter, args)
        print(f"vms={args.vms} regions={args.regions} "
              f"samples={len([l for l in text.splitlines() if l[:1] != '#'])} "
              f"bytes={len(text)}")
        print(f"cpu_pct={cpu:.2f} every={args.every}s")
        print(f"scrape_ms={median:.1f} most={most:.1f}")
        clients = connect(exporter, args, stop)
        median, most = measure_scrapes(exporter, args)
        print(f"idle_clients={args.idle} slow_clients={args.slow} "
              f"scrape_ms={median:.1f} most={most:.1f}")
        for c in clients:
            c.close()
    finally:
        stop.set()
        exporter.end()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
