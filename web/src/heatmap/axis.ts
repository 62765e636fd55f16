// SPDX-License-Identifier: GPL-2.0-or-later
// Guest memory without its holes.
//
// "Packed" addresses count bytes of monitored memory from its begin, as rows of
// a raster do. What lies between two spans is a hole; it is drawn as a seam.

import type { Range, Span } from "../types";

export interface AxisSpan {
  start: number;
  end: number;
  /** Packed address of its start. */
  at: number;
}

export class Axis {
  readonly spans: AxisSpan[] = [];
  readonly length: number;

  constructor(parts: { start: number; end: number }[]) {
    let at = 0;
    for (const p of [...parts].sort((a, b) => a.start - b.start)) {
      const last = this.spans[this.spans.length - 1];
      if (last && last.end === p.start) {
        last.end = p.end;
      } else {
        this.spans.push({ start: p.start, end: p.end, at });
      }
      at += p.end - p.start;
    }
    this.length = at;
  }

  static ofRanges(ranges: Range[]): Axis {
    return new Axis(
      ranges
        .filter((r) => r.monitored)
        .map((r) => ({ start: r.start, end: r.start + r.size })),
    );
  }

  same(other: Axis): boolean {
    return (
      this.spans.length === other.spans.length &&
      this.spans.every((s, i) => {
        const o = other.spans[i];
        return o?.start === s.start && o.end === s.end;
      })
    );
  }

  private spanAt(packed: number): AxisSpan | undefined {
    let found = this.spans[0];
    for (const s of this.spans) {
      if (s.at > packed) {
        break;
      }
      found = s;
    }
    return found;
  }

  /** The guest-physical address of a packed one. */
  toAddress(packed: number): number {
    const s = this.spanAt(packed);
    return s ? Math.min(s.start + Math.floor(packed - s.at), s.end - 1) : 0;
  }

  /** One past the last address below packed @end. */
  toEnd(end: number): number {
    return this.toAddress(Math.max(0, end - 1)) + 1;
  }

  /** The packed address; of one in a hole, that of the hole's begin. */
  toPacked(address: number): number {
    let packed = 0;
    for (const s of this.spans) {
      if (address < s.start) {
        break;
      }
      packed = s.at + Math.min(address, s.end) - s.start;
    }
    return packed;
  }
}

/** Rows of a raster that lie next to each other in memory. */
export interface RowRun {
  row: number;
  rows: number;
  /** Packed. */
  start: number;
  end: number;
}

/**
 * Where the rows of a raster are. A span may reach over holes that are smaller
 * than a row; rows are even in addresses, so it is cut at these.
 */
export function rowRuns(axis: Axis, spans: Span[], rows: number): RowRun[] {
  const out: RowRun[] = [];
  spans.forEach((s, i) => {
    const perByte = ((spans[i + 1]?.row ?? rows) - s.row) / (s.end - s.start);
    for (const a of axis.spans) {
      const start = Math.max(s.start, a.start);
      const end = Math.min(s.end, a.end);
      if (start < end) {
        out.push({
          row: s.row + (start - s.start) * perByte,
          rows: (end - start) * perByte,
          start: a.at + start - a.start,
          end: a.at + end - a.start,
        });
      }
    }
  });
  return out;
}

/** A part of the plot without a seam in it; y grows downwards, memory upwards. */
export interface Piece {
  start: number;
  end: number;
  top: number;
  bottom: number;
}

const LEAST_HEIGHT = 3;

/**
 * Lay packed addresses from @start to @end out over @height pixels. Each span
 * has its share, but none is less than some pixels, so that small ones are seen.
 */
export function layout(
  axis: Axis,
  start: number,
  end: number,
  height: number,
  seam: number,
): Piece[] {
  const parts = axis.spans
    .map((s) => ({
      start: Math.max(start, s.at),
      end: Math.min(end, s.at + s.end - s.start),
    }))
    .filter((p) => p.start < p.end);
  const room = height - seam * (parts.length - 1) - LEAST_HEIGHT * parts.length;
  const bytes = parts.reduce((n, p) => n + p.end - p.start, 0);
  let bottom = height;
  return parts.map((p) => {
    const tall = LEAST_HEIGHT + (room * (p.end - p.start)) / bytes;
    const piece = { ...p, top: bottom - tall, bottom };
    bottom = piece.top - seam;
    return piece;
  });
}

/** Pixels from the top of packed address @at within @p. */
export function yIn(p: Piece, at: number): number {
  return (
    p.bottom - ((at - p.start) / (p.end - p.start)) * (p.bottom - p.top)
  );
}

/** The packed address at @y, of the nearest piece where there is a seam. */
export function packedAt(pieces: Piece[], y: number): number {
  let best = pieces[0];
  let least = Infinity;
  for (const p of pieces) {
    const away = Math.max(p.top - y, y - p.bottom, 0);
    if (away < least) {
      least = away;
      best = p;
    }
  }
  if (!best) {
    return 0;
  }
  const part = (best.bottom - y) / (best.bottom - best.top);
  const at = best.start + Math.min(Math.max(part, 0), 1) * (best.end - best.start);
  return Math.min(at, best.end - 1);
}

/** Pixels from the top of packed address @at; null: not shown. */
export function yOf(pieces: Piece[], at: number): number | null {
  const p = pieces.find((x) => at >= x.start && at <= x.end);
  return p ? yIn(p, at) : null;
}
