# SPDX-License-Identifier: GPL-2.0-or-later
"""What the parts of scripts/demo know of the build."""

import json
import subprocess


class Failed(Exception):
    """The demo can't go on; the text says why."""


def qemu_of(build):
    """The QEMU that ./configure chose."""
    text = subprocess.run(
        ["meson", "introspect", "--buildoptions", build],
        check=True, capture_output=True, text=True).stdout
    for option in json.loads(text):
        if option["name"] == "qemu_binary" and option["value"]:
            return option["value"]
    raise Failed(f"{build} is not configured for a QEMU; run ./configure")
