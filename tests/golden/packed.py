# SPDX-License-Identifier: GPL-2.0-or-later
"""A packed answer of query-vmheat-regions, as its header file tells.

Written anew, so that what the header says is tested, not the C code by itself.
One snapshot only: it is predicted from nothing.
"""

import base64
import math

FLAGS = WRITES, RATES, WRITE_RATES, TRUNCATED, INTERVALS, BYTES = \
    [1 << i for i in range(6)]


class Bytes:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value

    def signed(self):
        value = self.number()
        return value >> 1 ^ -(value & 1)


def rate_of(code):
    return 2 ** (-20 + (code - 1) / 64) if code else 0


def read_region(b, flags, at, unit, before):
    """@before: where the last one ended."""
    start = before + (b.signed() * unit if flags & 1 else 0)
    r = {"start": start, "end": start + (b.signed() * unit if flags & 2 else 0)}
    r["nr-accesses"] = b.signed() if flags & 4 else 0
    r["age"] = b.number() if flags & 8 else 0
    writes = b.signed() if flags & 16 else 0
    rates = [b.signed() if flags & 32 else 0 for _ in range(3)]
    write_rate = b.signed() if flags & 64 else 0
    idle = 0
    if flags & 128:
        assert b.signed() == 0, "near to what was predicted from nothing?"
        idle = round(rate_of(b.number()))
    if at & WRITES:
        r["nr-writes"] = writes
    if at & RATES:
        r.update(zip(("rate", "rate-low", "rate-high"), map(rate_of, rates)))
        r["idle-ms"] = idle
    if at & WRITE_RATES:
        r["write-rate"] = rate_of(write_rate)
    return r


def unpack(text):
    """The reply as it would be without packed."""
    b = Bytes(base64.b64decode(text, validate=True))
    flags = b.number()
    assert flags < 1 << len(FLAGS)
    unit = 1 if flags & BYTES else 4096
    out = {"truncated": bool(flags & TRUNCATED)}
    for name in ("sampling-interval", "aggregation-interval",
                 "max-nr-accesses"):
        out[name] = b.number() if flags & INTERVALS else 0
    out["sequence"] = b.signed()
    out["start-time"] = b.signed()
    out["end-time"] = out["start-time"] + b.signed()
    out["working-set-size"] = b.signed()
    out["total-size"] = b.signed()
    left_out = b.number()
    nr = b.number()
    out["nr-regions"] = nr + left_out
    out["regions"] = []
    before = 0
    for _ in range(nr):
        of_region = b.data[b.at]
        b.at += 1
        assert of_region, "a region that is as predicted from nothing"
        out["regions"].append(read_region(b, of_region, flags, unit, before))
        before = out["regions"][-1]["end"]
    assert b.at == len(b.data)
    return out


class Writer:
    def __init__(self):
        self.data = bytearray()

    def number(self, v):
        while v >= 0x80:
            self.data.append(v & 0x7f | 0x80)
            v >>= 7
        self.data.append(v)

    def signed(self, v):
        self.number(v << 1 if v >= 0 else (-v << 1) - 1)


def code_of(v):
    return max(round(math.log2(v) * 64) + 20 * 64 + 1, 1) if v else 0


def region_fields(r, unit, before):
    """(flag, numbers as (signed?, value)) of what is not 0."""
    rates = [code_of(r.get(n, 0)) for n in ("rate", "rate-low", "rate-high")]
    idle = code_of(r.get("idle-ms", 0))
    yield 1, [(True, (r["start"] - before) // unit)]
    yield 2, [(True, (r["end"] - r["start"]) // unit)]
    yield 4, [(True, r["nr-accesses"])]
    yield 8, [(False, r["age"])]
    yield 16, [(True, r.get("nr-writes", 0))]
    yield 32, [(True, code) for code in rates]
    yield 64, [(True, code_of(r.get("write-rate", 0)))]
    yield 128, [(True, 0), (False, idle)] if idle else []


def pack(snapshot):
    """What query-vmheat-regions returns as packed; regions as a list."""
    regions = snapshot["regions"]
    w = Writer()
    unit = 4096
    if any(r["start"] % unit or r["end"] % unit for r in regions):
        unit = 1
    w.number((WRITES if any("nr-writes" in r for r in regions) else 0) |
             (RATES if any("rate" in r for r in regions) else 0) |
             (WRITE_RATES if any("write-rate" in r for r in regions) else 0) |
             (TRUNCATED if snapshot["truncated"] else 0) | INTERVALS |
             (BYTES if unit == 1 else 0))
    for name in ("sampling-interval", "aggregation-interval",
                 "max-nr-accesses"):
        w.number(snapshot[name])
    w.signed(snapshot["sequence"])
    w.signed(snapshot["start-time"])
    w.signed(snapshot["end-time"] - snapshot["start-time"])
    w.signed(snapshot["working-set-size"])
    w.signed(snapshot["total-size"])
    w.number(snapshot["nr-regions"] - len(regions))
    w.number(len(regions))
    before = 0
    for r in regions:
        fields = [(flag, numbers)
                  for flag, numbers in region_fields(r, unit, before)
                  if any(v for _, v in numbers)]
        w.data.append(sum(flag for flag, _ in fields))
        for _, numbers in fields:
            for signed, v in numbers:
                (w.signed if signed else w.number)(v)
        before = r["end"]
    return base64.b64encode(w.data).decode()
