# SPDX-License-Identifier: GPL-2.0-or-later
"""Which pages a file in memory (tmpfs, memfd) has at all.

What is in swap counts as well: only what nobody wrote, or what was given back
with a hole punched in the file, is a hole.
"""

import errno
import os


def populated(path):
    """Bytes."""
    return os.stat(path).st_blocks * 512


def extents(path):
    """[(start, end)] of what is populated."""
    found, at = [], 0
    fd = os.open(path, os.O_RDONLY)
    try:
        while True:
            start = os.lseek(fd, at, os.SEEK_DATA)
            at = os.lseek(fd, start, os.SEEK_HOLE)
            found.append((start, at))
    except OSError as e:
        if e.errno != errno.ENXIO:  # no more
            raise
    finally:
        os.close(fd)
    return found


def filled(before, after):
    """Bytes of the extents after that were holes before."""
    both = i = 0
    for start, end in after:
        while i < len(before) and before[i][1] <= start:
            i += 1
        at = i
        while at < len(before) and before[at][0] < end:
            both += min(end, before[at][1]) - max(start, before[at][0])
            at += 1
    return sum(e - s for s, e in after) - both
