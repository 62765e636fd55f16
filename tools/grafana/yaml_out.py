# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes lists, dicts and strings as YAML that people can read."""

import json

HEAD = "# SPDX-License-Identifier: GPL-2.0-or-later\n"


def _scalar(value, indent):
    if isinstance(value, str) and ("\n" in value or '"' in value):
        pad = "\n" + "  " * indent
        return "|" + "".join(pad + line for line in
                             value.rstrip("\n").split("\n"))
    return json.dumps(value, ensure_ascii=False)


def _lines(value, indent):
    pad = "  " * indent
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, (dict, list)):
                yield f"{pad}{key}:"
                yield from _lines(item, indent + 1)
            else:
                yield f"{pad}{key}: {_scalar(item, indent + 1)}"
    else:
        for item in value:
            first, *rest = _lines(item, indent + 1)
            yield f"{pad}- {first.lstrip()}"
            yield from rest


def to_yaml(value):
    return HEAD + "\n".join(_lines(value, 0)) + "\n"
