// SPDX-License-Identifier: GPL-2.0-or-later
// The grid of tiles that history is asked for in.
//
// A tile has COLUMNS columns of 2^k intervals and ROWS rows of a part of memory,
// 1/2^j of it. Tiles of a level lie side by side at fixed places, so panning
// finds most of them at hand.

import type { Viewport } from "./viewport";

export const COLUMNS = 256;
export const ROWS = 512;
/* Two intervals: snapshots are not so regular that each interval has one. */
const LEAST_LEVEL = 1;

export interface TileKey {
  /** log2 of a column's length in intervals. */
  k: number;
  /** log2 of how many tiles memory is cut into. */
  j: number;
  /** Place in time, counted in tiles from 1970, and in memory. */
  x: number;
  y: number;
}

export const keyText = (t: TileKey) => `${t.k}/${t.j}/${t.x}/${t.y}`;

export interface Grid {
  interval: number;
  length: number;
}

/** Seconds of a column of level @k. */
export const columnSeconds = (g: Grid, k: number) => g.interval * 2 ** k;

/** Time and packed memory of a tile. */
export function tileArea(g: Grid, t: TileKey): Viewport {
  const seconds = columnSeconds(g, t.k) * COLUMNS;
  const bytes = g.length / 2 ** t.j;
  return {
    from: t.x * seconds,
    to: (t.x + 1) * seconds,
    start: Math.round(t.y * bytes),
    end: Math.round((t.y + 1) * bytes),
  };
}

/** The level that has about one column a pixel, and enough rows. */
export function levelOf(
  g: Grid,
  v: Viewport,
  width: number,
): { k: number; j: number } {
  const wanted = ((v.to - v.from) / Math.max(width, 1)) * 1.5;
  const k = Math.max(LEAST_LEVEL, Math.floor(Math.log2(wanted / g.interval)));
  const deepest = Math.max(0, Math.floor(Math.log2(g.length / 4096 / ROWS)));
  const j = Math.round(Math.log2(g.length / (v.end - v.start)));
  return { k, j: Math.min(Math.max(j, 0), deepest) };
}

/** All tiles of a level that are seen, the newest first. */
export function tilesOf(
  g: Grid,
  v: Viewport,
  level: { k: number; j: number },
): TileKey[] {
  const seconds = columnSeconds(g, level.k) * COLUMNS;
  const bytes = g.length / 2 ** level.j;
  const out: TileKey[] = [];
  const last = 2 ** level.j - 1;
  const y0 = Math.min(Math.max(Math.floor(v.start / bytes), 0), last);
  const y1 = Math.min(Math.max(Math.ceil(v.end / bytes) - 1, y0), last);
  for (let x = Math.ceil(v.to / seconds) - 1; x >= Math.floor(v.from / seconds); x--) {
    for (let y = y0; y <= y1; y++) {
      out.push({ ...level, x, y });
    }
  }
  return out;
}
