// SPDX-License-Identifier: GPL-2.0-or-later
// The page prints numbers as the command does: the same cases as in the test of
// tools/units.c, read from there.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as format from "../../../web/src/format";

const source = readFileSync(`${process.env.VMHEAT_SOURCE}/tests/golden/test-units.c`, "utf8");

/** A constant of C: "6ull << 40", "1e-300". */
function constant(text: string): number {
  if (text === "UINT64_MAX") {
    return 2 ** 64;
  }
  const plain = text.replace(/(\d)(?:ull|u|ll)\b/g, "$1").trim();
  const shift = /^\(?(\d+) << (\d+)\)?(?: - (\d+))?$/.exec(plain);
  return shift ? Number(shift[1]) * 2 ** Number(shift[2]) - Number(shift[3] ?? 0) : Number(plain);
}

function cases(name: string): [number[], string][] {
  const found = [...source.matchAll(new RegExp(`is\\(${name}\\((.*)\\), "(.*)"\\)`, "g"))];
  return found.map((m) => [m[1]!.split(",").map((a) => constant(a)), m[2]!]);
}

function check(name: string, least: number, f: (...v: number[]) => string, leave: string[] = []): void {
  test(`${name} of the command`, () => {
    const all = cases(name);
    assert.ok(all.length >= least, `${all.length} cases`);
    for (const [args, want] of all.filter(([, w]) => !leave.includes(w))) {
      assert.equal(f(...args), want);
    }
  });
}

check("vh_size_str", 10, format.size);
/* JavaScript's numbers do not hold this one. */
check("vh_duration_str", 10, (us) => format.duration(us / 1e6), ["213503982d 8h"]);
check("vh_percent_str", 7, format.percent);
check("vh_rate_str", 14, format.rate);
check("vh_rate_range_str", 6, format.rateRange);

test("sizes and times that people type", () => {
  assert.equal(format.parseSize("128M"), 128 << 20);
  assert.equal(format.parseSize("1.5 GiB"), 1.5 * 1024 ** 3);
  assert.equal(format.parseSize("0"), 0);
  for (const bad of ["", "-1", "x", "1Q", "M", "1 2"]) {
    assert.equal(format.parseSize(bad), null, bad);
  }
  assert.equal(format.parseDuration("2m"), 120);
  assert.equal(format.parseDuration("500ms"), 0.5);
  for (const bad of ["", "soon", "10", "-1s", "1e3s"]) {
    assert.equal(format.parseDuration(bad), null, bad);
  }
});

test("what a form shows is read back as the same", () => {
  for (const v of [0, 1, 4096, 128 << 20, 1536, 3 * 1024 ** 4, 12345]) {
    assert.equal(format.parseSize(format.sizeInput(v)), v);
  }
  for (const v of [0.5, 1, 1.5, 90, 120, 3600, 86400, 5400]) {
    assert.equal(format.parseDuration(format.durationInput(v)), v);
  }
});

test("addresses, counts, many accesses", () => {
  assert.equal(format.address(0x100000), "0x000100000");
  assert.equal(format.addresses(0, 4096), "0x000000000..0x000001000");
  assert.equal(format.count(1234567), "1\u202f234\u202f567");
  assert.equal(format.manyRate(48612345), "48.6 M/s");
  assert.equal(format.manyRate(12.3), "12.3/s");
  assert.equal(format.roundRate(10), "10/s");
});
