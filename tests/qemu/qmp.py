# SPDX-License-Identifier: GPL-2.0-or-later
"""A small QMP client for the tests. Standard library only."""

import json
import os
import socket
import time


class QMPError(Exception):
    """An error reply; .cls is its class."""

    def __init__(self, error):
        super().__init__(error["desc"])
        self.cls = error["class"]


class QMP:
    """One QMP connection over a unix socket."""

    def __init__(self, path, timeout=30.0):
        self.events = []
        self.timeout = timeout
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(timeout)
        try:
            self.sock.connect(path)
        except OSError:
            self.sock.close()
            raise
        # reading only: a text file opened for both drops what it has read
        # ahead when it is written to
        self.file = self.sock.makefile("rb")
        self.greeting = self._read()
        self("qmp_capabilities")

    def close(self):
        self.file.close()
        self.sock.close()

    def _read(self):
        line = self.file.readline()
        if not line:
            raise EOFError("QEMU closed the QMP connection")
        return json.loads(line)

    def __call__(self, command, **arguments):
        """Run a command; returns its value, raises QMPError."""
        message = {"execute": command}
        if arguments:
            message["arguments"] = {
                k.replace("_", "-"): v for k, v in arguments.items()}
        self.sock.sendall(json.dumps(message).encode() + b"\n")
        while True:
            reply = self._read()
            if "event" in reply:
                self.events.append(reply)
            elif "error" in reply:
                raise QMPError(reply["error"])
            else:
                return reply["return"]

    def hmp(self, line):
        return self("human-monitor-command", command_line=line)

    def seen(self, name):
        """Events of this name received so far."""
        return [e for e in self.events if e["event"] == name]

    def wait_event(self, name, match=lambda data: True, timeout=None):
        """The first unconsumed event of this name that matches."""
        end = time.monotonic() + (timeout or self.timeout)
        while True:
            for event in self.events:
                if event["event"] == name and match(event.get("data", {})):
                    self.events.remove(event)
                    return event
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no {name} event")
            self.sock.settimeout(left)
            try:
                reply = self._read()
            except socket.timeout:
                continue
            finally:
                self.sock.settimeout(self.timeout)
            self.events.append(reply)

    def wait_until(self, what, check, timeout=None, step=0.02):
        """Polls check() until it returns something true.

        With a sanitizer in QEMU the monitor's work costs several times as much
        of its budget, so it looks as much less often.
        """
        slower = 4 if os.environ.get("VMHEAT_PRELOAD") else 1
        end = time.monotonic() + (timeout or self.timeout) * slower
        while True:
            value = check()
            if value:
                return value
            if time.monotonic() > end:
                raise TimeoutError(f"not reached: {what}")
            time.sleep(step)
