// SPDX-License-Identifier: GPL-2.0-or-later
// Columns as they come from the server, until tiles with them are there.
//
// They lie side by side in one image, as a run for each time without a gap.

import type { ColumnEvent, Span } from "../types";
import { rowRuns, type Axis, type RowRun } from "./axis";
import type { Mode } from "./palette";
import { decode, image, offscreen, type Inks, type Scales } from "./raster";

export const LIVE_ROWS = 512;
const WIDTH = 1024;

/** Columns without a gap in time between them. */
export interface LiveRun {
  x: number;
  columns: number;
  from: number;
  to: number;
}

/* As the interface has it, until a raster tells. */
const SCALES: Scales = {
  rate: { low: 0.01, high: 1000, log: true },
  idle: { low: 0.001, high: 86400, log: true },
};

export class LiveColumns {
  private rows = 0;
  private spans: Span[] = [];
  private used = 0;
  private rate = new Uint8Array(0);
  private idle = new Uint8Array(0);
  private canvases: Partial<Record<Mode, ReturnType<typeof offscreen>>> = {};
  private scales = SCALES;
  runs: LiveRun[] = [];

  constructor(
    private readonly axis: Axis,
    private readonly interval: number,
    private readonly inks: Inks,
  ) {}

  get newest(): number {
    return this.runs[this.runs.length - 1]?.to ?? 0;
  }

  /** Where its rows are. */
  rowRuns(): RowRun[] {
    return rowRuns(this.axis, this.spans, this.rows);
  }

  get height(): number {
    return this.rows;
  }

  setScales(scales: Scales): void {
    this.scales = scales;
  }

  push(c: ColumnEvent): void {
    if (c.rows !== this.rows || (c.spans && !this.sameSpans(c.spans))) {
      this.restart(c);
    }
    if (this.spans.length === 0 || c.time <= this.newest) {
      return;
    }
    if (this.used === WIDTH) {
      this.shift();
    }
    const at = this.used * this.rows;
    const rate = decode(c.data);
    const idle = decode(c.idle);
    if (rate.length !== this.rows || idle.length !== this.rows) {
      return;
    }
    this.rate.set(rate, at);
    this.idle.set(idle, at);
    this.extend(c.time);
    this.draw(this.used, 1);
    this.used++;
  }

  private sameSpans(spans: Span[]): boolean {
    return JSON.stringify(spans) === JSON.stringify(this.spans);
  }

  private restart(c: ColumnEvent): void {
    this.spans = c.spans ?? [];
    this.rows = c.rows;
    this.used = 0;
    this.runs = [];
    this.rate = new Uint8Array(WIDTH * c.rows);
    this.idle = new Uint8Array(WIDTH * c.rows);
    this.canvases = {};
  }

  private extend(time: number): void {
    const last = this.runs[this.runs.length - 1];
    if (last && time - last.to < 1.6 * this.interval) {
      last.columns++;
      last.to = time;
    } else {
      this.runs.push({
        x: this.used,
        columns: 1,
        from: time - this.interval,
        to: time,
      });
    }
  }

  /** Forget the older half. */
  private shift(): void {
    const half = WIDTH / 2;
    this.rate.copyWithin(0, half * this.rows);
    this.idle.copyWithin(0, half * this.rows);
    this.used = half;
    this.runs = this.runs
      .filter((r) => r.x + r.columns > half)
      .map((r) => {
        const cut = Math.max(0, half - r.x);
        const seconds = (r.to - r.from) / r.columns;
        return {
          x: Math.max(r.x - half, 0),
          columns: r.columns - cut,
          from: r.from + cut * seconds,
          to: r.to,
        };
      });
    this.canvases = {};
  }

  private draw(x: number, columns: number): void {
    for (const mode of ["rate", "idle"] as const) {
      const c = this.canvases[mode];
      if (c) {
        this.paint(c.context, mode, x, columns);
      }
    }
  }

  private paint(
    context: CanvasRenderingContext2D,
    mode: Mode,
    x: number,
    columns: number,
  ): void {
    const bytes = this[mode].subarray(x * this.rows, (x + columns) * this.rows);
    const table = this.inks.get(mode, this.scales);
    context.putImageData(image(bytes, columns, this.rows, table), x, 0);
  }

  image(mode: Mode): HTMLCanvasElement | null {
    if (this.used === 0) {
      return null;
    }
    let c = this.canvases[mode];
    if (!c) {
      c = offscreen(WIDTH, this.rows);
      this.canvases[mode] = c;
      this.paint(c.context, mode, 0, this.used);
    }
    return c.canvas;
  }
}
