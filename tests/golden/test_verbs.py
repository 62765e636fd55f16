#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Verbs of one word and of two, help, and what was meant by a typing error.

VMHEAT_CLI names the binary, VMHEAT_TWO_WORDS one with other verbs.
"""

import os
import subprocess
import unittest

import cli_verbs

CLI = os.path.abspath(os.environ["VMHEAT_CLI"])
TWO_WORDS = os.path.abspath(os.environ["VMHEAT_TWO_WORDS"])


def run(cli, *args):
    env = {k: v for k, v in os.environ.items() if k != "VMHEAT_SOCKET"}
    done = subprocess.run([cli, *args], env={**env, "LC_ALL": "C"}, text=True,
                          capture_output=True, timeout=30, check=False)
    return done.returncode, done.stdout, done.stderr


class Verbs(unittest.TestCase):
    def test_two_words(self):
        for args in (["report", "access"], ["list", "on"], ["list"],
                     ["--json", "list", "off"], ["report", "heat", "x"],
                     ["report", "-i", "list", "access"]):
            self.assertEqual(run(TWO_WORDS, *args), (0, "ran\n", ""), args)

    def test_help(self):
        """"help VERB", "VERB --help" and "--help VERB" are one."""
        for cli in CLI, TWO_WORDS:
            for words in [[]] + [v.split() for v in cli_verbs.verbs(cli)]:
                first = run(cli, *words, "--help")
                self.assertEqual((first[0], first[2]), (0, ""), words)
                self.assertTrue(first[1].startswith(
                    "usage: vmheat " + " ".join(words)), first[1])
                self.assertEqual(run(cli, "help", *words), first)
                self.assertEqual(run(cli, "--help", *words), first)
        group = run(TWO_WORDS, "help", "report")
        self.assertIn("report access", group[1])
        self.assertNotIn("list on", group[1])
        self.assertEqual(run(TWO_WORDS, "report", "--help"), group)

    def test_help_fits(self):
        for cli in CLI, TWO_WORDS:
            for verb in ["", *cli_verbs.verbs(cli)]:
                for line in run(cli, *verb.split(), "--help")[1].splitlines():
                    self.assertLessEqual(len(line), 80, verb + ": " + line)

    def test_examples(self):
        """Each verb has some, and what they show can be typed."""
        for verb in cli_verbs.verbs(CLI):
            text = cli_verbs.help_of(CLI, *verb.split())
            self.assertIn("\nexamples:\n", text, verb)
            lines = text.split("\nexamples:\n")[1].split("\n\n")[0]
            for line in lines.splitlines():
                words = line.split(" | ")[0].split(" > ")[0].split()
                self.assertIn("vmheat " + verb, line)
                at = words.index("vmheat")
                self.assertEqual(run(CLI, *words[at + 1:], "--help")[0], 0,
                                 line)

    def means(self, cli, *args):
        """What is suggested, between "did you mean" and "?"."""
        code, out, err = run(cli, *args)
        self.assertEqual((code, out, err.count("\n")), (1, "", 1), args)
        self.assertIn("'vmheat help", err)
        return err.split("did you mean ")[1].split("?")[0] \
            if "did you mean " in err else None

    def test_nearest_verb(self):
        for word, meant in (("stauts", "'status'"), ("statuss", "'status'"),
                            ("snap", "'snapshot'"), ("scheme", "'schemes'"),
                            ("tpo", "'top'"), ("frobnicate", None),
                            ("x", None), ("", None)):
            self.assertEqual(self.means(CLI, word), meant, word)
        for words, meant in ((["report", "acess"], "'report access'"),
                             (["reprot", "access"], "'report access'"),
                             (["access"], "'report access'"),
                             (["report", "frob"], None),
                             (["liszt"], "'list'"),
                             (["report", "heta"], "'report heat'"),
                             (["hea"], "'report heat'"),
                             (["repotr"], "'report'")):
            self.assertEqual(self.means(TWO_WORDS, *words), meant, words)
        self.assertIn("unknown verb 'report frob'",
                      run(TWO_WORDS, "report", "frob")[2])
        self.assertIn("'report' what?", run(TWO_WORDS, "report")[2])

    def test_nearest_option(self):
        for args, meant in (
                (["status", "--tmeout", "5"], "--timeout"),
                (["--tmeout=5", "status"], "--timeout"),
                (["snapshot", "--min-accesses", "4"], "--min-nr-accesses"),
                (["schemes", "--apply", "prcl", "--min-aeg", "5"],
                 "--min-age"),
                (["grant", "--revok"], None),  # short for --revoke
                (["schemes", "--a", "x"], "--actions, --apply, --add"),
                (["top", "--o"], "--once"),  # and of other verbs --output
                (["status", "--frob"], None), (["status", "--"], None),
                (["tune", "--max-region=5", "--max-regoins=5"],
                 "--max-regions")):
            self.assertEqual(self.means(CLI, *args), meant, args)
        self.assertIn("unknown option '--frob';",
                      run(CLI, "status", "--frob")[2])

    def test_odd_options(self):
        for args, word in ((["status", "--json=1"], "'--json=1' takes no"),
                           (["status", "--version=1"], "takes no argument"),
                           (["status", "--json", "-jx"], "option '-j'"),
                           (["status", "-V"], "option '-V'")):
            self.assertIn(word, run(CLI, *args)[2], args)


if __name__ == "__main__":
    unittest.main()
