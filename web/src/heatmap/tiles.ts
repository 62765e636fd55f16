// SPDX-License-Identifier: GPL-2.0-or-later
// Tiles of the past: asked for once they are seen, kept for a while.
//
// A tile that reached into the future when it was asked for is known up to then
// (its "until"), and is asked for again when enough has come since. While a tile
// is on its way, what is there of coarser or older ones is drawn.

import type { HeatmapQuery } from "../api";
import type { Raster } from "../types";
import type { Axis, RowRun } from "./axis";
import { rowRuns } from "./axis";
import {
  COLUMNS,
  ROWS,
  columnSeconds,
  keyText,
  tileArea,
  type Grid,
  type TileKey,
} from "./grid";
import { idleOf, rateOf, type Mode } from "./palette";
import type { Viewport } from "./viewport";
import { decode, image, offscreen, type Inks, type Scales } from "./raster";

export interface Tile {
  key: TileKey;
  from: number;
  /** Known up to here. */
  until: number;
  columns: number;
  rows: number;
  seconds: number;
  runs: RowRun[];
  rate: Uint8Array;
  idle: Uint8Array;
  scales: Scales;
  images: Partial<Record<Mode, HTMLCanvasElement>>;
  used: number;
  /** The end of the last column that anything was known of. */
  last: number;
  /** It ended before the time it was asked for: a snapshot was still to come. */
  short: boolean;
}

export type Fetch = (q: HeatmapQuery, signal: AbortSignal) => Promise<Raster>;

const KEEP = 96;
const AT_ONCE = 3;
const RETRY_MS = 3000;

export class TileStore {
  private readonly tiles = new Map<string, Tile>();
  private readonly pending = new Map<string, AbortController>();
  private readonly failed = new Map<string, number>();
  private wanted: TileKey[] = [];
  private tick = 0;

  constructor(
    private readonly axis: Axis,
    private readonly grid: Grid,
    private readonly fetch: Fetch,
    private readonly now: () => number,
    private readonly onTile: () => void,
  ) {}

  close(): void {
    this.wanted = [];
    this.pending.forEach((c) => c.abort());
  }

  /** Have these, in this order; what is on its way for others is given up. */
  want(keys: TileKey[]): void {
    this.wanted = keys;
    const names = new Set(keys.map(keyText));
    for (const [name, c] of this.pending) {
      if (!names.has(name)) {
        c.abort();
        this.pending.delete(name);
      }
    }
    this.next();
  }

  /** Nothing that was asked for is still to come. */
  get settled(): boolean {
    return this.pending.size === 0 && !this.wanted.some((k) => this.lacks(k));
  }

  /** What to draw: these tiles when all are at hand, else others below them. */
  shown(keys: TileKey[], v: Viewport): Tile[] {
    const own: Tile[] = [];
    const missing = keys.some((k) => {
      const t = this.tiles.get(keyText(k));
      t && own.push(t);
      return !t && tileArea(this.grid, k).from < this.now();
    });
    own.forEach((t) => (t.used = ++this.tick));
    return missing ? this.at(v) : own;
  }

  /** Tiles at hand that show a part of @v, coarse ones first. */
  at(v: Viewport): Tile[] {
    const found: Tile[] = [];
    for (const t of this.tiles.values()) {
      const a = tileArea(this.grid, t.key);
      if (a.from <= v.to && t.until > v.from && a.start < v.end && a.end > v.start) {
        t.used = ++this.tick;
        found.push(t);
      }
    }
    return found.sort((a, b) => b.key.k - a.key.k || a.key.j - b.key.j);
  }

  private next(): void {
    for (const k of this.wanted) {
      if (this.pending.size >= AT_ONCE) {
        return;
      }
      if (this.lacks(k)) {
        void this.load(k);
      }
    }
  }

  private lacks(k: TileKey): boolean {
    const name = keyText(k);
    if (this.pending.has(name) || (this.failed.get(name) ?? 0) > performance.now()) {
      return false;
    }
    const area = tileArea(this.grid, k);
    const t = this.tiles.get(name);
    if (area.from >= this.now()) {
      return false;
    }
    return !t || (t.until < area.to && this.now() - t.until > this.patience(t));
  }

