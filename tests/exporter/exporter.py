# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts vmheat-exporter on a free port, and talks to it.

VMHEAT_EXPORTER names the binary.
"""

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "golden")]

from fake_qmp import FakeQMP, load, wait_until  # noqa: E402

BINARY = os.environ.get("VMHEAT_EXPORTER", "")
TOKEN = "correct-horse-battery-staple"
FAST = ("--interval", "250ms", "--idle-interval", "250ms")


class Exporter:
    """A running one. @args: of the command line; @listen: where

    Tests ask faster than users do, so the limit of requests is high unless
    @args say otherwise.
    """

    def __init__(self, *args, listen="127.0.0.1:0", env=None):
        self.log = []
        self.process = subprocess.Popen(
            [BINARY, "--listen", listen, "--node", "host1", "--max-rate",
             "100000", *args],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            errors="surrogateescape", env={**os.environ, **(env or {})})
        self.url = None
        self._started = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._started.wait(20) or not self.url:
            self.process.kill()
            self.process.wait()
            raise AssertionError("did not start: " + "".join(self.log))
        found = re.match(r"http://(\[.*\]|[^:]*):(\d+)/", self.url)
        if found:
            self.host = found[1].strip("[]")
            self.port = int(found[2])

    def _read(self):
        for line in self.process.stderr:
            self.log.append(line)
            found = re.search(r"serving on (\S+?)(,|\n)", line)
            if found:
                self.url = found[1]
                self._started.set()
        self._started.set()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        self._reader.join(5)
        self.process.stdout.close()
        self.process.stderr.close()
        if "Sanitizer" in "".join(self.log):
            raise AssertionError("".join(self.log))

    def ask(self, method, path, body=None, **headers):
        """(status, headers, text)"""
        c = http.client.HTTPConnection(self.host, self.port, timeout=20)
        try:
            c.request(method, path, body, {
                k.replace("_", "-"): v for k, v in headers.items()})
            r = c.getresponse()
            return r.status, dict(r.getheaders()), \
                r.read().decode("utf-8", "strict")
        finally:
            c.close()

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def json(self, path, status=200):
        code, headers, text = self.get(path)
        assert code == status, (path, code, text)
        assert headers["Content-Type"] == "application/json", headers
        return json.loads(text)

    def metrics(self):
        """Sample with its labels -> value."""
        text = self.get("/metrics")[2]
        return dict(line.rsplit(" ", 1) for line in text.splitlines()
                    if not line.startswith("#"))

    def control(self, method, path, body, **headers):
        return self.ask(method, path, body, **{
            "Content_Type": "application/json",
            "Authorization": "Bearer " + TOKEN, **headers})

    def connect(self):
        return socket.create_connection((self.host, self.port), 20)

    def raw(self, data):
        """What comes back for some bytes, until the other end closes."""
        with self.connect() as s:
            out = b""
            try:
                s.sendall(data)
                while part := s.recv(65536):
                    out += part
            except ConnectionError:
                pass
            return out

    def vms(self):
        return {v["domain"]: v for v in self.json("/api/v1/vms")["vms"]}

    def wait_for(self, *domains, state="running"):
        def there():
            vms = self.vms()
            return all(vms.get(d, {}).get("state") == state for d in domains)
        assert wait_until(there), (domains, state, self.vms(), self.log)
        return self.vms()


class Events:
    """A stream of server-sent events."""

    def __init__(self, exporter, path):
        self.connection = http.client.HTTPConnection(
            exporter.host, exporter.port, timeout=20)
        self.connection.request("GET", path)
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()

    def next(self, *names):
        """The next event, of these names if any: (name, data)."""
        name = None
        while line := self.response.readline().decode():
            if line.startswith("event: "):
                name = line[7:].strip()
            elif line.startswith("data: ") and (not names or name in names):
                return name, json.loads(line[6:])
        raise EOFError

    def close(self):
        self.connection.close()


class Folder:
    """Of links to the sockets of servers."""

    def __init__(self, test):
        self.test = test
        self.path = tempfile.mkdtemp(prefix="vmheat-exp-")
        test.addCleanup(shutil.rmtree, self.path, True)

    def add(self, name, **kwargs):
        server = FakeQMP(name=name, **kwargs)
        self.test.addCleanup(server.__exit__)
        os.symlink(server.path, os.path.join(self.path, name))
        return server

    def remove(self, name):
        os.unlink(os.path.join(self.path, name))


class Case(unittest.TestCase):
    """With a folder of machines, and exporters of them that end."""

    def setUp(self):
        self.folder = Folder(self)

    def start(self, *args, **kwargs):
        x = Exporter("--sockets", self.folder.path, *args, **kwargs)
        self.addCleanup(x.__exit__)
        return x


def identity(name, uuid=None):
    """Replies of a machine that says what it is called."""
    return {"query-name": lambda a: {"return": {"name": name}},
            "query-uuid": lambda a: {"return": {"UUID": uuid or
                                                "00000000-0000-0000-0000-"
                                                "000000000000"}}}


def token_file(test, text=TOKEN + "\n", mode=0o600):
    fd, path = tempfile.mkstemp(prefix="vmheat-token-")
    test.addCleanup(os.unlink, path)
    os.write(fd, text.encode())
    os.fchmod(fd, mode)
    os.close(fd)
    return path


__all__ = ["BINARY", "FAST", "TOKEN", "Case", "Events", "Exporter", "FakeQMP",
           "Folder", "identity", "load", "token_file", "wait_until"]
