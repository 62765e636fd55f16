# SPDX-License-Identifier: GPL-2.0-or-later
"""Running the scripts of bench/ for a test."""

import os
import subprocess
import sys

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                      "bench")


def run(name, *args):
    """bench/NAME.py with these arguments, to its end."""
    return subprocess.run(
        [sys.executable, os.path.join(FOLDER, name + ".py"), *args],
        check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