  /** How long live columns do instead of a tile. */
  private patience(t: Tile): number {
    const k = t.key;
    if (t.short) {
      return 5 * this.grid.interval;
    }
    const live = k.j === 0 ? 32 : 8;
    return Math.max(live * columnSeconds(this.grid, k.k), 8 * this.grid.interval);
  }

  private async load(k: TileKey): Promise<void> {
    const name = keyText(k);
    const c = new AbortController();
    this.pending.set(name, c);
    try {
      const tile = await this.ask(k, c.signal);
      if (!c.signal.aborted) {
        this.tiles.set(name, tile);
        this.failed.delete(name);
      }
    } catch {
      if (!c.signal.aborted) {
        this.failed.set(name, performance.now() + RETRY_MS);
      }
    }
    if (this.pending.get(name) === c) {
      this.pending.delete(name);
    }
    if (!c.signal.aborted) {
      this.forget();
      this.onTile();
      this.next();
    }
  }

  private async ask(key: TileKey, signal: AbortSignal): Promise<Tile> {
    const area = tileArea(this.grid, key);
    const seconds = columnSeconds(this.grid, key.k);
    const known = Math.min(this.now(), area.to);
    const columns = Math.min(COLUMNS, Math.max(1, Math.ceil((known - area.from) / seconds)));
    const part = key.j > 0;
    const raster = await this.fetch(
      {
        from: area.from,
        to: area.from + columns * seconds,
        columns,
        rows: ROWS,
        start: part ? this.axis.toAddress(area.start) : undefined,
        end: part ? this.axis.toEnd(area.end) : undefined,
      },
      signal,
    );
    return this.tileOf(key, raster, known);
  }

  /** The answer may be coarser than what was asked for: believe what it says. */
  private tileOf(key: TileKey, r: Raster, known: number): Tile {
    const rate = decode(r.data);
    const end = Math.min(this.now(), r.to) - 1.5 * this.grid.interval;
    const last = r.from + (knownColumns(rate, r.rows) * (r.to - r.from)) / r.columns;
    return {
      key,
      last,
      short: last > r.from && last < end,
      from: r.from,
      until: Math.min(known, r.to),
      columns: r.columns,
      rows: r.rows,
      seconds: (r.to - r.from) / r.columns,
      runs: rowRuns(this.axis, r.spans, r.rows),
      rate,
      idle: decode(r.idle),
      scales: { rate: r.scale, idle: r.idle_scale },
      images: {},
      used: ++this.tick,
    };
  }

  private forget(): void {
    const old = [...this.tiles.entries()].sort((a, b) => a[1].used - b[1].used);
    for (const [name] of old.slice(0, Math.max(0, old.length - KEEP))) {
      this.tiles.delete(name);
    }
  }
}

/** Columns up to the last that anything is known of. */
export function knownColumns(bytes: Uint8Array, rows: number): number {
  let last = bytes.length - 1;
  while (last >= 0 && bytes[last] === 0) {
    last--;
  }
  return Math.ceil((last + 1) / rows);
}

/**
 * What a tile tells of a point; null: nothing. A column without anything says
 * that nothing is known only where later ones say something: what came since the
 * tile was asked for is not in it.
 */
export function cellOf(
  t: Tile,
  s: { time: number; at: number },
): { rate: number | null; idle: number | null } | null {
  const run = t.runs.find((r) => s.at >= r.start && s.at < r.end);
  const column = Math.floor((s.time - t.from) / t.seconds);
  if (!run || column < 0 || column >= t.columns || s.time >= t.last) {
    return null;
  }
  const part = (s.at - run.start) / (run.end - run.start);
  const row = Math.min(Math.floor(run.row + part * run.rows), t.rows - 1);
  const i = column * t.rows + row;
  return {
    rate: rateOf(t.rate[i] ?? 0, t.scales.rate),
    idle: idleOf(t.idle[i] ?? 0, t.scales.idle),
  };
}

/** The image of a tile, made when it is first drawn. */
export function tileImage(t: Tile, mode: Mode, inks: Inks): HTMLCanvasElement {
  let canvas = t.images[mode];
  if (!canvas) {
    const made = offscreen(t.columns, t.rows);
    const table = inks.get(mode, t.scales);
    made.context.putImageData(image(t[mode], t.columns, t.rows, table), 0, 0);
    canvas = made.canvas;
    t.images[mode] = canvas;
  }
  return canvas;
}
