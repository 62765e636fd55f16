# SPDX-License-Identifier: GPL-2.0-or-later
"""What verbs and options a vmheat command says it has."""

import re
import subprocess


def help_of(cli, *words):
    return subprocess.run([cli, *words, "--help"], capture_output=True,
                          text=True, timeout=30, check=True).stdout


def verbs(cli):
    """All verbs, as typed."""
    section = help_of(cli).split("\nverbs:\n")[1].split("\n\n")[0]
    found = re.findall(r"^  (\S+(?: \S+)?)(?:  +\S.*)?$", section, re.M)
    assert len(found) > 3, section
    return found


def options(cli, verb):
    """Long names of the options in the help of a verb, in its order."""
    text = help_of(cli, *verb.split())
    section = text.split("\noptions:\n")[1].split("\n\n")[0]
    found = re.findall(r"^  (?:-\w, |    )--([\w-]+)", section, re.M)
    assert "help" in found, text
    return found


def recipe_options(cli, verb):
    """The same of recipes, where the verb has some."""
    text = help_of(cli, *verb.split())
    parts = text.split("\noptions of recipes")
    return re.findall(r"^      --([\w-]+)", parts[1], re.M) if parts[1:] else []


def takes_argument(cli, verb, option):
    return bool(re.search(rf"--{option} [A-Z]", help_of(cli, *verb.split())))


def page_name(verb):
    return "vmheat-" + verb.replace(" ", "-")
