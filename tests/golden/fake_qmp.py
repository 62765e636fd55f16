# SPDX-License-Identifier: GPL-2.0-or-later
"""A QMP server that answers from files, or misbehaves as told.

It speaks the real protocol: greeting, capabilities first, ids echoed, one
client at a time, error classes, descriptors passed with getfd. Nothing else is
needed to test the client.
"""

import json
import os
import socket
import tempfile
import threading
import time

from packed import pack

HERE = os.path.dirname(os.path.abspath(__file__))

GREETING = {"QMP": {"version": {
    "qemu": {"micro": 22, "minor": 2, "major": 7},
    "package": "Debian 1:7.2+dfsg-7"}, "capabilities": ["oob"]}}


def load(name):
    with open(os.path.join(HERE, "replies", name + ".json"),
              encoding="utf-8") as f:
        return json.load(f)


def error(cls, desc):
    return {"error": {"class": cls, "desc": desc}}


def filtered(snapshot, arguments):
    """query-vmheat-regions, as monitor/qmp.c does it."""
    regions = [r for r in snapshot["regions"]
               if r["end"] > arguments.get("start", 0)
               and r["start"] < arguments.get("end", 1 << 64)
               and r["nr-accesses"] >= arguments.get("min-nr-accesses", 0)]
    limit = arguments.get("limit", 100000)
    out = {**snapshot, "regions": regions[:limit],
           "truncated": len(regions) > limit}
    if arguments.get("columns"):
        members = {key: None for r in snapshot["regions"] for key in r} or \
            ("start", "end", "nr-accesses", "age")
        out["columns"] = {key: [r[key] for r in out["regions"]]
                          for key in members}
        out["regions"] = []
    if arguments.get("packed"):
        out["packed"] = pack(out)
        out["regions"] = []
    return out


def scheme_info(scheme, number):
    """What query-vmheat-schemes says of a scheme that was set just now."""
    counters = ("nr-tried", "sz-tried", "nr-applied", "sz-applied",
                "sz-filter-passed", "qt-exceeds", "nr-snapshots", "errors",
                "back-offs", "refaulted", "time")
    out = {"scheme": {"name": f"{scheme['action']}{number}", **scheme},
           "state": "active", "charged": 0, "stats": dict.fromkeys(counters, 0)}
    quota = scheme.get("quota", {})
    if quota.get("size"):
        out["effective-quota"] = quota["size"]
    if quota.get("goals"):
        out.update({"goal-score": 0, "goal-values": [0] * len(quota["goals"])})
    return out


RANGES = {"sampling-interval": (1000, 3600000000),
          "aggregation-interval": (1000, 3600000000),
          "update-interval": (1000, 3600000000), "min-regions": (3, 100000),
          "max-regions": (3, 100000), "traps-per-second": (0, 1000000),
          "overhead-budget": (1, 10000)}
ORDER = (("sampling-interval", "aggregation-interval"),
         ("aggregation-interval", "update-interval"),
         ("min-regions", "max-regions"))


def attrs_problem(attrs):
    """Why vmheat-set refuses these; the words are those of core/attrs.c."""
    for name, (low, high) in RANGES.items():
        unit = " us" if name.endswith("interval") else ""
        if not low <= attrs[name] <= high:
            return (f"{name} {attrs[name]}{unit} is out of range: allowed is "
                    f"{low} .. {high}{unit}")
    for less, more in ORDER:
        if attrs[less] > attrs[more]:
            return f"{more} {attrs[more]} is out of range: below {less}"
    return None


