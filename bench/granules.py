# SPDX-License-Identifier: GPL-2.0-or-later
"""Snapshots against the truth, granule by granule.

A page of 4 KiB is hot when it is accessed at least THRESHOLD times a second;
so truly, by what counted the accesses, or as told, by the region of the
snapshot that it lies in. A larger granule is hot, truly or as told,

  by the rule "half"  when at least half of its pages are
  by the rule "any"   when any of its pages is

A granule is ambiguous when a threshold of half and one of twice as much do not
agree on whether it is truly hot. docs/devel/truth.md has the reasons.
"""

import math
from array import array
from typing import NamedTuple

PAGE = 4096
THRESHOLD = 5.0  # accesses a second and page, as in bench/accuracy


class Rule(NamedTuple):
    """Which granules, and how many of its pages make one hot."""
    granule: int
    name: str

    @property
    def pages(self):
        return self.granule // PAGE

    @property
    def needs(self):
        return 1 if self.name == "any" else (self.pages + 1) // 2


RULES = (Rule(2 << 20, "half"), Rule(2 << 20, "any"), Rule(PAGE, "half"))


def ratio(part, whole, otherwise):
    return part / whole if whole else float(otherwise)


class Score(NamedTuple):
    """Numbers of granules: called hot and hot; called hot; hot."""
    right: int
    called: int
    hot: int

    @property
    def precision(self):
        return ratio(self.right, self.called, not self.hot)

    @property
    def recall(self):
        return ratio(self.right, self.hot, True)


def rate_of(snapshot, region):
    """Accesses a second and page that a region of a snapshot tells.

    A snapshot without rates tells in how many checks, each after waiting a
    sampling interval, a page was found accessed: the most likely Poisson rate
    is taken, and if it was in all, as if half a check had not been (so does
    bench/accuracy).
    """
    if "rate" in region:
        return region["rate"]
    checks = snapshot["max-nr-accesses"]
    seconds = (snapshot["end-time"] - snapshot["start-time"]) / 1e9 / checks
    found = min(region["nr-accesses"], checks - 0.5)
    return -math.log1p(-found / checks) / seconds


def told_by(snapshot):
    """The field of a region that rate_of() reads."""
    return ("rate" if any("rate" in r for r in snapshot["regions"])
            else "nr-accesses")


def told_rates(snapshot, pages):
    """Of each page of the guest; 0 where there is no region."""
    rates = array("d", bytes(8 * pages))
    for region in snapshot["regions"]:
        first, end = region["start"] // PAGE, region["end"] // PAGE
        rates[first:end] = array("d", [rate_of(snapshot, region)]) * (
            end - first)
    return rates[:pages]


def hot_granules(rates, threshold, rule):
    """A byte for each granule: 1 when it is hot."""
    hot = bytes(rate >= threshold for rate in rates)
    if rule.pages == 1:
        return hot
    return bytes(sum(hot[i:i + rule.pages]) >= rule.needs
                 for i in range(0, len(hot), rule.pages))


def ambiguous_granules(rates, rule):
    low = hot_granules(rates, THRESHOLD / 2, rule)
    high = hot_granules(rates, THRESHOLD * 2, rule)
    return bytes(a != b for a, b in zip(low, high))


def unscored_granules(ranges, count, rule):
    """A byte for each granule: 1 when it touches a range (start, end)."""
    out = bytearray(count)
    for start, end in ranges:
        for i in range(start // rule.granule, -(-end // rule.granule)):
            out[i] = 1
    return bytes(out)


def compare(called, hot, skip):
    """The Score of two answers, leaving out granules with a 1 in skip."""
    right = said = true = 0
    for c, h, s in zip(called, hot, skip):
        if not s:
            right += c & h
            said += c
            true += h
    return Score(right, said, true)


def extents(flags, rule):
    """[(start, end)] in bytes of the granules with a 1, longest first."""
    found, at = [], 0
    while (first := flags.find(1, at)) >= 0:
        end = flags.find(0, first)
        at = end if end >= 0 else len(flags)
        found.append((first * rule.granule, at * rule.granule))
    return sorted(found, key=lambda e: (e[0] - e[1], e[0]))


class Verdict(NamedTuple):
    """What one snapshot is worth by one rule."""
    score: Score
    clear: Score     # without ambiguous granules
    ambiguous: int   # bytes
    missed: list     # (start, end) of what is hot and not called so
    false: list      # the other way round


def judge(told, true, rule, unscored=()):
    """told, true: rates of each page. unscored: ranges to leave out."""
    called = hot_granules(told, THRESHOLD, rule)
    hot = hot_granules(true, THRESHOLD, rule)
    unsure = ambiguous_granules(true, rule)
    skip = unscored_granules(unscored, len(hot), rule)
    both = bytes(a | b for a, b in zip(unsure, skip))
    return Verdict(
        compare(called, hot, skip), compare(called, hot, both),
        sum(unsure) * rule.granule,
        extents(bytes(h & ~c & ~s & 1 for c, h, s in zip(called, hot, skip)),
                rule),
        extents(bytes(c & ~h & ~s & 1 for c, h, s in zip(called, hot, skip)),
                rule))
