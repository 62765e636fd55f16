// SPDX-License-Identifier: GPL-2.0-or-later
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Axis, layout, packedAt, rowRuns, yOf } from "../../../web/src/heatmap/axis";
import { COLUMNS, levelOf, tileArea, tilesOf } from "../../../web/src/heatmap/grid";
import { keyAction } from "../../../web/src/heatmap/input";
import { idleOf, idlePlace, ink, pixels, rateOf, ratePlace } from "../../../web/src/heatmap/palette";
import { regionTexts } from "../../../web/src/heatmap/readout";
import { addressStep, tickTexts, timeTicks } from "../../../web/src/heatmap/ticks";
import { cellOf, knownColumns, type Tile } from "../../../web/src/heatmap/tiles";
import { clampView, pan, zoom, type Limits } from "../../../web/src/heatmap/viewport";

const GiB = 1024 ** 3;
const axis = new Axis([
  { start: 4 * GiB, end: 6 * GiB },
  { start: 0, end: GiB },
  { start: GiB, end: 3 * GiB },
]);

test("memory without its holes", () => {
  assert.equal(axis.length, 5 * GiB);
  assert.equal(axis.spans.length, 2);
  for (const [address, packed] of [[0, 0], [GiB, GiB], [4 * GiB, 3 * GiB], [6 * GiB - 1, 5 * GiB - 1]] as const) {
    assert.equal(axis.toPacked(address), packed);
    assert.equal(axis.toAddress(packed), address);
  }
  assert.equal(axis.toPacked(3.5 * GiB), 3 * GiB, "a hole is where it begins");
  assert.equal(axis.toEnd(3 * GiB), 3 * GiB, "an end is not the next span's start");
  assert.equal(axis.toEnd(5 * GiB), 6 * GiB);
});

test("rows of a raster know their memory", () => {
  const runs = rowRuns(axis, [{ start: 0, end: 3 * GiB, row: 0 }, { start: 4 * GiB, end: 6 * GiB, row: 60 }], 100);
  assert.deepEqual(runs, [
    { row: 0, rows: 60, start: 0, end: 3 * GiB },
    { row: 60, rows: 40, start: 3 * GiB, end: 5 * GiB },
  ]);
});

test("a span over a small hole is cut there", () => {
  const holed = new Axis([{ start: 0, end: 40 }, { start: 60, end: 100 }]);
  assert.deepEqual(rowRuns(holed, [{ start: 0, end: 100, row: 0 }], 10), [
    { row: 0, rows: 4, start: 0, end: 40 },
    { row: 6, rows: 4, start: 40, end: 80 },
  ]);
});

test("columns that something is known of", () => {
  assert.equal(knownColumns(new Uint8Array([1, 1, 0, 1, 0, 0]), 2), 2);
  assert.equal(knownColumns(new Uint8Array([0, 0, 0, 0]), 2), 0);
});

test("a tile says that nothing is known only of what is behind its last column", () => {
  const rate = new Uint8Array([1, 255, 0, 0, 255, 1, 0, 0]);
  const log = { low: 1, high: 100, log: true };
  const tile: Tile = {
    key: { k: 0, j: 0, x: 0, y: 0 }, from: 100, until: 140, last: 130, columns: 4, rows: 2, seconds: 10,
    runs: [{ row: 0, rows: 2, start: 0, end: 80 }], rate, idle: rate, scales: { rate: log, idle: log },
    images: {}, used: 1, short: true,
  };
  assert.equal(cellOf(tile, { time: 105, at: 0 })!.rate, 0);
  assert.ok(cellOf(tile, { time: 105, at: 79 })!.rate! > 99);
  assert.deepEqual(cellOf(tile, { time: 115, at: 0 }), { rate: null, idle: null }, "a hole");
  assert.equal(cellOf(tile, { time: 129, at: 79 })!.rate, 0);
  for (const time of [90, 130, 139, 145]) {
    assert.equal(cellOf(tile, { time, at: 0 }), null, `${time}: has to be asked for`);
  }
  assert.equal(cellOf(tile, { time: 105, at: 80 }), null);
});