class FakeQMP:
    """A server on a socket of its own.

    replies: command -> function of its arguments that returns a whole reply;
    None instead of a reply: say nothing more; "close": hang up.
    raw: bytes to send instead of a greeting.
    """

    def __init__(self, info=None, regions=None, replies=None, raw=None,
                 name="vm.qmp", schemes=None, memory=None):
        self.info = info or load("info")
        self.regions = regions or load("regions")
        self.memory = memory or load("memory")
        self.schemes = load("schemes") if schemes is None else schemes
        self.replies = replies or {}
        self.raw = raw
        self.seen = []  # (command, arguments)
        self.events = []  # sent before the next reply
        self.passed = []  # descriptors that came and were not named yet
        self.fds = {}  # named with getfd
        self.granted = {}  # taken over by vmheat-grant
        self.dir = tempfile.mkdtemp(prefix="vmheat-cli-")
        self.path = os.path.join(self.dir, name)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(1)
        self.client = None
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.hang_up()
        # wakes the thread in accept(); close() alone does not
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        if os.path.exists(self.path):
            os.unlink(self.path)
        os.rmdir(self.dir)
        self.fds.update(enumerate(self.passed))
        for fd in [*self.fds.values(), *self.granted.values()]:
            os.close(fd)

    def hang_up(self):
        client = self.client
        if client:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _serve(self):
        while True:
            try:
                self.client, _ = self.listener.accept()
            except OSError:
                return
            with self.client:
                try:
                    self._talk(self.client)
                except OSError:
                    pass

    def send(self, message):
        self.client.sendall(json.dumps(message).encode() + b"\r\n")

    def _talk(self, client):
        if self.raw is not None:
            client.sendall(self.raw)
            self._wait_for_end(client)
            return
        self.send(GREETING)
        negotiated = False
        for line in self._lines(client):
            request = json.loads(line)
            command = request["execute"]
            if command == "qmp_capabilities":
                negotiated = True
            reply = self._reply(command, request.get("arguments", {}),
                                negotiated)
            if reply == "close":
                return
            if reply is None:
                self._wait_for_end(client)
                return
            for event in self.events:
                self.send(event)
            self.events = []
            if isinstance(reply, bytes):
                client.sendall(reply)
            else:
                self.send({**reply, "id": request.get("id")})

    def _lines(self, client):
        """Each line, once what descriptors came with it are in self.passed."""
        text = b""
        while True:
            data, fds, _, _ = socket.recv_fds(client, 65536, 16)
            self.passed += fds
            if not data:
                return
            *lines, text = (text + data).split(b"\n")
            yield from lines

    @staticmethod
    def _wait_for_end(client):
        while client.recv(4096):
            pass

    def _reply(self, command, arguments, negotiated):
        self.seen.append((command, arguments))
        if not negotiated:
            return error("CommandNotFound", "Expecting capabilities "
                         "negotiation with 'qmp_capabilities'")
        if command in self.replies:
            return self.replies[command](arguments)
        if command in ("qmp_capabilities", "vmheat-pause", "vmheat-resume"):
            return {"return": {}}
        if command in ("getfd", "closefd", "vmheat-grant", "vmheat-revoke"):
            return self._descriptors(command, arguments)
        if command == "query-vmheat":
            return {"return": self.info}
        if command == "query-vmheat-memory":
            return {"return": self.memory}
        if command == "vmheat-set":
            return self._set(arguments)
        if command == "query-vmheat-regions":
            return {"return": filtered(self.regions, arguments)}
        if command == "query-vmheat-actions":
            return {"return": load("actions")}
        if command in ("query-vmheat-schemes", "vmheat-set-schemes"):
            return self._schemes(command, arguments)
        return error("CommandNotFound",
                     f"The command {command} has not been found")

    def _set(self, arguments):
        """All or none."""
        attrs = {**self.info["attrs"], **arguments}
        unknown = set(arguments) - set(RANGES)
        if unknown:
            return error("GenericError", f"Parameter '{unknown.pop()}' is "
                         "unexpected")
        if attrs_problem(attrs):
            return error("GenericError", attrs_problem(attrs))
        self.info["attrs"] = attrs
        return {"return": attrs}

    def _schemes(self, command, arguments):
        if command == "query-vmheat-schemes":
            tried = arguments.get("tried-regions", False)
            return {"return": [
                {k: v for k, v in s.items() if tried or k != "tried-regions"}
                for s in self.schemes]}
        wanted = arguments["schemes"]
        if len({s.get("name") for s in wanted}) < len(wanted):
            return error("GenericError", "a name is there twice")
        old = {s["scheme"]["name"]: s for s in self.schemes}
        # one of the same name goes on with its counters
        self.schemes = [{**scheme_info(s, i), **{
            k: v for k, v in old.get(s.get("name"), {}).items()
            if k == "stats"}} for i, s in enumerate(wanted)]
        return {"return": {}}

    def _descriptors(self, command, arguments):
        """As QEMU and monitor/qmp.c do it."""
        if command == "vmheat-revoke":
            for what in list(self.granted):
                os.close(self.granted.pop(what))
        elif command == "getfd":
            if len(self.passed) != 1:
                return error("GenericError", f"{len(self.passed)} descriptors "
                             "came with getfd")
            self.fds[arguments["fdname"]] = self.passed.pop()
        elif not set(arguments.values()) <= set(self.fds):
            return error("GenericError", "unknown descriptor")
        elif command == "closefd":
            os.close(self.fds.pop(arguments["fdname"]))
        else:
            self.granted.update({what: self.fds.pop(name)
                                 for what, name in arguments.items()})
        return {"return": {}}


def wait_until(check, timeout=10.0):
    """Polls check(); true when it came true in time."""
    end = time.monotonic() + timeout
    while not check():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True
