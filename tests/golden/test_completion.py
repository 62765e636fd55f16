#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Completion in a real bash.

VMHEAT_CLI names the binary, VMHEAT_TWO_WORDS one with other verbs,
VMHEAT_COMPLETION the script.
"""

import os
import pty
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

import cli_verbs

CLI = os.path.abspath(os.environ["VMHEAT_CLI"])
TWO_WORDS = os.path.abspath(os.environ["VMHEAT_TWO_WORDS"])
SCRIPT = os.path.abspath(os.environ["VMHEAT_COMPLETION"])
BREAKS = " \t\n\"'><=;|&(:"
# what bash does with COMP_WORDS and so on, and a list that can be told apart
CALL = r"""
source "$1"; shift
COMP_WORDBREAKS=$1; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
_vmheat "$1" "${@: -1}" "${@: -2:1}"
[ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\0' "${COMPREPLY[@]}"
"""


def complete(*words, cli=CLI, folder=None, path=None, breaks=BREAKS):
    env = {k: v for k, v in os.environ.items() if k != "VMHEAT_SOCKET"}
    if path:
        env["PATH"] = path
    done = subprocess.run(
        [BASH, "--norc", "--noprofile", "-c", CALL, "bash", SCRIPT, breaks,
         cli, *words], capture_output=True, text=True, timeout=30, check=True,
        cwd=folder, env=env)
    assert not done.stderr, done.stderr
    return done.stdout.split("\0")[:-1]


class Words(unittest.TestCase):
    def test_verbs(self):
        verbs = cli_verbs.verbs(CLI)
        first = list(dict.fromkeys(v.split()[0] for v in verbs))
        self.assertEqual(complete(""), [*first, "help"])
        self.assertEqual(complete("help", ""), first)
        self.assertEqual(complete("sn"), ["snapshot"])
        self.assertEqual(complete("-t", "5", "--color", "sn"), ["snapshot"])
        self.assertEqual(complete("no-such", ""), [])
        for verb in verbs:
            *before, last = verb.split()
            self.assertIn(last, complete(*before, last[:-1]), verb)

    def test_two_words(self):
        def two(*words):
            return complete(*words, cli=TWO_WORDS)
        self.assertEqual(two(""), ["report", "list", "help"])
        self.assertEqual(two("list", ""), ["on", "off", "--json", "--help"])
        self.assertEqual(two("help", "list", ""), ["on", "off"])
        self.assertEqual(two("list", "of"), ["off"])
        self.assertEqual(two("--json", "list", "o"), ["on", "off"])
        self.assertEqual(two("list", "off", ""), ["--json", "--help"])
        self.assertEqual(two("report", ""), ["access", "heat"])
        self.assertEqual(two("report", "access", "--s"), ["--sort"])
        self.assertEqual(two("report", "heat", "--"),
                         ["--socket", "--connect", "--output", "--help"])
        self.assertEqual(two("list", "--"), ["--json", "--help"])

    def test_every_option(self):
        for verb in cli_verbs.verbs(CLI):
            shown = ["--" + o for o in cli_verbs.options(CLI, verb)]
            with self.subTest(verb=verb):
                self.assertGreater(len(shown), 1)
                self.assertEqual(complete(*verb.split(), "--"), shown)
                for option in shown:
                    self.assertIn(option, complete(*verb.split(), option))

    def test_no_option_of_another_verb(self):
        self.assertNotIn("--limit", complete("top", "--"))
        self.assertEqual(complete("--"), ["--help", "--version"])
        self.assertNotIn("--page-idle", complete("grant", "--"))

    def test_values(self):
        orders = ["address", "heat", "size", "age", "rate", "idle",
                  "temperature"]
        self.assertEqual(complete("snapshot", "--sort", ""), orders)
        self.assertEqual(complete("snapshot", "--sort", "a"),
                         ["address", "age"])
        self.assertEqual(complete("snapshot", "--sort", "=", "a"),
                         ["address", "age"])
        self.assertEqual(complete("snapshot", "--sort", "="), orders)
        self.assertEqual(complete("snapshot", "--sort=a", breaks=" "),
                         ["--sort=address", "--sort=age"])
        self.assertEqual(complete("snapshot", "--limit", ""), [])
        self.assertEqual(complete("top", "--sort", ""),
                         ["cold", "name", "size", "wss", "saved", "cost"])

    def test_every_argument(self):
        """The command has an answer, whatever it is, and ends well."""
        nr = 0
        for verb in cli_verbs.verbs(CLI):
            for option in cli_verbs.options(CLI, verb):
                done = subprocess.run(
                    [CLI, "--complete", *verb.split(), "--" + option, ""],
                    capture_output=True, timeout=30, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, b""),
                                 option)
                nr += 1
        self.assertGreater(nr, 50)

    def test_all_values_are_valid(self):
        """Of each option of each verb that has a list of them."""
        some = 0
        for verb in cli_verbs.verbs(CLI):
            for option in cli_verbs.options(CLI, verb):
                if not cli_verbs.takes_argument(CLI, verb, option):
                    continue
                with tempfile.TemporaryDirectory() as d:
                    values = complete(*verb.split(), "--" + option, "",
                                      folder=d, path="/nonexistent")
                for value in values:
                    some += 1
                    done = subprocess.run(
                        [CLI, *verb.split(), f"--{option}={value}", "--help"],
                        capture_output=True, timeout=30, check=False)
                    self.assertEqual(done.returncode, 0, (option, value))
        self.assertGreaterEqual(some, 6 + 5)

    def test_recipes(self):
        recipes = ["reclaim", "prcl", "ethp", "tiering", "balloon"]
        self.assertEqual(complete("schemes", "--apply", ""), recipes)
        self.assertIn("--hot-node",
                      complete("schemes", "--apply", "tiering", "--"))
        self.assertNotIn("--hot-node",
                         complete("schemes", "--apply", "tiering", "--apply",
                                  "=", "prcl", "--"))
        self.assertNotIn("--hot-node", complete("schemes", "--"))

    def test_files(self):
        with tempfile.TemporaryDirectory() as d:
            for name in ("a.json", "b c"):
                with open(os.path.join(d, name), "w", encoding="ascii"):
                    pass
            os.mkdir(os.path.join(d, "dir"))
            with socket.socket(socket.AF_UNIX) as s:
                s.bind(os.path.join(d, "qmp"))
                for args, want in (
                        (["schemes", "--set", ""],
                         ["a.json", "b c", "dir", "qmp"]),
                        (["schemes", "--set", "=", "b"], ["b c"]),
                        (["status", "-s", ""], ["dir", "qmp"]),
                        (["status", "--socket", "q"], ["qmp"]),
                        (["doctor", "--programs", ""], ["dir"])):
                    with self.subTest(args=args):
                        self.assertEqual(sorted(complete(*args, folder=d)),
                                         want)

    def test_domains(self):
        """Of a virsh that shows what it was asked."""
        with tempfile.TemporaryDirectory() as d:
            for tool in ("bash", "timeout"):
                os.symlink(shutil.which(tool), os.path.join(d, tool))
            virsh = os.path.join(d, "virsh")
            with open(virsh, "w", encoding="ascii") as f:
                f.write('#!/bin/sh\n[ "$*" = "-q list --name" ] && '
                        'printf "web\\nweb:2\\ndb one\\n\\n"\n'
                        '[ "$*" = "-q -c qemu:///s list --name" ] && '
                        'echo other\nexit 0\n')
            os.chmod(virsh, 0o755)
            for args, want in (
                    (["status", ""], ["web", "web:2", "db\\ one"]),
                    (["status", "we"], ["web", "web:2"]),
                    (["status", "web", ":", "2"], ["2"]),
                    (["status", "-c", "qemu", ":", "///s", ""], ["other"]),
                    (["status", "--connect", "=", "qemu", ":", "///s", "o"],
                     ["other"])):
                with self.subTest(args=args):
                    self.assertEqual(complete(*args, path=d), want)
            self.assertNotIn("web", complete("status", "web", "", path=d))
            self.assertNotIn("web", complete("status", "-s", "x", "", path=d))
            os.unlink(virsh)
            self.assertEqual(complete("status", "", path=d), [])

    @unittest.skipUnless(shutil.which("virsh"), "no virsh")
    def test_domains_of_libvirt(self):
        """The real virsh, with libvirt's driver for tests."""
        for last in ("", "te"):
            self.assertEqual(complete("status", "-c", "test", ":",
                                      "///default", last), ["test"])

    def test_no_command(self):
        self.assertEqual(complete("", cli="/nonexistent/vmheat"), [])


class Typed(unittest.TestCase):
    """A person at a terminal types a line and the tabulator."""

    def typed(self, text, folder):
        """The arguments that arrive."""
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(folder)
            os.execve(BASH, ["bash", "--noprofile", "--rcfile", "rc"], {
                "PATH": folder + ":/usr/bin:/bin", "TERM": "dumb",
                "HOME": folder, "INPUTRC": "/dev/null", "LC_ALL": "C"})
        self.read_until(fd, b"ready>")
        os.write(fd, text.encode() + b"\n")
        out = self.read_until(fd, b"arrived(.*?)\r?\n")
        os.close(fd)  # bash gets SIGHUP
        os.waitpid(pid, 0)
        return re.findall("<(.*?)>", out.group(1).decode())

    def read_until(self, fd, pattern):
        out = b""
        while not re.search(pattern, out):
            self.assertTrue(select.select([fd], [], [], 30)[0], out)
            out += os.read(fd, 4096)
        return re.search(pattern, out)

    def test_typed(self):
        with tempfile.TemporaryDirectory() as d:
            command = os.path.join(d, "vmheat")
            with open(command, "w", encoding="ascii") as f:
                f.write(f'#!/bin/sh\n[ "$1" = --complete ] && exec {CLI} "$@"\n'
                        'printf arrived; printf " <%s>" "$@"; echo\n')
            os.chmod(command, 0o755)
            with open(os.path.join(d, "rc"), "w", encoding="utf-8") as f:
                f.write(f"source {SCRIPT}; PS1='ready>'\n")
            with open(os.path.join(d, "my file"), "w", encoding="ascii"):
                pass
            for text, want in (
                    ("sna\t--sor\the\t", ["snapshot", "--sort", "heat"]),
                    ("snapshot --sort=he\t", ["snapshot", "--sort=heat"]),
                    ("schemes --app\tpr\t--min-a\t5s",
                     ["schemes", "--apply", "prcl", "--min-age", "5s"]),
                    ("schemes --set my\t", ["schemes", "--set", "my file"]),
                    ("schemes --set=my\t", ["schemes", "--set=my file"])):
                with self.subTest(text=text):
                    self.assertEqual(self.typed("vmheat " + text, d), want)


BASH = shutil.which("bash")
if __name__ == "__main__":
    if not BASH:
        print("SKIP: bash is not installed")
        sys.exit(77)
    unittest.main()
