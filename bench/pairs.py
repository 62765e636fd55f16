# SPDX-License-Identifier: GPL-2.0-or-later
"""Slowdown of a guest: pairs of windows, monitored and paused in turn.

The windows are short and many because the speed of a shared machine drifts by
10 % and more within seconds: neighbouring windows of 0.1 s are alike, those of
1 s are not. Every other pair runs in the other order.
"""

import statistics
import time

# Seconds after each switch that are not measured.
SETTLE = 0.02


def mebibytes(text):
    """1024, 1024M and 1G are the same."""
    factor = {"M": 1, "G": 1024}.get(text[-1:].upper())
    return int(text[:-1]) * factor if factor else int(text)


def properties(text):
    """Of a device: those of "a=b,c=2" for device_add."""
    pairs = dict(p.split("=", 1) for p in text.split(",") if p)
    return {k: int(v) if v.isdigit() else v for k, v in pairs.items()}


def rate_of(progress, seconds):
    """How fast progress(), a number that grows, does so."""
    before, begin = progress(), time.monotonic()
    time.sleep(seconds)
    return (progress() - before) / (time.monotonic() - begin)


def measure(guest, progress, pairs, window):
    """[(progress a second while monitored, the same while paused)]"""
    measured = []
    for i in range(pairs):
        rates = {}
        for monitored in ((True, False) if i % 2 else (False, True)):
            guest.qmp("vmheat-resume" if monitored else "vmheat-pause")
            time.sleep(SETTLE)
            rates[monitored] = rate_of(progress, window)
        measured.append((rates[True], rates[False]))
    return measured


def slowdowns(measured):
    """Of each pair, in percent."""
    return [(1 - monitored / paused) * 100 for monitored, paused in measured]


def overall(measured):
    """Over all windows, in percent."""
    monitored, paused = (sum(side) for side in zip(*measured))
    return (1 - monitored / paused) * 100


def standard_error(values):
    """Of the median, for values that are about normal but for outliers."""
    if len(values) < 4:
        return None
    low, _, high = statistics.quantiles(values, n=4)
    return round(1.2533 * (high - low) / 1.349 / len(values) ** 0.5, 2)
