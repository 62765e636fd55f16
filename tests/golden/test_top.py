#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""top on a terminal: draws, resizes, quits, and gives the terminal back.

VMHEAT_CLI names the binary.
"""

import codecs
import copy
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import threading
import time
import unittest

from fake_qmp import FakeQMP, load, wait_until

CLI = os.path.abspath(os.environ.get("VMHEAT_CLI", "build/vmheat"))
FRAME_END = "\x1b[?2026l"
ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"
DEADLINE = 20.0


class Screen:
    """Just enough of a terminal to know what a user sees."""

    def __init__(self, columns, lines):
        self.rest = ""  # of a sequence that is not complete yet
        self.resize(columns, lines)

    def resize(self, columns, lines):
        self.columns, self.lines = columns, lines
        self.rows = [[" "] * columns for _ in range(lines)]
        self.x = self.y = 0
        self.overflow = False

    def _clear(self, y, x):
        self.rows[y][x:] = [" "] * (self.columns - x)

    def _control(self, code):
        if code.endswith("H"):
            self.x = self.y = 0
        elif code.endswith("K"):
            self._clear(self.y, self.x)
        elif code.endswith("J"):
            whole = code == "\x1b[2J"
            for y in range(0 if whole else self.y, self.lines):
                self._clear(y, 0 if whole or y > self.y else self.x)

    def feed(self, text):
        text = self.rest + text
        self.rest = re.search(r"(\x1b(\[[?0-9;]*)?)?$", text).group()
        text = text[:len(text) - len(self.rest)]
        for token in re.findall(r"\x1b\[[?0-9;]*[A-Za-z]|.", text, re.S):
            if token[0] == "\x1b":
                self._control(token)
            elif token == "\r":
                self.x = 0
            elif token == "\n":
                self.overflow |= self.y + 1 >= self.lines
                self.y = min(self.y + 1, self.lines - 1)
            elif self.x >= self.columns:
                self.overflow = True
            else:
                self.rows[self.y][self.x] = token
                self.x += 1

    def text(self):
        return "\n".join("".join(r).rstrip() for r in self.rows)


class Terminal:
    """vmheat top on a pseudo terminal."""

    def __init__(self, server, *args, columns=80, lines=24, env=()):
        self.screen = Screen(columns, lines)
        self.raw = ""
        self.status = None
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.master, slave = pty.openpty()
        self.slave = slave
        self._size(columns, lines)
        self.before = termios.tcgetattr(slave)
        self.pid = os.fork()
        if not self.pid:
            os.close(self.master)
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(slave, fd)
            where = ["-s", server.path] if server else []
            os.execve(CLI, [CLI, "top", *where, *args],
                      {**os.environ, "TERM": "xterm-256color",
                       "LC_ALL": "C.UTF-8", **dict(env)})

    def _size(self, columns, lines):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ,
                    struct.pack("HHHH", lines, columns, 0, 0))

    def frames(self):
        return self.raw.count(FRAME_END)

    def resize(self, columns, lines):
        """Returns when the picture of the new size is complete."""
        frames = self.frames()
        self.screen.resize(columns, lines)
        self._size(columns, lines)
        self.until(lambda: self.frames() > frames)

    def pump(self, seconds=0.02):
        while select.select([self.master], [], [], seconds)[0]:
            text = self.decoder.decode(os.read(self.master, 65536))
            self.raw += text
            self.screen.feed(text)
            seconds = 0
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)

    def until(self, check):
        end = time.monotonic() + DEADLINE
        while not check():
            self.pump()
            if time.monotonic() > end:
                raise AssertionError("not reached; screen:\n"
                                     + self.screen.text())

    def shows(self, *words):
        """Waits for these words, and the end of the picture."""
        self.until(lambda: all(w in self.screen.text() for w in words) and
                   self.raw.endswith(FRAME_END))

    def type(self, keys):
        os.write(self.master, keys)

    def end(self):
        """Exit status of a program that ends by itself."""
        self.until(lambda: self.status is not None)
        self.pump()
        return self.status

    def restored(self):
        modes = termios.tcgetattr(self.slave)
        return (modes == self.before and self.raw.count(ENTER) > 0 and
                self.raw.count(ENTER) == self.raw.count(LEAVE) and
                self.raw.rindex("\x1b[?25h") > self.raw.rindex("\x1b[?25l"))

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.master)
        os.close(self.slave)


class Top(unittest.TestCase):
    def start(self, *args, says=None, **kwargs):
        self.server = FakeQMP(**(says or {}))
        self.addCleanup(self.server.__exit__)
        terminal = Terminal(self.server, *args, **kwargs)
        self.addCleanup(terminal.close)
        return terminal

    def ended(self, t, code=0):
        self.assertEqual(t.end(), code, t.screen.text())
        self.assertTrue(t.restored(), repr(t.raw[-200:]))

    def test_draws_and_q_quits(self):
        t = self.start("-d", "0.05")
        t.shows("running  heat0", "Working set", "q: quit", "START",
                "traps/s", "0x180000000")
        self.assertFalse(t.screen.overflow, t.screen.text())
        modes = termios.tcgetattr(t.slave)[3]
        self.assertFalse(modes & termios.ECHO or modes & termios.ICANON)
        t.type(b"xq")
        self.ended(t)

    def test_regions_are_sorted_hot_first(self):
        t = self.start("--no-color", "-d", "0.05")
        t.shows("and 5 colder regions")
        heat = [int(m) for m in re.findall(r"^. +(\d+) %", t.screen.text(),
                                           re.M)]
        self.assertEqual(heat, sorted(heat, reverse=True))
        self.assertGreater(len(heat), 5)
        self.assertNotIn("\x1b[48;5;", t.raw)

    def test_colours(self):
        t = self.start()
        t.shows("cold")
        for background in (235, 160, 226):
            self.assertIn(f"\x1b[48;5;{background}m", t.raw)
        t = self.start(env={"NO_COLOR": "1"})
        t.shows("cold")
        self.assertNotIn("48;5", t.raw)

    def test_signals_quit(self):
        for key in (b"\x03", b"\x1c"):
            t = self.start("-d", "60")
            t.shows("running")
            t.type(key)
            self.ended(t)
        for number in (signal.SIGTERM, signal.SIGHUP):
            t = self.start("-d", "60")
            t.shows("running")
            os.kill(t.pid, number)
            self.ended(t)

    def test_resize(self):
        t = self.start("-d", "60", columns=80, lines=24)
        t.shows("colder regions")
        for columns, lines in ((120, 40), (20, 10), (79, 23), (1, 1),
                               (300, 100), (40, 12)):
            t.resize(columns, lines)
            self.assertIn("running"[:columns], t.screen.text())
            self.assertFalse(t.screen.overflow,
                             f"{columns}x{lines}:\n{t.screen.text()}")
        polls = [c for c, _ in self.server.seen if c == "query-vmheat"]
        self.assertEqual(len(polls), 1, "a resize needs no new poll")
        t.type(b"q")
        self.ended(t)

    def test_fits_every_size(self):
        """No line wraps and nothing scrolls, whatever the size."""
        t = self.start("-d", "60")
        t.shows("running")
        for columns in (1, 2, 7, 19, 24, 30, 39, 60, 101):
            for lines in (1, 2, 9, 20, 30):
                t.resize(columns, lines)
                self.assertEqual(t.screen.rows[0][0], "r")
                self.assertFalse(t.screen.overflow,
                                 f"{columns}x{lines}:\n{t.screen.text()}")
        t.type(b"q")
        self.ended(t)

    def test_stop_and_continue(self):
        t = self.start("-d", "60")
        t.shows("running")
        t.type(b"\x1a")
        os.waitid(os.P_PID, t.pid, os.WSTOPPED)
        t.pump()
        self.assertTrue(t.restored())
        os.kill(t.pid, signal.SIGCONT)
        t.until(lambda: t.raw.count(ENTER) == 2)
        t.type(b"q")
        self.ended(t)

    def test_quits_while_qemu_is_silent(self):
        """Not after the timeout: at once."""
        hang = threading.Event()

        def second(_args):
            return None if hang.is_set() else {"return": load("info")}
        t = self.start("-d", "0.05", "-t", "3600",
                       says={"replies": {"query-vmheat": second}})
        t.shows("traps/s")
        hang.set()
        seen = len(self.server.seen)
        self.assertTrue(wait_until(lambda: len(self.server.seen) > seen))
        t.resize(60, 20)
        t.shows("running")
        t.type(b"q")
        self.ended(t)

    def test_virtual_machine_ends(self):
        t = self.start("-d", "60")
        t.shows("running")
        self.server.hang_up()
        self.ended(t, 2)
        after = t.raw[t.raw.rindex(LEAVE):]
        self.assertIn("virtual machine has ended", after)

    def test_device_removed(self):
        gone = threading.Event()

        def info(_args):
            return {"error": {"class": "DeviceNotFound", "desc": "gone"}} \
                if gone.is_set() else {"return": load("info")}
        t = self.start("-d", "0.05",
                       says={"replies": {"query-vmheat": info}})
        t.shows("traps/s")
        gone.set()
        self.ended(t, 3)
        self.assertIn("device_add", t.raw[t.raw.rindex(LEAVE):])

    def test_iterations_leave_the_last_picture(self):
        t = self.start("-n", "2", "-d", "0.05")
        self.assertEqual(t.end(), 0)
        self.assertTrue(t.restored())
        self.assertIn("Working set", t.raw[t.raw.rindex(LEAVE):])

    def test_event_is_shown(self):
        t = self.start("-d", "0.05")
        t.shows("traps/s")
        self.server.events = [{"event": "VMHEAT_STATE_CHANGED", "data": {
            "state": "suspended", "reason": "migration in progress"}}]
        t.shows("state is now suspended (migration in progress)")
        t.type(b"q")
        self.ended(t)

    def test_rates(self):
        """1000 traps and 10 ms of worker time between two polls 1 s apart."""
        count = iter(range(1, 1000))

        def info(_args):
            reply = copy.deepcopy(load("info"))
            n = next(count)
            reply["stats"].update({"traps": 1000 * n, "trap-cost": 5000,
                                   "worker-time": 10_000_000 * n,
                                   "vcpu-time": 15_000_000 * n})
            return {"return": reply}
        t = self.start("-d", "1", says={"replies": {"query-vmheat": info}})
        t.shows("traps/s")
        m = re.search(r"(\d+) traps/s, worker (\S+) % of a core, "
                      r"guest (\S+) % of a vCPU", t.screen.text())
        self.assertAlmostEqual(float(m[1]), 1000, delta=150)
        self.assertAlmostEqual(float(m[2]), 1.0, delta=0.15)
        self.assertAlmostEqual(float(m[3]), 2.0, delta=0.3)

    def test_dumb_terminal(self):
        t = self.start("-n", "2", "-d", "0.05", env={"TERM": "dumb"})
        self.assertEqual(t.end(), 0)
        self.assertNotIn("\x1b", t.raw)
        self.assertEqual(t.raw.count("running  heat0"), 2)


if __name__ == "__main__":
    unittest.main()