test("the plot has seams at holes, low addresses below", () => {
  const pieces = layout(axis, 0, 5 * GiB, 400, 5);
  assert.equal(pieces.length, 2);
  assert.equal(pieces[0]!.bottom, 400);
  assert.equal(Math.round(pieces[1]!.top), 0);
  assert.ok(Math.abs(pieces[0]!.top - pieces[1]!.bottom - 5) < 1e-9);
  for (const at of [0, GiB, 2.9 * GiB, 3.1 * GiB, 4.9 * GiB]) {
    const y = yOf(pieces, at)!;
    assert.ok(Math.abs(packedAt(pieces, y) - at) < 4096, `${at}`);
  }
  assert.ok(yOf(pieces, GiB)! > yOf(pieces, 2 * GiB)!);
  assert.equal(yOf(layout(axis, 0, GiB, 400, 5), 2 * GiB), null);
});

test("a small span is still seen", () => {
  const small = new Axis([{ start: 0, end: 640 * 1024 }, { start: 1 << 20, end: 16 * GiB }]);
  const pieces = layout(small, 0, small.length, 400, 5);
  assert.ok(pieces[0]!.bottom - pieces[0]!.top >= 3);
});

test("the palette is that of the command's pictures", () => {
  const c = readFileSync(`${process.env.VMHEAT_SOURCE}/tools/report/heat-scale.c`, "utf8");
  const points = [...c.matchAll(/\{ (\d\.\d+), (\d\.\d+), (\d\.\d+) \}/g)].map((m) =>
    [m[1], m[2], m[3]].map((v) => Math.round(255 * Number(v))));
  assert.equal(points.length, 8);
  points.forEach((p, i) => assert.deepEqual(ink(i / 7), p));
  const h = readFileSync(`${process.env.VMHEAT_SOURCE}/tools/report/heat-scale.h`, "utf8");
  assert.equal(ratePlace(Number(/RATE_MOST (\d+)/.exec(h)![1])), 1);
  assert.equal(ratePlace(0.01), Number(/ABOVE_COLD ([\d.]+)/.exec(c)![1]));
  assert.equal(ratePlace(0), 0);
});

test("hotter is brighter, and so is more recently accessed", () => {
  const scale = { low: 0.01, high: 1000, log: true };
  const idle = { low: 0.001, high: 86400, log: true };
  const light = (v: number) => 0.3 * (v & 255) + 0.59 * ((v >> 8) & 255) + 0.11 * ((v >> 16) & 255);
  const rates = [...pixels("rate", scale)].slice(1).map(light);
  const idles = [...pixels("idle", idle)].slice(1).map(light);
  for (let i = 1; i < rates.length; i++) {
    assert.ok(rates[i]! >= rates[i - 1]! - 0.6, `rate byte ${i}`);
    assert.ok(idles[i]! <= idles[i - 1]! + 0.6, `idle byte ${i}`);
  }
  assert.equal(pixels("rate", scale)[0], 0, "not known is transparent");
  assert.equal(rateOf(0, scale), null);
  assert.equal(rateOf(1, scale), 0);
  assert.equal(rateOf(2, scale), 0.01);
  assert.ok(Math.abs(rateOf(255, scale)! - 1000) < 1e-9);
  assert.equal(idleOf(0, idle), null);
  assert.ok(idlePlace(1) > idlePlace(60));
});

const limits: Limits = { from: 0, to: 1000, leastSeconds: 20, length: 5 * GiB, leastBytes: 1 << 20 };
const view = { from: 100, to: 200, start: GiB, end: 2 * GiB };

test("panning stays within what there is", () => {
  assert.deepEqual(clampView(pan(view, 1, 0), limits), { ...view, from: 200, to: 300 });
  assert.deepEqual(clampView(pan(view, 100, 0), limits), { ...view, from: 900, to: 1000 });
  assert.deepEqual(clampView(pan(view, -100, -100), limits), { from: 0, to: 100, start: 0, end: GiB });
});

test("zooming keeps its point, and has ends", () => {
  const z = zoom(view, 125, 1.25 * GiB, 0.5, 2);
  assert.equal((125 - z.from) / (z.to - z.from), 0.25);
  assert.equal((1.25 * GiB - z.start) / (z.end - z.start), 0.25);
  const least = clampView(zoom(view, 150, GiB, 1e-6, 1e-9), limits);
  assert.equal(least.to - least.from, 20);
  assert.equal(least.end - least.start, 1 << 20);
  const most = clampView(zoom(view, 150, GiB, 1e6, 1e6), limits);
  assert.deepEqual(most, { from: 0, to: 1000, start: 0, end: 5 * GiB });
});

const grid = { interval: 1, length: 8 * GiB };

test("tiles cover what is seen, at about one column a pixel", () => {
  const v = { from: 1000, to: 4600, start: 0, end: 8 * GiB };
  const level = levelOf(grid, v, 1100);
  assert.deepEqual(level, { k: 2, j: 0 });
  const areas = tilesOf(grid, v, level).map((k) => tileArea(grid, k));
  assert.ok(Math.min(...areas.map((a) => a.from)) <= v.from);
  assert.ok(Math.max(...areas.map((a) => a.to)) >= v.to);
  assert.ok(areas.length <= Math.ceil(3600 / (4 * COLUMNS)) + 1);
  assert.equal(areas[0]!.to, Math.max(...areas.map((a) => a.to)), "the newest first");
});

test("tiles of a part of memory", () => {
  const v = { from: 0, to: 100, start: 2.5 * GiB, end: 3.5 * GiB };
  const level = levelOf(grid, v, 1000);
  assert.equal(level.j, 3);
  const areas = tilesOf(grid, v, level).map((k) => tileArea(grid, k));
  assert.equal(Math.min(...areas.map((a) => a.start)), 2 * GiB);
  assert.equal(Math.max(...areas.map((a) => a.end)), 4 * GiB);
});

test("no column is as short as an interval", () => {
  assert.equal(levelOf(grid, { from: 0, to: 20, start: 0, end: 8 * GiB }, 1000).k, 1);
});

test("the read-out's fields", () => {
  const region = {
    time: 1, start: 4096, end: 12288, rate: 12.3125, rate_low: 9.8125, rate_high: 15.1875,
    write_rate: 0.5, idle_seconds: 0.05, age_seconds: 200, nr_accesses: 5, max_nr_accesses: 20,
    block: "pc.ram", node: 1, device: "nv0", reserved: "no-map",
  };
  assert.deepEqual(regionTexts(region), {
    region: "0x000001000..0x000003000", size: "8 KiB", rate: "12.3/s (9.8..15)", writes: "0.5/s",
    idle: "50 ms", age: "3m 20s", block: "pc.ram", node: "1",
    device: "nv0", reserved: "no-map",
  });
  const less = regionTexts({ ...region, node: null, device: null, reserved: null, write_rate: null });
  assert.deepEqual([less.node, less.device, less.reserved], ["–", "–", "–"]);
});

test("ticks are round", () => {
  const ticks = timeTicks(1000, 4600, 8);
  assert.ok(ticks.length > 3 && ticks.length <= 9);
  assert.ok(ticks.every((t) => t % 600 === 0));
  assert.ok(tickTexts([600, 1200]).every((t) => /^\d\d:\d\d$/.test(t)));
  assert.ok(tickTexts([600, 630]).every((t) => /^\d\d:\d\d:\d\d$/.test(t)));
  assert.equal(addressStep(8 * GiB, 8), GiB);
  assert.equal(addressStep(100, 8), 4096);
});

test("keys of the browser stay the browser's", () => {
  const none = { shiftKey: false, ctrlKey: false, altKey: false, metaKey: false };
  assert.equal(keyAction({ key: "Tab", ...none }), null);
  assert.equal(keyAction({ key: "-", ...none, ctrlKey: true }), null);
  assert.notEqual(keyAction({ key: "ArrowLeft", ...none }), null);
});
